//! Where counts are read from, and what is not a count.

use scvi::data::CsrMatrix;

use super::store::Store;
use crate::IoError;

/// What a reader of counts needs to know.
pub(crate) struct Target<'a> {
    /// The file.
    pub(crate) store: &'a Store,
    /// Path of the matrix inside the file.
    pub(crate) place: &'a str,
    /// Names of the cells.
    pub(crate) cells: &'a [String],
    /// Names of the genes.
    pub(crate) genes: &'a [String],
}

impl Target<'_> {
    /// The error for a value that is no count.
    pub(crate) fn bad_count(&self, place: &str, row: usize, column: usize, value: f64) -> IoError {
        IoError::BadCount {
            path: self.store.path().into(),
            place: place.into(),
            cell: self.cells.get(row).cloned().unwrap_or_default(),
            row,
            gene: self.genes.get(column).cloned().unwrap_or_default(),
            column,
            value,
        }
    }

    /// Checks rows and columns against the names of cells and genes.
    pub(crate) fn check_shape(&self, shape: &[u64]) -> Result<(), IoError> {
        let expected = [self.cells.len() as u64, self.genes.len() as u64];
        if shape == expected {
            return Ok(());
        }
        Err(self.store.structure(
            self.place,
            format!("shape {expected:?} (obs x var)"),
            format!("shape {shape:?}"),
        ))
    }

    /// The matrix of three checked arrays.
    pub(crate) fn matrix(
        &self,
        indptr: Vec<u64>,
        indices: Vec<u32>,
        values: Vec<f32>,
    ) -> Result<CsrMatrix, IoError> {
        CsrMatrix::new(self.genes.len(), indptr, indices, values).map_err(|source| {
            IoError::BadMatrix { path: self.store.path().into(), place: self.place.into(), source }
        })
    }
}

/// Whether a value can be a count in a 4-byte float.
pub(crate) fn is_count(value: f64) -> bool {
    value >= 0.0 && value <= f64::from(f32::MAX)
}
