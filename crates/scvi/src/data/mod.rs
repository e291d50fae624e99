//! The way of the data: counts, registry, split and minibatches.

mod count_source;
mod csr;
mod dataset;
mod fingerprint;
mod library_prior;
mod registry;
pub mod simulate;
mod split;

pub use count_source::CountSource;
pub use csr::{CsrError, CsrMatrix};
pub(crate) use dataset::largest_minibatch;
pub use dataset::{Dataset, DatasetError, Misfit, minibatches};
pub use fingerprint::Fingerprint;
pub use library_prior::LibraryPrior;
pub use registry::{CategoricalField, CategoryKind, Registry};
pub use split::{Split, SplitError};
