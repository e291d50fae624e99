//! What cannot be compared.

use thiserror::Error;

/// Groups or options that make no comparison.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum DifferentialError {
    /// A group without cells.
    #[error("group '{name}' has no cells")]
    EmptyGroup {
        /// The group.
        name: String,
    },
    /// A group that leaves no cells to compare with.
    #[error("group '{name}' holds every cell; there is no rest to compare it with")]
    NoRest {
        /// The group.
        name: String,
    },
    /// A contrast names a group that is not there.
    #[error("group number {found} was asked for; there are {n_groups}, counted from 0")]
    NoGroup {
        /// What came.
        found: usize,
        /// Groups there are.
        n_groups: usize,
    },
    /// An option out of its range.
    #[error("{option} is {found}; it must be {range}")]
    Option {
        /// Which.
        option: &'static str,
        /// What came.
        found: f64,
        /// What is allowed.
        range: &'static str,
    },
    /// Pseudocounts are estimated from counts.
    #[error("pseudocounts are estimated from counts, and the data is minified without them")]
    NoCounts,
}
