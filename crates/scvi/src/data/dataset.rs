//! Counts with their covariates, and how cells fall into minibatches.

use std::io;
use std::ops::Range;

use thiserror::Error;

use super::CountSource;
use crate::module::{Minibatch, VaeSpec};

/// Counts and the batch of every cell.
#[derive(Clone)]
pub struct Dataset<'a> {
    counts: &'a dyn CountSource,
    batch: Vec<u32>,
}

/// Covariates do not fit the counts.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// One code a cell is needed.
    #[error("{found} batch codes for {cells} cells")]
    Length {
        /// Codes that came.
        found: usize,
        /// Cells there are.
        cells: usize,
    },
    /// More cells than row numbers can count.
    #[error("{cells} cells; at most {} are supported", u32::MAX)]
    TooManyCells {
        /// Cells there are.
        cells: usize,
    },
}

/// A data set that a model cannot take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Misfit {
    /// The model and the data differ in genes.
    #[error("the model has {model} genes, the data {data}")]
    Genes {
        /// The model's.
        model: usize,
        /// The data's.
        data: usize,
    },
    /// A batch code is beyond the model's batches.
    #[error("the data has {data} batches, the model {model}")]
    Batches {
        /// The model's.
        model: usize,
        /// The data's.
        data: usize,
    },
}

impl<'a> Dataset<'a> {
    /// Counts with the batch code of each cell: `(cells)`.
    ///
    /// # Errors
    /// [`DatasetError`] where codes and cells differ in number.
    pub fn new(counts: &'a dyn CountSource, batch: Vec<u32>) -> Result<Self, DatasetError> {
        let cells = counts.n_cells();
        if batch.len() != cells {
            return Err(DatasetError::Length { found: batch.len(), cells });
        }
        if u32::try_from(cells).is_err() {
            return Err(DatasetError::TooManyCells { cells });
        }
        Ok(Self { counts, batch })
    }

    /// Number of cells.
    pub fn n_cells(&self) -> usize {
        self.counts.n_cells()
    }

    /// Number of genes.
    pub fn n_genes(&self) -> usize {
        self.counts.n_genes()
    }

    /// Batches that occur, or would: one more than the largest code.
    pub fn n_batch(&self) -> usize {
        self.batch.iter().max().map_or(0, |&b| b as usize + 1)
    }

    /// Whether a model of this specification can take the data.
    ///
    /// # Errors
    /// [`Misfit`] where it has other genes or fewer batches.
    pub fn check_fits(&self, spec: &VaeSpec) -> Result<(), Misfit> {
        let config = spec.config();
        if config.n_input != self.n_genes() {
            return Err(Misfit::Genes { model: config.n_input, data: self.n_genes() });
        }
        if self.n_batch() > config.n_batch.max(1) {
            return Err(Misfit::Batches { model: config.n_batch, data: self.n_batch() });
        }
        Ok(())
    }

    pub(crate) fn max_nnz(&self, cells: usize) -> usize {
        self.counts.max_nnz_per_cell() * cells
    }

    /// Refills a minibatch with the given cells.
    ///
    /// # Errors
    /// Where the counts cannot be read.
    pub fn fill(&self, cells: &[u32], out: &mut Minibatch) -> io::Result<()> {
        out.rows.clear();
        self.counts.read(cells, &mut out.rows)?;
        out.cells.clear();
        out.cells.extend_from_slice(cells);
        out.batch.clear();
        out.batch.extend(cells.iter().map(|&c| self.batch[c as usize]));
        Ok(())
    }
}

/// How many cells a training minibatch has at the least, where there are that many: batch
/// normalisation needs a variance.
const MIN_CELLS: usize = 3;

/// Ranges of `0..n` for minibatches of `batch_size`; a tail of one or two cells joins the minibatch
/// before it, so that no cell is ever dropped and none is normalised alone.
///
/// ```
/// # use scvi::data::minibatches;
/// let sizes = |n| minibatches(n, 128).map(|r| r.len()).collect::<Vec<_>>();
/// assert_eq!(sizes(300), [128, 128, 44]);
/// assert_eq!(sizes(257), [128, 129]);
/// assert_eq!(sizes(2), [2]);
/// ```
pub fn minibatches(n: usize, batch_size: usize) -> impl Iterator<Item = Range<usize>> {
    let (full, tail) = (n / batch_size, n % batch_size);
    let joined = full > 0 && tail < MIN_CELLS;
    let count = if joined || tail == 0 { full } else { full + 1 };
    (0..count).map(move |i| {
        let end = if i + 1 == count { n } else { (i + 1) * batch_size };
        i * batch_size..end
    })
}

/// Cells of the largest minibatch that [`minibatches`] gives.
pub(crate) fn largest_minibatch(n: usize, batch_size: usize) -> usize {
    n.min(batch_size + MIN_CELLS - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn minibatches_cover_every_cell_once(n in 1usize..2000, size in 1usize..300) {
            let ranges: Vec<_> = minibatches(n, size).collect();
            let mut next = 0;
            for r in &ranges {
                prop_assert_eq!(r.start, next);
                prop_assert!(r.len() >= MIN_CELLS.min(n).min(size));
                prop_assert!(r.len() <= largest_minibatch(n, size));
                next = r.end;
            }
            prop_assert_eq!(next, n);
        }
    }
}
