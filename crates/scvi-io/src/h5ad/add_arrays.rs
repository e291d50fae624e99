//! A copy of an `.h5ad` file with results added.

use std::collections::BTreeSet;
use std::path::Path;

use hdf5_pure::{Error as H5Error, File, Group};

use super::edited_copy::{cannot_copy, copy_and_edit, open_or_create, remove};
use super::file::H5ad;
use super::store::Store;
use super::write_attrs::{ARRAY, encoding};
use crate::IoError;
use crate::output::AtomicFile;

/// Where a new array goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// `obsm`: any number of columns.
    Obsm,
    /// `layers`: one column per gene.
    Layers,
}

impl Slot {
    /// The group's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Obsm => "obsm",
            Self::Layers => "layers",
        }
    }
}

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

/// Writes a copy of `input` with arrays added.
///
/// The copy is byte for byte: whatever the file holds - `uns`, `obsp`, `raw`, filters, attributes -
/// is there as it was, and only the groups that get an array are touched. `output` may be `input`
/// with `overwrite`. Memory is needed for the arrays, not for the file.
///
/// A file whose groups store their links in a heap (written with `libver="latest"`, with more than
/// eight members in a group) cannot be edited like that: it is copied object by object instead.
/// Soft and external links, which anndata never writes, are not carried over by that path.
///
/// # Errors
/// [`IoError`] where the input is no AnnData, an array does not fit it, the output cannot be
/// written, or a part of the file cannot be copied as it is.
pub fn write_with_arrays(
    input: impl AsRef<Path>,
    output: impl AsRef<Path>,
    arrays: &[NewArray<'_>],
    overwrite: bool,
) -> Result<(), IoError> {
    let input = input.as_ref();
    let h5ad = H5ad::open(input)?;
    check(&h5ad, arrays)?;
    drop(h5ad);
    let temp = AtomicFile::create(output, overwrite)?;
    copy_and_edit(input, temp.temp_path(), &[], &|file| edit(file, arrays))?;
    verify(input, temp.temp_path(), arrays)?;
    temp.finish()
}

/// Checks that each array fits the file.
fn check(file: &H5ad, arrays: &[NewArray<'_>]) -> Result<(), IoError> {
    let mut seen = BTreeSet::new();
    for array in arrays {
        let bad = |expected: String, found: String| IoError::BadInput {
            what: format!("{}['{}']", array.slot.name(), array.key),
            expected,
            found,
        };
        super::check_name(array.key).map_err(|found| bad("a name".into(), found))?;
        if !seen.insert((array.slot, array.key)) {
            return Err(bad("one array of a name".into(), "two".into()));
        }
        if array.slot == Slot::Layers && array.columns != file.n_vars() {
            return Err(bad(format!("{} columns", file.n_vars()), array.columns.to_string()));
        }
        if file.n_obs().checked_mul(array.columns) != Some(array.values.len()) {
            let expected = format!("{} x {} values", file.n_obs(), array.columns);
            return Err(bad(expected, array.values.len().to_string()));
        }
    }
    Ok(())
}

/// Adds the arrays to the file in place.
fn edit(file: &File, arrays: &[NewArray<'_>]) -> Result<(), H5Error> {
    for slot in [Slot::Obsm, Slot::Layers] {
        let mut group: Option<Group> = None;
        for array in arrays.iter().filter(|a| a.slot == slot) {
            let group = match &group {
                Some(group) => group,
                None => group.insert(open_or_create(file, slot.name())?),
            };
            add(group, array)?;
        }
    }
    Ok(())
}

fn add(group: &Group, array: &NewArray<'_>) -> Result<(), H5Error> {
    remove(group, array.key)?;
    let columns = array.columns as u64;
    let rows = array.values.len().checked_div(array.columns).unwrap_or(0) as u64;
    group.create_dataset(array.key, |dataset| {
        dataset.with_f32_data(array.values).with_shape(&[rows, columns]);
        for (key, value) in encoding(ARRAY) {
            dataset.set_attr(key, value);
        }
    })?;
    Ok(())
}

/// Opens what was written and looks for the arrays.
fn verify(input: &Path, temp: &Path, arrays: &[NewArray<'_>]) -> Result<(), IoError> {
    let store = Store::open(temp)?;
    for array in arrays {
        let written = store.array(&format!("{}/{}", array.slot.name(), array.key))?;
        let n = written.shape().iter().product::<u64>();
        if n != array.values.len() as u64 {
            let problem = format!("{} came out with {n} values", written.place());
            return Err(cannot_copy(input, problem));
        }
    }
    Ok(())
}
