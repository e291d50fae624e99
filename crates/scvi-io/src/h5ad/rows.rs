//! A copy of an `.h5ad` file with results that come row by row.

use std::ops::Range;
use std::path::Path;

use hdf5_pure::{AttrValue, Error as H5Error, File, Group};

use super::edited_copy::{Touched, copy_and_edit, open_or_create, remove};
use super::reserve::reserve;
use super::store::Store;
use super::write_column::{add_categorical, encode, fill_uns};
use crate::IoError;
use crate::anndata::encodings::ARRAY;
use crate::anndata::{AnnDataFile, Categorical, Extras, NewRows, check_additions};
use crate::output::{AtomicFile, RegionFile};
use crate::rows::RowSink;

/// A copy of an `.h5ad` file in the making, to which matrices are added row by row.
///
/// The copy is byte for byte: whatever the file holds - `uns`, `obsp`, `raw`, filters, attributes -
/// is there as it was, and only the groups that get something are touched. The output may be the
/// input, with `overwrite`. No memory is needed for the matrices, nor for the file.
///
/// Groups that the HDF5 library does not edit get a new header first: those whose links lie in a heap
/// (written with `libver="latest"`, with more than eight members), and those of the oldest form with
/// soft links. The copy of a file whose space is given out in pages is an ordinary one.
#[derive(Debug)]
pub struct H5adRows {
    file: RegionFile,
    columns: Vec<usize>,
}

impl H5adRows {
    /// Copies `input`, and reserves the matrices.
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
        let copy = Edited::copy(input.as_ref(), &[], output.as_ref(), matrices, extras, overwrite)?;
        let (rows, columns) = (copy.n_obs, matrices.iter().map(|m| m.columns).collect());
        let (temp, regions) = copy.reserve(rows)?;
        Ok(Self { file: RegionFile::new(temp, regions)?, columns })
    }

    /// Does what [`Self::create`] does, without the bytes in `holes` and with space for one row of each
    /// matrix, and deletes the copy.
    pub(super) fn dry_run(
        input: &Path,
        holes: &[Range<u64>],
        output: &Path,
        matrices: &[NewRows<'_>],
        extras: Extras<'_>,
        overwrite: bool,
    ) -> Result<(), IoError> {
        let copy = Edited::copy(input, holes, output, matrices, extras, overwrite)?;
        let rows = copy.n_obs.min(1);
        copy.reserve(rows).map(drop)
    }
}

/// A copy that has everything but the matrices' rows.
struct Edited {
    temp: AtomicFile,
    n_obs: usize,
    /// Its length before anything was added.
    start: u64,
    /// Where the matrices stand in it, each with its first row.
    places: Vec<String>,
}

impl Edited {
    fn copy(
        input: &Path,
        holes: &[Range<u64>],
        output: &Path,
        matrices: &[NewRows<'_>],
        extras: Extras<'_>,
        overwrite: bool,
    ) -> Result<Self, IoError> {
        let from = AnnDataFile::open(input)?;
        let n_obs = check_additions(&from, matrices, &extras)?;
        let temp = AtomicFile::create(output, overwrite)?;
        let touched = touched(&Store::open(input)?, matrices, &extras)?;
        let edit = |file: &File| edit(file, &from, &touched, matrices, &extras);
        let start = copy_and_edit(input, temp.temp_path(), holes, &touched, &edit)?;
        let place = |m: &NewRows<'_>| format!("{}/{}", touched.path(m.slot.name()), m.key);
        Ok(Self { temp, n_obs, start, places: matrices.iter().map(place).collect() })
    }

    /// Allocates so many rows of each matrix, and says where they are in the file.
    fn reserve(self, rows: usize) -> Result<(AtomicFile, Vec<Range<u64>>), IoError> {
        let places = self.places.iter().map(|place| (place.as_str(), rows as u64));
        let places: Vec<(&str, u64)> = places.collect();
        let regions = reserve(self.temp.temp_path(), self.start, &places)?;
        Ok((self.temp, regions))
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

/// The groups and names that an edit touches.
fn touched(
    store: &Store,
    matrices: &[NewRows<'_>],
    extras: &Extras<'_>,
) -> Result<Touched, IoError> {
    let mut touched = Touched::default();
    for matrix in matrices {
        touched.add(store, matrix.slot.name(), [matrix.key])?;
    }
    if !extras.uns.is_empty() {
        touched.add(store, "uns", extras.uns.iter().map(|(key, _)| *key))?;
    }
    if !extras.labels.is_empty() {
        touched.add(store, "obs", extras.labels.iter().map(|(key, _)| *key))?;
    }
    for (frame, columns) in [("obs", extras.obs), ("var", extras.var)] {
        if !columns.is_empty() {
            touched.add(store, frame, columns.iter().map(|(key, _)| *key))?;
        }
    }
    Ok(touched)
}

/// Adds everything to the file in place: of each matrix the first row.
fn edit(
    file: &File,
    from: &AnnDataFile,
    touched: &Touched,
    matrices: &[NewRows<'_>],
    extras: &Extras<'_>,
) -> Result<(), H5Error> {
    for matrix in matrices {
        let group = open_or_create(file, touched.path(matrix.slot.name()))?;
        remove(&group, matrix.key)?;
        // Without a value there is nothing that could be enlarged.
        let rows = if matrix.columns == 0 { from.n_obs() } else { from.n_obs().min(1) };
        group.create_dataset(matrix.key, |dataset| {
            dataset.with_f32_data(&vec![0.0; rows * matrix.columns]);
            dataset.with_shape(&[rows as u64, matrix.columns as u64]);
            encode(dataset, ARRAY);
        })?;
    }
    if !extras.uns.is_empty() {
        let group = open_or_create(file, touched.path("uns"))?;
        for (key, value) in extras.uns {
            remove(&group, key)?;
            group.create_dataset(key, |dataset| fill_uns(dataset, value))?;
        }
    }
    let frames = [
        ("obs", from.obs_columns(), extras.obs, extras.labels),
        ("var", from.var_columns(), extras.var, &[]),
    ];
    for (frame, order, columns, labels) in frames {
        if !columns.is_empty() || !labels.is_empty() {
            add_columns(&file.group(touched.path(frame))?, order, columns, labels)?;
        }
    }
    Ok(())
}

/// Adds columns to a data frame, behind those that it has.
fn add_columns(
    frame: &Group,
    order: &[String],
    columns: &[(&str, &[f32])],
    labels: &[(&str, &Categorical)],
) -> Result<(), H5Error> {
    let mut order = order.to_vec();
    let mut append = |key: &str| {
        if !order.iter().any(|name| name == key) {
            order.push(key.to_owned());
        }
    };
    for (key, values) in columns {
        remove(frame, key)?;
        frame.create_dataset(key, |dataset| {
            dataset.with_f32_data(values);
            encode(dataset, ARRAY);
        })?;
        append(key);
    }
    for (key, column) in labels {
        remove(frame, key)?;
        add_categorical(frame, key, column)?;
        append(key);
    }
    frame.set_attr("column-order", AttrValue::VarLenStringArray(order))
}
