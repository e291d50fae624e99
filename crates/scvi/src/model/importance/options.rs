//! How samples are weighed.

use crate::model::error::TaskError;

/// What posterior samples are drawn by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weights {
    /// Equal chances.
    Uniform,
    /// Importance weights: samples that explain many cells of their group count more.
    Importance(ImportanceOptions),
}

/// Importance weights (scvi-tools' `importance_weighting_kwargs`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportanceOptions {
    /// Cells of a group that a sample is held to, at most.
    pub max_cells: usize,
    /// Whether weights below their mean are raised to it.
    pub truncation: bool,
    /// Draws for the marginal likelihood of each such cell.
    pub n_mc_samples: u32,
}

impl Default for ImportanceOptions {
    fn default() -> Self {
        Self { max_cells: 1024, truncation: false, n_mc_samples: 500 }
    }
}

impl ImportanceOptions {
    /// Whether there are cells to weigh by, and draws to do it with.
    ///
    /// # Errors
    /// [`TaskError::Importance`] where a number is 0.
    pub(in crate::model) fn check(&self) -> Result<(), TaskError> {
        let numbers = [("max_cells", self.max_cells), ("n_mc_samples", self.n_mc_samples as usize)];
        match numbers.into_iter().find(|&(_, number)| number == 0) {
            Some((option, _)) => Err(TaskError::Importance { option }),
            None => Ok(()),
        }
    }
}
