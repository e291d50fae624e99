//! Highly variable genes by the variance of standardised counts.

use super::Pass;
use super::batches::Batches;
use super::error::GeneSelectionError;
use super::gene_moments::GeneMoments;
use super::highly_variable::{GeneColumn, HighlyVariable};
use super::loess::{fewest_points, loess};
use super::ranks::{First, Ranks, mean_over_batches};
use crate::data::CsrMatrix;

/// Chooses genes by the variance of counts standardised by the trend of variance over mean, batch by
/// batch; two passes over the counts.
///
/// With a gene's mean m and variance v in a batch of n cells, and log₁₀ σ² the loess fit of log₁₀ v
/// on log₁₀ m, counts are clipped at m + σ√n and
/// ```text
/// variances_norm = Σ over cells of (min(x, m + σ√n) - m)² / ((n - 1) σ²)
/// ```
/// Genes are ordered by the median of their ranks among the top of a batch, then by the number of
/// batches in which they are.
///
/// Source: Stuart et al. 2019; scanpy 1.11, `preprocessing/_highly_variable_genes.py`, flavor
/// `seurat_v3`.
pub(super) fn seurat_v3<E: From<GeneSelectionError>>(
    span: f64,
    n_genes: usize,
    batches: &Batches,
    n_top_genes: usize,
    pass: &mut Pass<'_, E>,
) -> Result<HighlyVariable, E> {
    let moments = GeneMoments::by_batch(n_genes, batches, pass, &mut |_, _| ())?;
    let mut trends = Vec::with_capacity(moments.len());
    for (batch, of_batch) in moments.iter().enumerate() {
        trends.push(match of_batch.n_cells {
            0 => None,
            _ => Some(Trend::new(span, batches.name(batch), of_batch)?),
        });
    }
    pass(&mut |first, counts| {
        for cell in 0..counts.n_cells() {
            if let Some(trend) = &mut trends[batches.of(first + cell)] {
                trend.add(counts, cell);
            }
        }
    })?;
    let by_batch: Vec<Vec<f64>> = trends.iter().flatten().map(Trend::variances_norm).collect();
    let overall = GeneMoments::joined(&moments);
    let ranks = Ranks::new(&by_batch, n_top_genes);
    let highly_variable = ranks.chosen(n_top_genes, First::Rank);
    let mut columns = vec![
        ("means", GeneColumn::Numbers(overall.means())),
        ("variances", GeneColumn::Numbers(overall.variances())),
        ("variances_norm", GeneColumn::Numbers(mean_over_batches(&by_batch))),
    ];
    columns.extend(ranks.into_columns(batches.are_given()));
    Ok(HighlyVariable { columns, highly_variable, n_unseen: overall.n_unseen() })
}

/// The standard deviations that a batch's means lead to expect, and sums of clipped counts.
struct Trend {
    n_cells: usize,
    means: Vec<f64>,
    /// σ
    expected: Vec<f64>,
    /// m + σ√n
    bound: Vec<f64>,
    sum: Vec<f64>,
    squares: Vec<f64>,
}

impl Trend {
    fn new(
        span: f64,
        batch: Option<String>,
        moments: &GeneMoments,
    ) -> Result<Self, GeneSelectionError> {
        let n_cells = moments.n_cells;
        if n_cells < 2 {
            return Err(GeneSelectionError::FewCells { batch, n_cells });
        }
        let (means, variances) = (moments.means(), moments.variances());
        let varying: Vec<usize> = (0..means.len()).filter(|&g| variances[g] > 0.0).collect();
        let (n_genes, needed) = (varying.len(), fewest_points(span));
        if n_genes < needed {
            return Err(GeneSelectionError::FewGenes { batch, n_genes, needed });
        }
        let log = |of: &[f64]| varying.iter().map(|&g| of[g].log10()).collect::<Vec<_>>();
        let fitted = loess(&log(&means), &log(&variances), span);
        let mut expected = vec![1.0; means.len()];
        for (&gene, fitted) in varying.iter().zip(fitted) {
            expected[gene] = 10f64.powf(fitted).sqrt();
        }
        let reach = (n_cells as f64).sqrt();
        let bound = means.iter().zip(&expected).map(|(mean, sd)| sd * reach + mean).collect();
        let zeros = || vec![0.0; means.len()];
        Ok(Self { n_cells, sum: zeros(), squares: zeros(), means, expected, bound })
    }

    fn add(&mut self, counts: &CsrMatrix, cell: usize) {
        let (genes, values) = counts.row(cell);
        for (&gene, &value) in genes.iter().zip(values) {
            let gene = gene as usize;
            let value = f64::from(value).min(self.bound[gene]);
            self.sum[gene] += value;
            self.squares[gene] += value * value;
        }
    }

    fn variances_norm(&self) -> Vec<f64> {
        let n = self.n_cells as f64;
        let of_gene = |gene: usize| {
            let (mean, sd) = (self.means[gene], self.expected[gene]);
            let around_mean = n * (mean * mean) + self.squares[gene] - 2.0 * self.sum[gene] * mean;
            1.0 / ((n - 1.0) * (sd * sd)) * around_mean
        };
        (0..self.means.len()).map(of_gene).collect()
    }
}
