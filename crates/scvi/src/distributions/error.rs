//! Parameters that describe no distribution.

use scvi_kernels::Real;
use thiserror::Error;

/// A distribution could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[non_exhaustive]
pub enum DistributionError {
    /// A parameter is outside its range.
    #[error("{parameter} is {found}; it must be {allowed}")]
    OutOfRange {
        /// The parameter's name in scvi-tools.
        parameter: &'static str,
        /// What came.
        found: f64,
        /// What it may be.
        allowed: &'static str,
    },
}

/// `value`, if it is finite and `accepts` takes it.
fn checked<F: Real>(
    parameter: &'static str,
    value: F,
    allowed: &'static str,
    accepts: impl FnOnce(f64) -> bool,
) -> Result<F, DistributionError> {
    let found = value.to_f64();
    if found.is_finite() && accepts(found) {
        Ok(value)
    } else {
        Err(DistributionError::OutOfRange { parameter, found, allowed })
    }
}

pub(super) fn finite<F: Real>(parameter: &'static str, value: F) -> Result<F, DistributionError> {
    checked(parameter, value, "finite", |_| true)
}

pub(super) fn positive<F: Real>(parameter: &'static str, value: F) -> Result<F, DistributionError> {
    checked(parameter, value, "finite and above 0", |v| v > 0.0)
}

pub(super) fn not_negative<F: Real>(
    parameter: &'static str,
    value: F,
) -> Result<F, DistributionError> {
    checked(parameter, value, "finite and 0 or more", |v| v >= 0.0)
}

pub(super) fn probability_below_one<F: Real>(
    parameter: &'static str,
    value: F,
) -> Result<F, DistributionError> {
    checked(parameter, value, "0 or more and below 1", |v| (0.0..1.0).contains(&v))
}

pub(super) fn logits_of_finite_mean<F: Real>(
    parameter: &'static str,
    value: F,
    mean: F,
) -> Result<F, DistributionError> {
    let allowed = "finite, with a finite mean total_count e^logits";
    checked(parameter, value, allowed, |_| mean.to_f64().is_finite())
}
