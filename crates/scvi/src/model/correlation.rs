//! `get_feature_correlation_matrix`.

use scvi_kernels::Backend;
use scvi_kernels::ops::gram::add_gram;

use super::cells::Cells;
use super::denoised::{Denoise, denoised_samples};
use super::error::TaskError;
use super::pass::{check_genes, decode_as};
use super::ranks::rank;
use super::watch::Watch;
use crate::module::{Inference, Vae};

/// Rows that are turned into double precision at a time.
const ROWS: usize = 1024;

/// Which correlation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CorrelationType {
    /// Of ranks; ties share the mean of theirs.
    #[default]
    Spearman,
    /// Of values.
    Pearson,
}

/// How to correlate genes.
#[derive(Debug, Clone, PartialEq)]
pub struct CorrelationOptions {
    /// Which correlation.
    pub correlation_type: CorrelationType,
    /// Draws of each cell.
    pub n_samples: u32,
    /// Size that every cell is brought to, in counts.
    pub rna_size_factor: f64,
    /// Decodes every cell as if it came from each of these batches, and takes the mean of their
    /// correlations; none for the cell's own.
    pub transform_batch: Vec<u32>,
    /// Genes to correlate, in the order of rows and columns; all where `None`.
    pub genes: Option<Vec<u32>>,
    /// Seed of the draws.
    pub seed: u64,
}

impl Default for CorrelationOptions {
    fn default() -> Self {
        Self {
            correlation_type: CorrelationType::default(),
            n_samples: 10,
            rna_size_factor: 1000.0,
            transform_batch: Vec::new(),
            genes: None,
            seed: 0,
        }
    }
}

/// Correlation of every two genes over denoised draws of all cells: `(genes, genes)`.
///
/// ```text
/// r = Σ (a - ā)(b - b̄) / √(Σ (a - ā)² Σ (b - b̄)²),  a, b ~ Gamma(shape θ, rate θ/(s ρ))
/// ```
/// with a and b the draws of two genes, or their ranks, and s `rna_size_factor`. A gene whose draws
/// are all the same correlates with none: NaN.
///
/// Memory: 8 genes² bytes, and with [`CorrelationType::Spearman`] 4 cells · n_samples · genes more.
///
/// Source: scvi-tools 1.4.2, `model/base/_rnamixin.py`, `get_feature_correlation_matrix`.
///
/// # Errors
/// [`TaskError`] where the data does not fit the model or cannot be read, the likelihood has no
/// dispersion, a batch or gene is not the model's, or no draw is asked for.
pub fn feature_correlation_matrix(
    model: &impl Inference,
    cells: Cells,
    options: &CorrelationOptions,
    watch: &mut Watch,
) -> Result<Vec<f64>, TaskError> {
    let vae = model.vae();
    let batches = decode_as(vae, &options.transform_batch)?;
    check_genes(vae, options.genes.as_deref())?;
    let n_genes = vae.spec().config().n_input as u32;
    let genes = options.genes.clone().unwrap_or_else(|| (0..n_genes).collect());
    let mut mean = vec![0.0; genes.len() * genes.len()];
    for &transform_batch in &batches {
        let what = Denoise {
            n_samples: options.n_samples,
            rna_size_factor: options.rna_size_factor,
            transform_batch,
            genes: &genes,
            seed: options.seed,
        };
        let correlations = of_one_batch(vae, cells, &what, options.correlation_type, watch)?;
        mean.iter_mut().zip(correlations).for_each(|(sum, r)| *sum += r / batches.len() as f64);
    }
    Ok(mean)
}

fn of_one_batch<B: Backend<Elem = f32>>(
    vae: &Vae<B>,
    cells: Cells,
    what: &Denoise,
    correlation_type: CorrelationType,
    watch: &mut Watch,
) -> Result<Vec<f64>, TaskError> {
    let mut products = Products::new(what.genes.len());
    match correlation_type {
        CorrelationType::Pearson => {
            denoised_samples(vae, cells, what, watch, &mut |rows| products.add(rows))?;
        }
        CorrelationType::Spearman => {
            let mut all = Vec::new(); // (cells · n_samples, genes)
            denoised_samples(vae, cells, what, watch, &mut |rows| all.extend_from_slice(rows))?;
            rank(&mut all, what.genes.len());
            products.add(&all);
        }
    }
    Ok(products.correlations())
}

