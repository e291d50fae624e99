//! The way of the data: counts, registry, split and minibatches.

mod categories;
mod count_source;
mod csr;
mod dataset;
mod fingerprint;
mod genes;
mod library_prior;
mod matrix_key;
mod minibatches;
mod names;
mod poisson;
mod registry;
mod row_blocks;
mod selected;
mod shuffling;
pub mod simulate;
mod split;
mod streamed;
mod totals;

pub use categories::{
    CategoricalField, CategoryError, CategoryKind, TimeUnit, UnknownKind, datetime_str, float_str,
    single_str, timedelta_str,
};
pub use count_source::CountSource;
pub use csr::{CsrError, CsrMatrix, sum_repeated};
pub use dataset::{Dataset, DatasetError, Misfit};
pub use fingerprint::Fingerprint;
pub use genes::{GeneOverlap, RepeatedGene};
pub use library_prior::LibraryPrior;
pub use matrix_key::MatrixKey;
pub(crate) use minibatches::largest_minibatch;
pub use minibatches::{full_minibatches, minibatches};
pub use names::{Found, NameIndex};
pub use registry::Registry;
pub use row_blocks::{RowBlocks, Survey};
pub use selected::SelectedCounts;
pub use shuffling::Shuffling;
pub use split::{Split, SplitError};
pub use streamed::StreamedCounts;
pub use totals::totals;
