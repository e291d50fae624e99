//! How many of an epoch's minibatches are used.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::plan_error::PlanError;

/// How many of an epoch's minibatches are used: the first so many, or a fraction of them.
///
/// A whole number is a number of minibatches, one with a point a fraction: `1` is one minibatch,
/// `1.0` all of them.
///
/// ```
/// use scvi::train::BatchLimit;
/// assert_eq!("1".parse(), Ok(BatchLimit::Batches(1)));
/// assert_eq!("1.0".parse(), Ok(BatchLimit::Fraction(1.0)));
/// ```
///
/// Source: Lightning 2.6, `limit_train_batches` and `limit_val_batches` of
/// `lightning.pytorch.Trainer` (`trainer/setup.py`, `trainer/connectors/data_connector.py`).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum BatchLimit {
    /// So many minibatches, or all where there are fewer.
    Batches(usize),
    /// A fraction of the minibatches, rounded down.
    Fraction(f64),
}

impl BatchLimit {
    /// What a limit may be, for messages.
    pub(super) const RANGE: &'static str = "a number of minibatches, or a fraction from 0.0 to 1.0";

    /// How many of `n` minibatches.
    pub(super) fn of(self, n: usize) -> usize {
        match self {
            Self::Batches(most) => most.min(n),
            Self::Fraction(share) => (n as f64 * share) as usize,
        }
    }

    /// Whether it leaves no minibatch, however many there are.
    pub(super) fn is_zero(self) -> bool {
        matches!(self, Self::Batches(0)) || self == Self::Fraction(0.0)
    }

    /// Whether it is a legal value of `option`.
    pub(super) fn check(self, option: &'static str) -> Result<(), PlanError> {
        match self {
            Self::Fraction(share) if !(0.0..=1.0).contains(&share) => {
                Err(PlanError { option, found: share.to_string(), range: Self::RANGE })
            }
            _ => Ok(()),
        }
    }

    /// Whether a fraction that is not 0 leaves one of `n` minibatches.
    pub(super) fn check_leaves_one(self, option: &'static str, n: usize) -> Result<(), PlanError> {
        match self {
            Self::Fraction(share) if share > 0.0 && n > 0 && self.of(n) == 0 => Err(PlanError {
                option,
                found: format!("{share} of {n} minibatches"),
                range: "enough for one minibatch",
            }),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for BatchLimit {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Batches(most) => write!(f, "{most}"),
            // With a point: `1.0` is not `1`.
            Self::Fraction(share) => write!(f, "{share:?}"),
        }
    }
}

impl FromStr for BatchLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let batches = text.parse().map(Self::Batches);
        let fraction = || text.parse().map(Self::Fraction);
        batches.or_else(|_| fraction()).map_err(|_| format!("expected {}", Self::RANGE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_rounded_down() {
        let of = |limit: BatchLimit| (0..8).map(|n| limit.of(n)).collect::<Vec<_>>();
        assert_eq!(of(BatchLimit::Batches(3)), [0, 1, 2, 3, 3, 3, 3, 3]);
        assert_eq!(of(BatchLimit::Fraction(0.5)), [0, 0, 1, 1, 2, 2, 3, 3]);
        assert_eq!(of(BatchLimit::Fraction(1.0)), [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn a_point_makes_a_fraction_in_text_and_in_json() {
        for (text, limit) in [
            ("0", BatchLimit::Batches(0)),
            ("1", BatchLimit::Batches(1)),
            ("1.0", BatchLimit::Fraction(1.0)),
            ("0.25", BatchLimit::Fraction(0.25)),
        ] {
            assert_eq!(text.parse(), Ok(limit));
            assert_eq!(serde_json::from_str::<BatchLimit>(text).unwrap(), limit);
            assert_eq!(serde_json::to_string(&limit).unwrap(), text);
            assert_eq!(limit.to_string(), text);
        }
        assert!("a tenth".parse::<BatchLimit>().is_err());
        assert!("-1".parse::<BatchLimit>().unwrap().check("limit_train_batches").is_err());
    }
}
