//! A copy of an `.h5ad` file with results added.

use std::path::Path;

use super::rows::H5adRows;
use crate::IoError;
use crate::anndata::{AnnDataFile, Extras, NewRows, Slot};
use crate::rows::RowSink;

/// A dense array to add to a file: one row per cell of the file.
///
/// Cells that the caller left out (for instance those without counts) keep their row; it holds
/// NaN by convention.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NewArray<'a> {
    /// Where it goes.
    pub slot: Slot,
    /// Its name there; an existing one of that name is replaced.
    pub key: &'a str,
    /// The values, `(cells, columns)`, row by row.
    pub values: &'a [f32],
    /// Number of columns.
    pub columns: usize,
}

/// Writes a copy of `input` with arrays added; [`H5adRows`] says how, and takes arrays that do not
/// fit into memory.
///
/// # Errors
/// As [`H5adRows::create`], and [`IoError::BadInput`] where an array has not a row per cell.
pub fn write_with_arrays(
    input: impl AsRef<Path>,
    output: impl AsRef<Path>,
    arrays: &[NewArray<'_>],
    overwrite: bool,
) -> Result<(), IoError> {
    let n_obs = AnnDataFile::open(&input)?.n_obs();
    for array in arrays {
        if n_obs.checked_mul(array.columns) != Some(array.values.len()) {
            return Err(IoError::BadInput {
                what: format!("{}['{}']", array.slot.name(), array.key),
                expected: format!("{n_obs} x {} values", array.columns),
                found: array.values.len().to_string(),
            });
        }
    }
    let matrices: Vec<NewRows> = arrays
        .iter()
        .map(|&NewArray { slot, key, columns, .. }| NewRows { slot, key, columns })
        .collect();
    let mut file =
        Box::new(H5adRows::create(input, output, &matrices, Extras::default(), overwrite)?);
    for (k, array) in arrays.iter().enumerate() {
        file.append(k, array.values)?;
    }
    file.finish()
}
