//! Training, validation and test cells.

use scvi_kernels::{Philox, Stream};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Cell numbers of each part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Cells that are learned from.
    pub train: Vec<u32>,
    /// Cells that progress is measured on.
    pub validation: Vec<u32>,
    /// The rest.
    pub test: Vec<u32>,
}

/// Sizes that make no split.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum SplitError {
    /// A share outside its range.
    #[error("{option} is {found}; it must be {range}")]
    Share {
        /// The option.
        option: &'static str,
        /// What came.
        found: f64,
        /// What is allowed.
        range: &'static str,
    },
    /// Batch normalisation needs two cells.
    #[error("{train} of {cells} cells to train on; at least 2 are needed")]
    TooFewCells {
        /// Training cells.
        train: usize,
        /// All cells.
        cells: usize,
    },
}

impl Split {
    /// Splits `0..n` by a seeded permutation: ⌈`train_size` n⌉ cells to train on, ⌊`validation_size`
    /// n⌋ (default: all others) to validate on, the rest for tests.
    ///
    /// Sizes and order of the parts: scvi-tools 1.4.2, `dataloaders/_data_splitting.py`
    /// (validation cells come first in the permutation).
    ///
    /// # Errors
    /// [`SplitError`] for shares outside their range or fewer than two training cells.
    pub fn new(
        n: usize,
        train_size: f64,
        validation_size: Option<f64>,
        seed: u64,
    ) -> Result<Self, SplitError> {
        if !(train_size > 0.0 && train_size <= 1.0) {
            let range = "more than 0 and at most 1";
            return Err(SplitError::Share { option: "train_size", found: train_size, range });
        }
        let n_train = ((train_size * n as f64).ceil() as usize).min(n);
        let n_validation = match validation_size {
            None => n - n_train,
            Some(v) if v >= 0.0 && v + train_size <= 1.0 => {
                ((v * n as f64).floor() as usize).min(n - n_train)
            }
            Some(found) => {
                let range = "at least 0, and with train_size at most 1";
                return Err(SplitError::Share { option: "validation_size", found, range });
            }
        };
        if n_train < 2 {
            return Err(SplitError::TooFewCells { train: n_train, cells: n });
        }
        let order = Philox::new(seed).permutation(Stream::Split, 0, n);
        let (validation, rest) = order.split_at(n_validation);
        let (train, test) = rest.split_at(n_train);
        Ok(Self { train: train.to_vec(), validation: validation.to_vec(), test: test.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_scvi_tools() {
        let sizes = |n, train, validation| {
            let s = Split::new(n, train, validation, 0).unwrap();
            let mut all = [s.train.clone(), s.validation.clone(), s.test.clone()].concat();
            all.sort_unstable();
            assert!(all.iter().enumerate().all(|(i, &c)| i == c as usize));
            (s.train.len(), s.validation.len(), s.test.len())
        };
        assert_eq!(sizes(2700, 0.9, None), (2430, 270, 0));
        assert_eq!(sizes(101, 0.9, None), (91, 10, 0));
        assert_eq!(sizes(101, 0.5, Some(0.25)), (51, 25, 25));
        assert_eq!(sizes(2, 0.9, None), (2, 0, 0));
    }

    #[test]
    fn impossible_sizes_are_errors() {
        assert!(matches!(Split::new(1, 0.9, None, 0), Err(SplitError::TooFewCells { .. })));
        assert!(matches!(Split::new(9, 1.1, None, 0), Err(SplitError::Share { .. })));
        assert!(matches!(Split::new(9, f64::NAN, None, 0), Err(SplitError::Share { .. })));
        assert!(matches!(Split::new(9, 0.9, Some(0.2), 0), Err(SplitError::Share { .. })));
    }
}
