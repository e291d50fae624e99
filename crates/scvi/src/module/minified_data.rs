//! What minified data hold, and do not allow.

use thiserror::Error;

/// What a minified data set still holds (scvi-tools 1.4.2, `data/_constants.py`,
/// `ADATA_MINIFY_TYPE`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MinifiedDataType {
    /// Mean and variance of each cell's posterior, and its library size.
    LatentPosteriorParameters,
    /// The same, and the counts.
    LatentPosteriorParametersWithCounts,
}

impl MinifiedDataType {
    /// Both.
    pub const ALL: [Self; 2] =
        [Self::LatentPosteriorParameters, Self::LatentPosteriorParametersWithCounts];

    /// The kind that scvi-tools calls so.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// scvi-tools' word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::LatentPosteriorParameters => "latent_posterior_parameters",
            Self::LatentPosteriorParametersWithCounts => "latent_posterior_parameters_with_counts",
        }
    }
}

/// A task that minified data does not allow.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MinifiedError {
    /// The task needs counts.
    #[error("{task} needs counts, and the data is minified without them")]
    NeedsCounts {
        /// The task.
        task: &'static str,
    },
    /// The model infers libraries from counts.
    #[error(
        "a model with use_observed_lib_size off infers libraries from counts: it cannot take minified data"
    )]
    InferredLibrary,
}
