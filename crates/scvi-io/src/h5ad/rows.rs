//! A copy of an `.h5ad` file with results that come row by row.

use std::path::Path;

use hdf5_pure::{AttrValue, Error as H5Error, File, Group};

use super::edited_copy::{copy_and_edit, open_or_create, remove};
use super::reserve::reserve;
use super::write_column::{encode, fill_uns};
use crate::IoError;
use crate::anndata::encodings::ARRAY;
use crate::anndata::{AnnDataFile, Extras, NewRows, Slot, check_additions};
use crate::output::{AtomicFile, RegionFile};
use crate::rows::RowSink;

/// A copy of an `.h5ad` file in the making, to which matrices are added row by row.
///
/// The copy is byte for byte: whatever the file holds - `uns`, `obsp`, `raw`, filters, attributes -
/// is there as it was, and only the groups that get something are touched. The output may be the
/// input, with `overwrite`. No memory is needed for the matrices, nor for the file.
///
/// A file whose groups store their links in a heap (written with `libver="latest"`, with more than
/// eight members in a group) cannot be edited like that: it is copied object by object instead.
/// Soft and external links, which anndata never writes, are not carried over by that path.
#[derive(Debug)]
pub struct H5adRows {
    file: RegionFile,
    columns: Vec<usize>,
}

impl H5adRows {
    /// Copies `input`, and makes room for the matrices.
    ///
    /// # Errors
    /// [`IoError`] where the input is no AnnData, a name is none, a matrix does not fit, the output
    /// cannot be written, or a part of the file cannot be copied as it is.
    pub fn create(
        input: impl AsRef<Path>,
        output: impl AsRef<Path>,
        matrices: &[NewRows<'_>],
        extras: Extras<'_>,
        overwrite: bool,
    ) -> Result<Self, IoError> {
        let input = input.as_ref();
        let n_obs = check_additions(&AnnDataFile::open(input)?, matrices, &extras)?;
        let temp = AtomicFile::create(output, overwrite)?;
        let path = temp.temp_path();
        let start = copy_and_edit(input, path, &[], &|file| edit(file, n_obs, matrices, &extras))?;
        let places: Vec<String> =
            matrices.iter().map(|m| format!("{}/{}", m.slot.name(), m.key)).collect();
        let regions = reserve(path, start, &places, n_obs as u64)?;
        let columns = matrices.iter().map(|m| m.columns).collect();
        Ok(Self { file: RegionFile::new(temp, regions)?, columns })
    }
}

impl RowSink for H5adRows {
    fn columns(&self) -> &[usize] {
        &self.columns
    }

    fn append(&mut self, matrix: usize, rows: &[f32]) -> Result<(), IoError> {
        self.file.append(matrix, rows, |_| ())
    }

    fn finish(self: Box<Self>) -> Result<(), IoError> {
        self.file.finish()
    }
}

/// Adds everything to the file in place: of each matrix the first row.
fn edit(
    file: &File,
    n_obs: usize,
    matrices: &[NewRows<'_>],
    extras: &Extras<'_>,
) -> Result<(), H5Error> {
    for slot in [Slot::Obsm, Slot::Layers] {
        let mut of_slot = matrices.iter().filter(|m| m.slot == slot).peekable();
        if of_slot.peek().is_none() {
            continue;
        }
        let group = open_or_create(file, slot.name())?;
        for matrix in of_slot {
            remove(&group, matrix.key)?;
            // Without a value there is nothing that could be enlarged.
            let rows = if matrix.columns == 0 { n_obs } else { n_obs.min(1) };
            group.create_dataset(matrix.key, |dataset| {
                dataset.with_f32_data(&vec![0.0; rows * matrix.columns]);
                dataset.with_shape(&[rows as u64, matrix.columns as u64]);
                encode(dataset, ARRAY);
            })?;
        }
    }
    if !extras.uns.is_empty() {
        let group = open_or_create(file, "uns")?;
        for (key, value) in extras.uns {
            remove(&group, key)?;
            group.create_dataset(key, |dataset| fill_uns(dataset, value))?;
        }
    }
    for (frame, columns) in [("obs", extras.obs), ("var", extras.var)] {
        if !columns.is_empty() {
            add_columns(&file.group(frame)?, columns)?;
        }
    }
    Ok(())
}

/// Adds columns to a data frame, behind those that it has.
fn add_columns(frame: &Group, columns: &[(&str, &[f32])]) -> Result<(), H5Error> {
    let attrs = frame.attrs()?;
    let order = attrs.get("column-order").and_then(AttrValue::as_strings);
    let mut order = order.map_or(Vec::new(), <[String]>::to_vec);
    for (key, values) in columns {
        remove(frame, key)?;
        frame.create_dataset(key, |dataset| {
            dataset.with_f32_data(values);
            encode(dataset, ARRAY);
        })?;
        if !order.iter().any(|name| name == key) {
            order.push((*key).to_owned());
        }
    }
    frame.set_attr("column-order", AttrValue::VarLenStringArray(order))
}
