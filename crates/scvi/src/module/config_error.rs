//! What keeps a configuration from describing a model.

use thiserror::Error;

/// A configuration that describes no model.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A size is zero.
    #[error("{option} is 0; it must be 1 or more")]
    Zero {
        /// The option.
        option: &'static str,
    },
    /// A size is beyond what row numbers can hold, or what memory could.
    #[error("{option} is {found}; it must be at most {most}")]
    TooLarge {
        /// The option.
        option: &'static str,
        /// What came.
        found: usize,
        /// The largest that is allowed.
        most: usize,
    },
    /// A value is outside its range.
    #[error("{option} is {found}; it must be {allowed}")]
    Value {
        /// The option.
        option: &'static str,
        /// What came.
        found: String,
        /// What is allowed.
        allowed: String,
    },
    /// A choice needs another option.
    #[error("{option} {found} needs {needs}")]
    Needs {
        /// The option.
        option: &'static str,
        /// What was chosen.
        found: String,
        /// What is missing.
        needs: String,
    },
}