/// Sums of products of every two genes, about a point near their means.
struct Products {
    n_genes: usize,
    n_rows: f64,
    /// About which values are taken, so that little cancels: `(genes)`, empty before the first.
    origin: Vec<f64>,
    /// Σ (a - origin): `(genes)`
    sums: Vec<f64>,
    /// Σ (a - origin)(b - origin): `(genes, genes)`
    products: Vec<f64>,
    shifted: Vec<f64>,
}

impl Products {
    fn new(n_genes: usize) -> Self {
        let (sums, products) = (vec![0.0; n_genes], vec![0.0; n_genes * n_genes]);
        Self { n_genes, n_rows: 0.0, origin: Vec::new(), sums, products, shifted: Vec::new() }
    }

    /// Takes rows in: `(rows, genes)`.
    fn add(&mut self, rows: &[f32]) {
        let n_genes = self.n_genes.max(1);
        for rows in rows.chunks(ROWS * n_genes) {
            if self.origin.is_empty() {
                self.origin = means(rows, n_genes);
            }
            self.shifted.clear();
            for row in rows.chunks_exact(n_genes) {
                let row = row.iter().zip(&self.origin).map(|(&v, origin)| f64::from(v) - origin);
                self.shifted.extend(row);
            }
            for row in self.shifted.chunks_exact(n_genes) {
                self.sums.iter_mut().zip(row).for_each(|(sum, v)| *sum += v);
                self.n_rows += 1.0;
            }
            add_gram(&self.shifted, self.n_genes, &mut self.products);
        }
    }

    fn correlations(self) -> Vec<f64> {
        let Self { n_genes, n_rows, sums, mut products, .. } = self;
        for (row, sum) in products.chunks_exact_mut(n_genes.max(1)).zip(&sums) {
            row.iter_mut().zip(&sums).for_each(|(product, other)| *product -= sum / n_rows * other);
        }
        let norms: Vec<f64> = (0..n_genes).map(|g| products[g * (n_genes + 1)].sqrt()).collect();
        for (g, row) in products.chunks_exact_mut(n_genes.max(1)).enumerate() {
            for (product, norm) in row.iter_mut().zip(&norms) {
                *product = (*product / norms[g] / norm).clamp(-1.0, 1.0);
            }
        }
        products
    }
}

fn means(rows: &[f32], n_genes: usize) -> Vec<f64> {
    let mut means = vec![0.0; n_genes];
    for row in rows.chunks_exact(n_genes) {
        means.iter_mut().zip(row).for_each(|(mean, &v)| *mean += f64::from(v));
    }
    let n = (rows.len() / n_genes) as f64;
    means.iter_mut().for_each(|mean| *mean /= n);
    means
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Far from zero and close together: what cancels must not show.
    #[test]
    fn correlations_of_plain_values() {
        let a = [1e4f32, 1e4 + 1.0, 1e4 + 3.0, 1e4 + 2.0, 1e4 - 4.0];
        let b = [2.0f32, 0.5, -1.0, 0.0, 7.0];
        let mut products = Products::new(3);
        let rows: Vec<f32> = a.iter().zip(b).flat_map(|(&a, b)| [a, b, 5.0]).collect();
        products.add(&rows[..6]);
        products.add(&rows[6..]);
        let got = products.correlations();
        let mean = |v: &[f32]| v.iter().map(|&v| f64::from(v)).sum::<f64>() / 5.0;
        let dot = |x: &[f32], y: &[f32]| {
            let (mx, my) = (mean(x), mean(y));
            x.iter().zip(y).map(|(&x, &y)| (f64::from(x) - mx) * (f64::from(y) - my)).sum::<f64>()
        };
        let want = dot(&a, &b) / (dot(&a, &a) * dot(&b, &b)).sqrt();
        assert!((got[1] - want).abs() < 1e-12 && (got[3] - want).abs() < 1e-12);
        assert!((got[0] - 1.0).abs() < 1e-12 && (got[4] - 1.0).abs() < 1e-12);
        // A constant gene.
        assert!([got[2], got[5], got[6], got[7], got[8]].iter().all(|r| r.is_nan()));
    }
}
