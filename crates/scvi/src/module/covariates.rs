//! Which covariates enter the networks, and through which columns: computed once.

use super::config::VaeConfig;
use super::options::BatchRepresentation;

/// One-hot columns of the batch and of every categorical covariate.
///
/// A covariate with one category says nothing and has no column, as in scvi-tools' `FCLayers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OneHotPlan {
    /// First column of each part that has any.
    parts: Vec<(Source, u32)>,
    n_columns: usize,
}

/// Whose categories a part's columns stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Batch,
    /// The categorical covariate of that number.
    Covariate(usize),
}

impl OneHotPlan {
    pub(super) fn new(config: &VaeConfig) -> Self {
        let mut plan = Self { parts: Vec::new(), n_columns: 0 };
        for (source, n) in Self::sources(config) {
            if n > 1 {
                plan.parts.push((source, plan.n_columns as u32));
                plan.n_columns += n;
            }
        }
        plan
    }

    /// What may have columns, in their order, with its number of categories.
    fn sources(config: &VaeConfig) -> impl Iterator<Item = (Source, usize)> {
        let one_hot = config.batch_representation == BatchRepresentation::OneHot;
        let batch = one_hot.then_some((Source::Batch, config.n_batch));
        let covariates = config.n_cats_per_cov.iter().enumerate();
        batch.into_iter().chain(covariates.map(|(i, &n)| (Source::Covariate(i), n)))
    }

    /// Numbers of categories of all that may have columns, in the order of these.
    pub(crate) fn category_counts(config: &VaeConfig) -> Vec<usize> {
        Self::sources(config).map(|(_, n)| n).collect()
    }

    /// Columns of all parts together.
    pub(crate) fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Columns that are 1 in every cell: one a part.
    pub(crate) fn per_cell(&self) -> usize {
        self.parts.len()
    }

    /// The columns that are 1, cell by cell: `(cells, per_cell)`.
    ///
    /// `batch` holds a code a cell, `categories` one a cell and categorical covariate.
    pub(super) fn fill(&self, batch: &[u32], categories: &[u32], columns: &mut Vec<u32>) {
        columns.clear();
        let n_covariates = categories.len() / batch.len().max(1);
        for (cell, &batch) in batch.iter().enumerate() {
            columns.extend(self.parts.iter().map(|&(source, first)| match source {
                Source::Batch => first + batch,
                Source::Covariate(i) => first + categories[cell * n_covariates + i],
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_covariate_of_one_category_has_no_column() {
        let config =
            VaeConfig { n_batch: 3, n_cats_per_cov: vec![1, 2, 4], ..VaeConfig::default() };
        let plan = OneHotPlan::new(&config);
        assert_eq!((plan.n_columns(), plan.per_cell()), (9, 3));
        let mut columns = Vec::new();
        plan.fill(&[2, 0], &[0, 1, 3, 0, 0, 1], &mut columns);
        assert_eq!(columns, [2, 4, 8, 0, 3, 6]);
    }

    #[test]
    fn an_embedded_batch_has_none() {
        let config = VaeConfig {
            n_batch: 3,
            n_cats_per_cov: vec![2],
            batch_representation: BatchRepresentation::Embedding,
            ..VaeConfig::default()
        };
        let plan = OneHotPlan::new(&config);
        let mut columns = Vec::new();
        plan.fill(&[2, 0], &[0, 1], &mut columns);
        assert_eq!((plan.n_columns(), &columns[..]), (2, &[0, 1][..]));
    }
}
