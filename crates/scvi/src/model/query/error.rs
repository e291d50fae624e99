//! What keeps a model from taking a query.

use thiserror::Error;

use crate::module::ConfigError;
use crate::nn::StateError;

/// A model that cannot take a query.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum QueryError {
    /// Parts that a query cannot change differ.
    #[error("reference and query differ in more than batches, labels and categories")]
    OtherModel,
    /// Fewer categories than the reference has.
    #[error("the query's model has {found} {what}, fewer than the reference's {reference}")]
    Fewer {
        /// Of what.
        what: &'static str,
        /// The reference's.
        reference: usize,
        /// What came.
        found: usize,
    },
    /// The heads of a linear decoder read the batch themselves.
    #[error("a model with a linear decoder takes no query, here as in scvi-tools")]
    LinearDecoder,
    /// The prior of new batches' libraries is missing.
    #[error("the reference infers libraries: a prior of {n_batch} batches is needed")]
    NeedsPrior {
        /// Batches of the grown model.
        n_batch: usize,
    },
    /// The grown configuration is no model.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The reference's tensors are not those of its configuration.
    #[error(transparent)]
    State(#[from] StateError),
}
