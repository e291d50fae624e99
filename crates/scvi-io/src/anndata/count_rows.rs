//! Counts that stay in the file: rows are read when they are asked for.

use std::io;
use std::ops::Range;
use std::path::PathBuf;

use scvi::data::{CsrError, CsrMatrix, RowBlocks, Survey};

use super::array::{Array, Kind};
use super::count_matrix::Matrix;
use super::sparse::Sparse;
use super::target::{Target, is_count};
use crate::IoError;

/// How many values a survey reads at a time.
const SURVEYED: u64 = 1 << 20;

/// Counts of an open file, cell by cell; several threads may read at once.
///
/// Every row is checked whenever it is read: the file may change meanwhile.
pub struct CountRows {
    rows: Rows,
    path: PathBuf,
    place: String,
    n_cells: usize,
    /// genes of the file
    width: usize,
    /// Column of each gene, and how many columns there are, where these are not the file's.
    columns: Option<(Vec<Option<u32>>, usize)>,
}

/// What a matrix is stored as.
pub(super) enum Lines {
    /// Cell by cell.
    Cells(CountRows),
    /// Gene by gene: no cell can be had alone.
    Genes(Box<Sparse>),
}

impl Lines {
    /// Of a matrix, whose genes go where `columns` says.
    pub(super) fn new(
        target: &Target<'_>,
        matrix: Matrix,
        columns: Option<(&[Option<u32>], usize)>,
    ) -> Result<Self, IoError> {
        let rows = match matrix {
            Matrix::Csc(arrays) => return Ok(Self::Genes(arrays)),
            Matrix::Dense(array) => Rows::Dense(array),
            Matrix::Csr(arrays) => {
                Rows::Sparse { indptr: arrays.read_indptr(target.cells.len())?, arrays }
            }
        };
        Ok(Self::Cells(CountRows::new(target, rows, columns)))
    }
}

/// Looks once at all counts of a sparse matrix whose lines are cells, whatever says so.
pub(crate) fn survey_cells(
    target: &Target<'_>,
    each: &mut dyn FnMut(&CsrMatrix) -> Result<(), IoError>,
) -> Result<Survey, IoError> {
    let arrays = Box::new(Sparse::open(target)?);
    let indptr = arrays.read_indptr(target.cells.len())?;
    CountRows::new(target, Rows::Sparse { arrays, indptr }, None).survey(
        target.cells,
        target.genes,
        each,
    )
}

/// What has rows.
enum Rows {
    Sparse { arrays: Box<Sparse>, indptr: Vec<u64> },
    Dense(Box<Array>),
}

/// Why rows cannot be had.
enum Fault {
    /// What stands at this row and column of the file is no count.
    Value(usize, usize, f64),
    /// A row contradicts itself.
    Row(CsrError),
    File(IoError),
}

impl From<IoError> for Fault {
    fn from(error: IoError) -> Self {
        Self::File(error)
    }
}

impl CountRows {
    fn new(target: &Target<'_>, rows: Rows, columns: Option<(&[Option<u32>], usize)>) -> Self {
        Self {
            rows,
            path: target.store.path().into(),
            place: target.place.to_owned(),
            n_cells: target.cells.len(),
            width: target.genes.len(),
            columns: columns.map(|(places, n_genes)| (places.to_vec(), n_genes)),
        }
    }

    /// Looks at all counts once, in the order of the file; `each` sees them as well.
    ///
    /// `cells` and `genes` are the names of the file's, for errors.
    ///
    /// # Errors
    /// [`IoError`] names the first value that is no count.
    pub(super) fn survey(
        &self,
        cells: &[String],
        genes: &[String],
        each: &mut dyn FnMut(&CsrMatrix) -> Result<(), IoError>,
    ) -> Result<Survey, IoError> {
        let mut survey = Survey::default();
        while survey.n_cells < self.n_cells {
            let range = survey.n_cells..self.end_of_block(survey.n_cells);
            let counts = self.rows(range).map_err(|fault| match fault {
                Fault::Value(row, column, value) => IoError::BadCount {
                    path: self.path.clone(),
                    place: self.values_at(),
                    cell: cells.get(row).cloned().unwrap_or_default(),
                    row,
                    gene: genes.get(column).cloned().unwrap_or_default(),
                    column,
                    value,
                },
                fault => self.error(fault),
            })?;
            survey.add(&counts);
            each(&counts)?;
        }
        Ok(survey)
    }

