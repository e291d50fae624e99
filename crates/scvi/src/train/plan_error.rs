//! An option of a plan that is outside its range.

use thiserror::Error;

/// An option outside its range.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{option} is {found}; it must be {range}")]
pub struct PlanError {
    /// The option.
    pub option: &'static str,
    /// What came.
    pub found: String,
    /// What is allowed.
    pub range: &'static str,
}
