//! Principal components of log counts: the space before a model.

mod log_counts;
mod subspace;

use scvi::data::CountSource;
use scvi::model::Watch;

use crate::AnalysisError;
use log_counts::LogCounts;

/// How to compute principal components: scanpy's defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct PcaOptions {
    /// Components, or fewer where cells or genes are.
    pub n_components: usize,
    /// Counts that every cell is brought to, of all its genes.
    pub target_sum: f64,
    /// Seed of the subspace that the search starts from.
    pub seed: u64,
}

impl Default for PcaOptions {
    fn default() -> Self {
        Self { n_components: 50, target_sum: 1e4, seed: 0 }
    }
}

/// Principal components of some cells.
#[derive(Debug, Clone, PartialEq)]
pub struct PrincipalComponents {
    /// Components, the one of largest variance first.
    pub n_components: usize,
    /// Coordinates: `(cells, n_components)`; an [`crate::Embedding`] of them has as many dimensions.
    pub scores: Vec<f32>,
    /// Variance of each component, with n - 1 cells.
    pub variances: Vec<f64>,
    /// Variance of all genes together.
    pub total_variance: f64,
}

/// Principal components of ln(1 + x·target/Σx) over the chosen cells and genes, centered.
///
/// Found by subspace iteration with 20 vectors more than components: those far from the noise are
/// exact to several digits, the last of 50 nearly so. `genes` chooses after the counts of a cell were
/// brought to their target, as scanpy's `mask_var` does; all where `None`. The sign of each
/// component is such that its largest loading is positive.
///
/// Memory: 8 bytes for each count of the chosen cells and genes that is not zero, and 8 (70 + 70) for
/// each gene: choose a sample of many cells.
///
/// # Errors
/// [`AnalysisError::Option`] where a cell or gene is out of range, [`TaskError::Read`](scvi::model::TaskError::Read) where
/// counts cannot be read, [`TaskError::Stopped`](scvi::model::TaskError::Stopped) where the watcher stops it.
pub fn pca(
    counts: &dyn CountSource,
    cells: &[u32],
    genes: Option<&[u32]>,
    options: &PcaOptions,
    watch: &mut Watch,
) -> Result<PrincipalComponents, AnalysisError> {
    let rows = LogCounts::read(counts, cells, genes, options.target_sum, watch)?;
    Ok(subspace::principal_components(&rows, options.n_components, options.seed))
}

#[cfg(test)]
mod tests;