    /// Where about [`SURVEYED`] values from cell `start` on end.
    fn end_of_block(&self, start: usize) -> usize {
        let end = match &self.rows {
            Rows::Sparse { indptr, .. } => {
                indptr.partition_point(|&end| end <= indptr[start] + SURVEYED) - 1
            }
            Rows::Dense(_) => start + SURVEYED as usize / self.width.max(1),
        };
        end.clamp(start + 1, self.n_cells)
    }

    fn rows(&self, cells: Range<usize>) -> Result<CsrMatrix, Fault> {
        let first = cells.start;
        let (indptr, indices, values) = match &self.rows {
            Rows::Sparse { arrays, indptr } => self.sparse(arrays, indptr, cells)?,
            Rows::Dense(array) => self.dense(array, cells)?,
        };
        let counts = CsrMatrix::new(self.width, indptr, indices, values)
            .map_err(|error| Fault::Row(error.in_rows_from(first)))?;
        Ok(match &self.columns {
            None => counts,
            Some((places, n_genes)) => counts.place_genes(places, *n_genes),
        })
    }

    fn sparse(&self, arrays: &Sparse, indptr: &[u64], cells: Range<usize>) -> Result<Csr, Fault> {
        let indptr = &indptr[cells.start..=cells.end];
        let start = indptr[0];
        let n = indptr[indptr.len() - 1] - start;
        let indptr_here = || indptr.iter().map(|end| end - start).collect();
        if n == 0 {
            return Ok((indptr_here(), Vec::new(), Vec::new()));
        }
        let indices = arrays.indices_at(self.width, start, n)?;
        let values = arrays.values_at(start, n)?.map_err(|(at, value)| {
            let row = indptr.partition_point(|&end| end <= start + at as u64) - 1;
            Fault::Value(cells.start + row, indices[at] as usize, value)
        })?;
        Ok((indptr_here(), indices, values))
    }

    fn dense(&self, array: &Array, cells: Range<usize>) -> Result<Csr, Fault> {
        let (start, n) = (cells.start as u64, cells.len() as u64);
        let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
        if self.width == 0 {
            return Ok((vec![0; cells.len() + 1], indices, values));
        }
        let mut push = |row: usize, counts: &mut dyn Iterator<Item = f64>| {
            for (gene, value) in counts.enumerate() {
                if !is_count(value) {
                    return Err(Fault::Value(cells.start + row, gene, value));
                }
                if value != 0.0 {
                    indices.push(gene as u32);
                    values.push(value as f32);
                }
            }
            indptr.push(values.len() as u64);
            Ok(())
        };
        if array.kind() == Kind::Single {
            let block = array.rows_f32(start, n)?;
            let mut rows = block.chunks_exact(self.width).enumerate();
            rows.try_for_each(|(i, row)| push(i, &mut row.iter().map(|&v| v.into())))?;
        } else {
            let block = array.rows_f64(start, n)?;
            let mut rows = block.chunks_exact(self.width).enumerate();
            rows.try_for_each(|(i, row)| push(i, &mut row.iter().copied()))?;
        }
        Ok((indptr, indices, values))
    }

    /// Path of the values inside the file.
    fn values_at(&self) -> String {
        match &self.rows {
            Rows::Sparse { .. } => format!("{}/data", self.place),
            Rows::Dense(_) => self.place.clone(),
        }
    }

    fn error(&self, fault: Fault) -> IoError {
        let (path, place) = (self.path.clone(), self.place.clone());
        match fault {
            Fault::File(error) => error,
            Fault::Row(source) => IoError::BadMatrix { path, place, source },
            Fault::Value(row, gene, value) => {
                let source = CsrError::Value { cell: row, gene, value: value as f32 };
                IoError::BadMatrix { path, place, source }
            }
        }
    }
}

/// `indptr`, `indices` and `values`.
type Csr = (Vec<u64>, Vec<u32>, Vec<f32>);

impl RowBlocks for CountRows {
    fn n_cells(&self) -> usize {
        self.n_cells
    }

    fn n_genes(&self) -> usize {
        self.columns.as_ref().map_or(self.width, |(_, n_genes)| *n_genes)
    }

    fn read(&self, cells: Range<usize>) -> io::Result<CsrMatrix> {
        self.rows(cells).map_err(|fault| io::Error::other(self.error(fault)))
    }
}
