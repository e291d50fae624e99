//! What can be said of a matrix without reading all of it.

use std::ops::Range;

use super::StoredCounts;
use super::array::Array;
use super::count_matrix::Matrix;
use super::target::is_count;
use crate::IoError;

/// Values that are looked at, at most.
const SEEN: u64 = 1 << 20;
/// Places of a larger matrix where they are looked at, from its beginning to its end.
const PLACES: u64 = 16;

/// Shape and type of a matrix, and what its values are.
#[derive(Debug, Clone, PartialEq)]
pub struct MatrixSummary {
    /// Rows.
    pub n_cells: usize,
    /// Columns.
    pub n_genes: usize,
    /// The element type under numpy's name.
    pub data_type: String,
    /// The form.
    pub storage: Storage,
    /// Values that are stored: of a dense matrix all of them.
    pub n_values: u64,
    /// How many were looked at.
    pub n_seen: u64,
    /// What these are.
    pub kind: ValueKind,
}

/// The form in which a matrix is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// Sparse, cell by cell.
    Csr,
    /// Sparse, gene by gene.
    Csc,
    /// Every value.
    Dense,
}

impl Storage {
    /// Its word: `csr`, `csc`, `dense`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csr => "csr",
            Self::Csc => "csc",
            Self::Dense => "dense",
        }
    }
}

/// What the values of a matrix are.
#[derive(Debug, Clone, PartialEq)]
pub enum ValueKind {
    /// Whole numbers from 0, not all of them 0.
    Counts,
    /// Nothing but zeros.
    Zeros,
    /// Others: the first that is no count, with its cell and gene.
    Other {
        /// The value.
        value: f64,
        /// The cell's name.
        cell: String,
        /// The gene's name.
        gene: String,
    },
}

impl StoredCounts<'_> {
    /// What the matrix is, after a look at 2^20 of its values, spread over it, or at all of them.
    ///
    /// # Errors
    /// [`IoError`] where these cannot be read.
    pub fn summary(&self) -> Result<MatrixSummary, IoError> {
        let (n_cells, n_genes) = (self.file.n_obs(), self.genes.len());
        let (array, storage) = self.values();
        let (rows, width) = match storage {
            Storage::Dense => (n_cells as u64, n_genes as u64),
            Storage::Csr | Storage::Csc => (array.len()? as u64, 1),
        };
        let rows = if width == 0 { 0 } else { rows };
        let (mut n_seen, mut kind) = (0, ValueKind::Zeros);
        for block in blocks(rows, width) {
            let values = array.rows_f64(block.start, block.end - block.start)?;
            n_seen += values.len() as u64;
            if let Some(at) = values.iter().position(|&v| !is_count(v) || v.fract() != 0.0) {
                kind = self.other(block.start * width + at as u64, values[at])?;
                break;
            }
            if values.iter().any(|&v| v != 0.0) {
                kind = ValueKind::Counts;
            }
        }
        let (data_type, n_values) = (array.data_type(), rows * width);
        Ok(MatrixSummary { n_cells, n_genes, data_type, storage, n_values, n_seen, kind })
    }

    /// The array of values, and the form they are in.
    fn values(&self) -> (&Array, Storage) {
        match &self.matrix {
            Matrix::Csr(arrays) => (arrays.data(), Storage::Csr),
            Matrix::Csc(arrays) => (arrays.data(), Storage::Csc),
            Matrix::Dense(array) => (array, Storage::Dense),
        }
    }

    /// The value at a position of the array, with its cell and gene.
    fn other(&self, position: u64, value: f64) -> Result<ValueKind, IoError> {
        let (cells, genes) = (self.file.obs_names(), &self.genes[..]);
        let line = |indptr: &[u64]| indptr.partition_point(|&end| end <= position) - 1;
        let (cell, gene) = match &self.matrix {
            Matrix::Dense(_) => {
                let width = genes.len() as u64;
                ((position / width) as usize, (position % width) as usize)
            }
            Matrix::Csr(arrays) => {
                let gene = arrays.indices_at(genes.len(), position, 1)?[0] as usize;
                (line(&arrays.read_indptr(cells.len())?), gene)
            }
            Matrix::Csc(arrays) => {
                let cell = arrays.indices_at(cells.len(), position, 1)?[0] as usize;
                (cell, line(&arrays.read_indptr(genes.len())?))
            }
        };
        Ok(ValueKind::Other { value, cell: cells[cell].clone(), gene: genes[gene].clone() })
    }
}

/// Runs of rows with [`SEEN`] values in all: at [`PLACES`] places of a large array, otherwise all.
fn blocks(rows: u64, width: u64) -> impl Iterator<Item = Range<u64>> {
    let run = (SEEN / PLACES / width.max(1)).max(1);
    let is_whole = rows <= run * PLACES;
    let n = if is_whole { rows.div_ceil(run) } else { PLACES };
    // The last run ends with the last row.
    let last = rows.saturating_sub(run);
    (0..n).map(move |k| {
        let start = if is_whole { k * run } else { k * last / (PLACES - 1) };
        start..(start + run).min(rows)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_arrays_are_seen_whole_and_large_ones_from_end_to_end() {
        for width in [1, 16, 1024, 1 << 22] {
            for rows in [0, 1, 2, 15, 16, 17, 1000, 65_536, 1_048_576, 1_048_577, 1 << 40] {
                let all: Vec<Range<u64>> = blocks(rows, width).collect();
                let seen: u64 = all.iter().map(|block| block.end - block.start).sum();
                assert!(seen * width <= SEEN.max(PLACES * width), "{rows} x {width}");
                assert!(all.iter().all(|block| block.start < block.end && block.end <= rows));
                assert!(all.is_sorted_by(|a, b| a.end <= b.start), "{rows} x {width}: {all:?}");
                let ends = (all.first().map(|b| b.start), all.last().map(|b| b.end));
                assert_eq!(ends, if rows == 0 { (None, None) } else { (Some(0), Some(rows)) });
                if rows <= PLACES || rows * width <= SEEN {
                    assert_eq!(seen, rows, "{rows} x {width}");
                }
            }
        }
    }
}
