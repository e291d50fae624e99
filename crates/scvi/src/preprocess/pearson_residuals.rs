//! Highly variable genes by the variance of Pearson residuals.

use rayon::prelude::*;

use super::Pass;
use super::batches::Batches;
use super::error::GeneSelectionError;
use super::gene_moments::GeneMoments;
use super::highly_variable::{GeneColumn, HighlyVariable};
use super::ranks::{First, Ranks, mean_over_batches};
use crate::data::CsrMatrix;

/// The model whose residuals are taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct PearsonResiduals {
    /// Inverse dispersion.
    pub(super) theta: f64,
    /// Largest absolute residual.
    pub(super) clip: Option<f64>,
}

/// Chooses genes by the variance of clipped Pearson residuals, batch by batch; two passes over the
/// counts.
///
/// With the total t of a cell, the sum s of a gene, and the sum S of all counts of a batch, the
/// residual of a count x is
/// ```text
/// (x - μ) / √(μ + μ²/θ),   μ = t s / S
/// ```
/// clipped at ±√n, with n the number of cells of the first batch: scanpy 1.11 clips the residuals of
/// all batches where it clips those of the first. Genes are ordered by the number of batches in which
/// they are among the top, then by the median of their ranks there.
///
/// Most counts are 0. Their residuals depend on the cell's total alone: sums over all cells are formed
/// as if every count were 0, from the distinct totals, and corrected in the second pass for the counts
/// that are not.
///
/// Source: Lause et al. 2021; scanpy 1.11, `experimental/pp/_highly_variable_genes.py`.
pub(super) fn pearson_residuals<E: From<GeneSelectionError>>(
    model: PearsonResiduals,
    n_genes: usize,
    batches: &Batches,
    n_top_genes: usize,
    pass: &mut Pass<'_, E>,
) -> Result<HighlyVariable, E> {
    // Of every cell.
    let mut totals = Vec::new();
    let moments = GeneMoments::by_batch(n_genes, batches, pass, &mut |_, counts| {
        totals.push(counts.iter().map(|&x| f64::from(x)).sum::<f64>());
    })?;
    let first = moments.iter().find(|of_batch| of_batch.n_cells > 0);
    let clip = model.clip.unwrap_or(first.map_or(0.0, |of_batch| of_batch.n_cells as f64).sqrt());
    let mut residuals: Vec<Residuals> = moments
        .iter()
        .enumerate()
        .map(|(batch, of_batch)| {
            let cells = totals.iter().enumerate().filter(|(cell, _)| batches.of(*cell) == batch);
            let totals = Totals::new(cells.map(|(_, &total)| total).collect());
            Residuals::new(model.theta, clip, of_batch, &totals)
        })
        .collect();
    pass(&mut |first, counts| {
        for cell in 0..counts.n_cells() {
            let total = totals[first + cell];
            residuals[batches.of(first + cell)].correct(counts, cell, total);
        }
    })?;
    let by_batch: Vec<Vec<f64>> =
        residuals.iter().filter(|r| r.n_cells > 0).map(Residuals::variances).collect();
    let overall = GeneMoments::joined(&moments);
    let ranks = Ranks::new(&by_batch, n_top_genes);
    let highly_variable = ranks.chosen(n_top_genes, First::Batches);
    let in_all = ranks.nbatches.iter().map(|&n| n == by_batch.len()).collect();
    let mut columns = vec![
        ("means", GeneColumn::Numbers(overall.means())),
        ("variances", GeneColumn::Numbers(overall.variances())),
        ("residual_variances", GeneColumn::Numbers(mean_over_batches(&by_batch))),
    ];
    columns.extend(ranks.into_columns(batches.are_given()));
    if batches.are_given() {
        columns.push(("highly_variable_intersection", GeneColumn::Flags(in_all)));
    }
    Ok(HighlyVariable { columns, highly_variable, n_unseen: overall.n_unseen() })
}

/// The distinct totals of some cells.
struct Totals {
    /// Each with the number of cells that have it.
    distinct: Vec<(f64, f64)>,
}

impl Totals {
    fn new(mut totals: Vec<f64>) -> Self {
        totals.sort_by(f64::total_cmp);
        let runs = totals.chunk_by(|a, b| a == b);
        Self { distinct: runs.map(|run| (run[0], run.len() as f64)).collect() }
    }
}

/// Sums of the residuals of a batch.
struct Residuals {
    theta: f64,
    clip: f64,
    n_cells: usize,
    /// s / S, `(genes)`
    share: Vec<f64>,
    /// `(genes)`
    sum: Vec<f64>,
    /// `(genes)`
    squares: Vec<f64>,
}

impl Residuals {
    /// The sums that cells without a count would have.
    fn new(theta: f64, clip: f64, moments: &GeneMoments, totals: &Totals) -> Self {
        let all: f64 = moments.sums().iter().sum();
        let share: Vec<f64> =
            moments.sums().iter().map(|sum| if *sum > 0.0 { sum / all } else { 0.0 }).collect();
        let of_gene = |&share: &f64| {
            let (mut sum, mut squares) = (0.0, 0.0);
            for &(total, n_cells) in &totals.distinct {
                let residual = of_zero(share * total, theta, clip);
                sum += n_cells * residual;
                squares += n_cells * residual * residual;
            }
            (sum, squares)
        };
        let (sum, squares) = share.par_iter().map(of_gene).unzip();
        Self { theta, clip, n_cells: moments.n_cells, share, sum, squares }
    }

    /// Puts the residuals of a cell's counts in the place of those of zeros.
    fn correct(&mut self, counts: &CsrMatrix, cell: usize, total: f64) {
        let (genes, values) = counts.row(cell);
        for (&gene, &value) in genes.iter().zip(values).filter(|(_, value)| **value > 0.0) {
            let gene = gene as usize;
            let mean = self.share[gene] * total;
            let zero = of_zero(mean, self.theta, self.clip);
            let residual = (f64::from(value) - mean) / (mean + mean * mean / self.theta).sqrt();
            let residual = residual.clamp(-self.clip, self.clip);
            self.sum[gene] += residual - zero;
            self.squares[gene] += residual * residual - zero * zero;
        }
    }

    /// Variances of the residuals; of genes without counts 0.
    fn variances(&self) -> Vec<f64> {
        let n = self.n_cells as f64;
        let of_gene = |(sum, squares): (&f64, &f64)| squares / n - (sum / n) * (sum / n);
        self.sum.iter().zip(&self.squares).map(of_gene).collect()
    }
}

/// The residual of a count of 0.
fn of_zero(mean: f64, theta: f64, clip: f64) -> f64 {
    -(mean / (1.0 + mean / theta)).sqrt().min(clip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_have_the_residual_of_the_formula() {
        for mean in [1e-6, 0.3, 7.0, 4000.0] {
            let want = -mean / (mean + mean * mean / 100.0f64).sqrt();
            assert!((of_zero(mean, 100.0, 50.0) / want - 1.0).abs() < 1e-14);
            assert!(of_zero(mean, 100.0, 0.1) >= -0.1);
        }
        assert_eq!(of_zero(0.0, 100.0, 50.0), 0.0);
    }

    #[test]
    fn equal_totals_are_counted_together() {
        let totals = Totals::new(vec![3.0, 1.0, 3.0, 0.5, 3.0]);
        assert_eq!(totals.distinct, [(0.5, 1.0), (1.0, 1.0), (3.0, 3.0)]);
    }
}
