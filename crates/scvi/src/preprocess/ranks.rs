//! Genes ordered within each batch, and over all.

use super::highly_variable::GeneColumn;

/// How genes stand in the order of each batch, `(genes)` each.
pub(super) struct Ranks {
    /// Batches in which a gene is among the top.
    pub(super) nbatches: Vec<usize>,
    /// Median of its ranks there, from 0; NaN where it is in no top.
    pub(super) median: Vec<f64>,
}

/// What genes are ordered by first.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum First {
    /// The median rank.
    Rank,
    /// The number of batches.
    Batches,
}

impl Ranks {
    /// Ranks by falling scores, one list per batch.
    pub(super) fn new(by_batch: &[Vec<f64>], n_top_genes: usize) -> Self {
        let n_genes = by_batch.first().map_or(0, Vec::len);
        let mut top: Vec<Vec<f64>> = vec![Vec::new(); n_genes];
        for scores in by_batch {
            let mut order: Vec<usize> = (0..n_genes).collect();
            order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
            for (rank, &gene) in order.iter().take(n_top_genes).enumerate() {
                top[gene].push(rank as f64);
            }
        }
        let nbatches = top.iter().map(Vec::len).collect();
        Self { nbatches, median: top.into_iter().map(median).collect() }
    }

    /// The genes that come first over all batches.
    pub(super) fn chosen(&self, n_top_genes: usize, first: First) -> Vec<bool> {
        let mut order: Vec<usize> = (0..self.median.len()).collect();
        order.sort_by(|&a, &b| {
            // NaN comes last.
            let by_rank = self.median[a].total_cmp(&self.median[b]);
            let by_batches = self.nbatches[b].cmp(&self.nbatches[a]);
            match first {
                First::Rank => by_rank.then(by_batches),
                First::Batches => by_batches.then(by_rank),
            }
        });
        let mut chosen = vec![false; order.len()];
        order.iter().take(n_top_genes).for_each(|&gene| chosen[gene] = true);
        chosen
    }

    /// The same as columns; numbers of batches where there are batches.
    pub(super) fn into_columns(self, are_batches: bool) -> Vec<(&'static str, GeneColumn)> {
        let mut columns = vec![("highly_variable_rank", GeneColumn::Numbers(self.median))];
        if are_batches {
            columns.push(("highly_variable_nbatches", GeneColumn::Counts(self.nbatches)));
        }
        columns
    }
}

/// The middle of some numbers, or the mean of the two in the middle; NaN of none.
pub(super) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    match numbers.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => numbers[n / 2],
        n => (numbers[n / 2 - 1] + numbers[n / 2]) / 2.0,
    }
}

/// Means over batches, `(genes)`.
pub(super) fn mean_over_batches(by_batch: &[Vec<f64>]) -> Vec<f64> {
    let mut means = vec![0.0; by_batch.first().map_or(0, Vec::len)];
    for of_batch in by_batch {
        means.iter_mut().zip(of_batch).for_each(|(mean, value)| *mean += value);
    }
    means.iter_mut().for_each(|mean| *mean /= by_batch.len() as f64);
    means
}
