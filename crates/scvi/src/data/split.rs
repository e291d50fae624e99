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

/// What makes no split.
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
    /// A number that is no cell's.
    #[error("cell {cell} in the {part} set, of {cells} cells that are numbered from 0")]
    OutOfRange {
        /// Where: `train`, `validation`, `test`.
        part: &'static str,
        /// The first such number.
        cell: u32,
        /// Cells there are.
        cells: usize,
    },
    /// A cell stands twice in one part.
    #[error("cell {cell} stands more than once in the {part} set")]
    Duplicate {
        /// Where.
        part: &'static str,
        /// The first such cell.
        cell: u32,
    },
    /// A cell stands in two parts.
    #[error("cell {cell} stands in the {} set and in the {} set", parts[0], parts[1])]
    Overlap {
        /// Where.
        parts: [&'static str; 2],
        /// The first such cell.
        cell: u32,
    },
    /// Cells stand in no part.
    #[error("{missing} of {cells} cells stand in no set, the first of them cell {first}")]
    Missing {
        /// How many.
        missing: usize,
        /// All cells.
        cells: usize,
        /// The first of them.
        first: u32,
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
        let sizes = sizes(n, train_size, validation_size)?;
        Ok(Self::cut(&Philox::new(seed).permutation(Stream::Split, 0, n), sizes))
    }

    /// The same without a permutation: the first cells are validated on, the next trained on
    /// (`shuffle_set_split=False` of scvi-tools).
    ///
    /// # Errors
    /// As [`Split::new`].
    pub fn in_order(
        n: usize,
        train_size: f64,
        validation_size: Option<f64>,
    ) -> Result<Self, SplitError> {
        let sizes = sizes(n, train_size, validation_size)?;
        Ok(Self::cut(&(0..n as u32).collect::<Vec<_>>(), sizes))
    }

    /// Splits groups of cells each by the same shares, and puts the parts together in the order of
    /// the groups; with a seed each group is permuted before.
    ///
    /// Source: scvi-tools 1.4.2, `dataloaders/_data_splitting.py`, `SemiSupervisedDataSplitter`.
    ///
    /// # Errors
    /// As [`Split::new`], where all groups together count.
    pub fn by_group(
        groups: &[Vec<u32>],
        train_size: f64,
        validation_size: Option<f64>,
        seed: Option<u64>,
    ) -> Result<Self, SplitError> {
        let mut split = Self::default();
        for group in groups {
            let n = group.len();
            let sizes = shares(n, train_size, validation_size)?;
            let order = match seed {
                Some(seed) => Philox::new(seed).permutation(Stream::Split, 0, n),
                None => (0..n as u32).collect(),
            };
            let order: Vec<u32> = order.into_iter().map(|at| group[at as usize]).collect();
            let Self { train, validation, test } = Self::cut(&order, sizes);
            split.train.extend(train);
            split.validation.extend(validation);
            split.test.extend(test);
        }
        check_train(split.train.len(), groups.iter().map(Vec::len).sum())?;
        Ok(split)
    }

    fn cut(order: &[u32], [n_train, n_validation]: [usize; 2]) -> Self {
        let (validation, rest) = order.split_at(n_validation);
        let (train, test) = rest.split_at(n_train);
        Self { train: train.to_vec(), validation: validation.to_vec(), test: test.to_vec() }
    }

    /// Whether every one of `0..n` stands in one part, and only once, and two or more in `train`.
    ///
    /// # Errors
    /// [`SplitError`] names the first cell that does not, and where.
    pub fn check(&self, n: usize) -> Result<(), SplitError> {
        let parts =
            [("train", &self.train), ("validation", &self.validation), ("test", &self.test)];
        let mut part_of: Vec<Option<&'static str>> = vec![None; n];
        let mut overlap = None;
        for (part, cells) in parts {
            for &cell in cells {
                let Some(seen) = part_of.get_mut(cell as usize) else {
                    return Err(SplitError::OutOfRange { part, cell, cells: n });
                };
                match *seen {
                    None => *seen = Some(part),
                    Some(first) if first == part => {
                        return Err(SplitError::Duplicate { part, cell });
                    }
                    Some(first) => {
                        let found = SplitError::Overlap { parts: [first, part], cell };
                        overlap.get_or_insert(found);
                    }
                }
            }
        }
        if let Some(overlap) = overlap {
            return Err(overlap);
        }
        if let Some(first) = part_of.iter().position(Option::is_none) {
            let missing = part_of.iter().filter(|part| part.is_none()).count();
            return Err(SplitError::Missing { missing, cells: n, first: first as u32 });
        }
        check_train(self.train.len(), n)
    }
}

