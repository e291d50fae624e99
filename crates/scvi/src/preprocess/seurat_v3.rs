//! Highly variable genes by the variance of standardised counts.

use thiserror::Error;

use super::gene_moments::GeneMoments;
use super::highly_variable::HighlyVariable;
use super::loess::loess;
use crate::data::CsrMatrix;

/// Share of genes in a neighbourhood of the trend.
const SPAN: f64 = 0.3;
/// Genes that vary that a batch needs for a trend.
const MIN_GENES: usize = 10;

/// Genes cannot be chosen from these counts.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GeneSelectionError {
    /// A batch without a variance.
    #[error("batch {batch} has {n_cells} cells; at least 2 are needed to choose genes")]
    FewCells {
        /// Its number.
        batch: usize,
        /// Its cells.
        n_cells: usize,
    },
    /// A batch without a trend.
    #[error(
        "{n_genes} genes vary in batch {batch}; at least {MIN_GENES} are needed to choose among them"
    )]
    FewGenes {
        /// Its number.
        batch: usize,
        /// Genes that vary.
        n_genes: usize,
    },
}

/// A pass over all counts in the order of cells: each block with the number of its first cell.
pub type Pass<'a, E> = dyn FnMut(&mut dyn FnMut(usize, &CsrMatrix)) -> Result<(), E> + 'a;

/// Chooses `n_top_genes` by the variance of counts standardised by the trend of variance over mean,
/// batch by batch; two passes over the counts.
///
/// With a gene's mean m and variance v in a batch of n cells, and log₁₀ σ² the loess fit of log₁₀ v
/// on log₁₀ m, counts are clipped at m + σ√n and
/// ```text
/// variances_norm = Σ over cells of (min(x, m + σ√n) - m)² / ((n - 1) σ²)
/// ```
/// Genes are ordered by the median of their ranks among the top of a batch, then by the number of
/// batches in which they are.
///
/// `batches` is the batch of each cell; batches without a cell are left out.
///
/// Source: Stuart et al. 2019; scanpy 1.11, `preprocessing/_highly_variable_genes.py`, flavor
/// `seurat_v3`.
///
/// # Errors
/// [`GeneSelectionError`] where a batch is too small, and what a pass fails with.
pub fn seurat_v3<E: From<GeneSelectionError>>(
    n_genes: usize,
    batches: &[u32],
    n_top_genes: usize,
    pass: &mut Pass<'_, E>,
) -> Result<HighlyVariable, E> {
    let n_batches = batches.iter().max().map_or(1, |&last| last as usize + 1);
    let mut moments = vec![GeneMoments::new(n_genes); n_batches];
    pass(&mut |first, counts| {
        for cell in 0..counts.n_cells() {
            moments[batches[first + cell] as usize].add(counts, cell);
        }
    })?;
    let mut overall = GeneMoments::new(n_genes);
    moments.iter().for_each(|of_batch| overall.join(of_batch));
    let mut trends = Vec::with_capacity(n_batches);
    for (batch, of_batch) in moments.iter().enumerate() {
        trends.push(match of_batch.n_cells {
            0 => None,
            _ => Some(Trend::new(batch, of_batch)?),
        });
    }
    pass(&mut |first, counts| {
        for cell in 0..counts.n_cells() {
            if let Some(trend) = &mut trends[batches[first + cell] as usize] {
                trend.add(counts, cell);
            }
        }
    })?;
    let by_batch: Vec<Vec<f64>> = trends.iter().flatten().map(Trend::variances_norm).collect();
    Ok(chosen(&overall, &by_batch, n_top_genes))
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
    fn new(batch: usize, moments: &GeneMoments) -> Result<Self, GeneSelectionError> {
        let n_cells = moments.n_cells;
        if n_cells < 2 {
            return Err(GeneSelectionError::FewCells { batch, n_cells });
        }
        let (means, variances) = (moments.means(), moments.variances());
        let varying: Vec<usize> = (0..means.len()).filter(|&g| variances[g] > 0.0).collect();
        if varying.len() < MIN_GENES {
            return Err(GeneSelectionError::FewGenes { batch, n_genes: varying.len() });
        }
        let log = |of: &[f64]| varying.iter().map(|&g| of[g].log10()).collect::<Vec<_>>();
        let fitted = loess(&log(&means), &log(&variances), SPAN);
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
            let around_mean = n * mean * mean + self.squares[gene] - 2.0 * self.sum[gene] * mean;
            around_mean / ((n - 1.0) * sd * sd)
        };
        (0..self.means.len()).map(of_gene).collect()
    }
}

/// Orders genes by their ranks in batches.
fn chosen(overall: &GeneMoments, by_batch: &[Vec<f64>], n_top_genes: usize) -> HighlyVariable {
    let n_genes = overall.means().len();
    let mut top_ranks: Vec<Vec<f32>> = vec![Vec::new(); n_genes];
    for variances in by_batch {
        let mut order: Vec<usize> = (0..n_genes).collect();
        order.sort_by(|&a, &b| variances[b].total_cmp(&variances[a]));
        for (rank, &gene) in order.iter().take(n_top_genes).enumerate() {
            top_ranks[gene].push(rank as f32);
        }
    }
    let nbatches: Vec<usize> = top_ranks.iter().map(Vec::len).collect();
    let rank: Vec<f32> = top_ranks.into_iter().map(median).collect();
    let mut order: Vec<usize> = (0..n_genes).collect();
    // NaN comes last.
    order.sort_by(|&a, &b| rank[a].total_cmp(&rank[b]).then(nbatches[b].cmp(&nbatches[a])));
    let mut highly_variable = vec![false; n_genes];
    order.iter().take(n_top_genes).for_each(|&gene| highly_variable[gene] = true);
    let mean = |gene: usize| {
        by_batch.iter().map(|of_batch| of_batch[gene]).sum::<f64>() / by_batch.len() as f64
    };
    HighlyVariable {
        means: overall.means(),
        variances: overall.variances(),
        variances_norm: (0..n_genes).map(mean).collect(),
        highly_variable_rank: rank,
        highly_variable_nbatches: nbatches,
        highly_variable,
    }
}

/// The middle of some ranks, or of the two in the middle; NaN of none.
fn median(mut ranks: Vec<f32>) -> f32 {
    ranks.sort_by(f32::total_cmp);
    match ranks.len() {
        0 => f32::NAN,
        n if n % 2 == 1 => ranks[n / 2],
        n => (ranks[n / 2 - 1] + ranks[n / 2]) / 2.0,
    }
}