/// Cells to train on and to validate on, two or more of the first.
fn sizes(
    n: usize,
    train_size: f64,
    validation_size: Option<f64>,
) -> Result<[usize; 2], SplitError> {
    let sizes = shares(n, train_size, validation_size)?;
    check_train(sizes[0], n)?;
    Ok(sizes)
}

/// Cells to train on and to validate on.
fn shares(
    n: usize,
    train_size: f64,
    validation_size: Option<f64>,
) -> Result<[usize; 2], SplitError> {
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
    Ok([n_train, n_validation])
}

fn check_train(train: usize, cells: usize) -> Result<(), SplitError> {
    if train < 2 { Err(SplitError::TooFewCells { train, cells }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_scvi_tools() {
        let sizes = |n, train, validation| {
            let s = Split::new(n, train, validation, 0).unwrap();
            s.check(n).unwrap();
            let ordered = Split::in_order(n, train, validation).unwrap();
            let all = [&ordered.validation[..], &ordered.train, &ordered.test].concat();
            assert_eq!(all, (0..n as u32).collect::<Vec<_>>());
            let of = |s: &Split| (s.train.len(), s.validation.len(), s.test.len());
            assert_eq!(of(&ordered), of(&s));
            of(&s)
        };
        assert_eq!(sizes(2700, 0.9, None), (2430, 270, 0));
        assert_eq!(sizes(101, 0.9, None), (91, 10, 0));
        assert_eq!(sizes(101, 0.5, Some(0.25)), (51, 25, 25));
        assert_eq!(sizes(2, 0.9, None), (2, 0, 0));
    }

    #[test]
    fn every_group_has_its_share() {
        let groups =
            [(0..20).map(|c| 2 * c).collect::<Vec<u32>>(), vec![1], (3..43).step_by(2).collect()];
        for seed in [None, Some(5)] {
            let split = Split::by_group(&groups, 0.5, Some(0.25), seed).unwrap();
            let of =
                |cells: &[u32], group: &[u32]| cells.iter().filter(|c| group.contains(c)).count();
            let sizes = |cells: &[u32]| groups.each_ref().map(|group| of(cells, group));
            assert_eq!(sizes(&split.train), [10, 1, 10]);
            assert_eq!(sizes(&split.validation), [5, 0, 5]);
            assert_eq!(sizes(&split.test), [5, 0, 5]);
            // The first group's cells come first.
            assert!(split.train[..10].iter().all(|c| c % 2 == 0));
            assert_eq!(split.validation[..5] == [0, 2, 4, 6, 8], seed.is_none());
        }
        assert!(matches!(
            Split::by_group(&[vec![4], vec![]], 0.9, None, None),
            Err(SplitError::TooFewCells { train: 1, cells: 1 })
        ));
    }

    #[test]
    fn impossible_sizes_are_errors() {
        assert!(matches!(Split::new(1, 0.9, None, 0), Err(SplitError::TooFewCells { .. })));
        assert!(matches!(Split::new(9, 1.1, None, 0), Err(SplitError::Share { .. })));
        assert!(matches!(Split::new(9, f64::NAN, None, 0), Err(SplitError::Share { .. })));
        assert!(matches!(Split::new(9, 0.9, Some(0.2), 0), Err(SplitError::Share { .. })));
        assert!(matches!(Split::in_order(9, 0.9, Some(0.2)), Err(SplitError::Share { .. })));
    }

    #[test]
    fn what_is_wrong_with_a_given_split_is_named() {
        let told = |train: &[u32], validation: &[u32], test: &[u32]| {
            let [train, validation, test] = [train, validation, test].map(<[u32]>::to_vec);
            Split { train, validation, test }.check(5).unwrap_err()
        };
        Split { train: vec![4, 0], validation: vec![2], test: vec![3, 1] }.check(5).unwrap();
        Split { train: vec![4, 0, 1, 2, 3], ..Split::default() }.check(5).unwrap();
        assert_eq!(
            told(&[0, 1, 2], &[3, 5], &[4]),
            SplitError::OutOfRange { part: "validation", cell: 5, cells: 5 }
        );
        assert_eq!(
            told(&[0, 1, 2, 1], &[3], &[4]),
            SplitError::Duplicate { part: "train", cell: 1 }
        );
        assert_eq!(
            told(&[0, 1, 2], &[3], &[4, 2]),
            SplitError::Overlap { parts: ["train", "test"], cell: 2 }
        );
        let missing = SplitError::Missing { missing: 2, cells: 5, first: 1 };
        assert_eq!(told(&[0, 3], &[4], &[]), missing);
        assert_eq!(missing.to_string(), "2 of 5 cells stand in no set, the first of them cell 1");
        assert_eq!(told(&[0], &[1, 2, 3, 4], &[]), SplitError::TooFewCells { train: 1, cells: 5 });
    }
}
