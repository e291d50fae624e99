//! A copy of an `.h5ad` file with results added.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use hdf5_pure::{
    AttrValue, Error as H5Error, File, FileAccessProperties, FileLocking, Group, RepackOptions,
    SyncPolicy, repack,
};

use super::file::H5ad;
use super::store::{Node, Store};
use super::superblock;
use super::write_attrs::{ARRAY, DICT, encoding};
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
    copy_bytes(input, temp.temp_path())?;
    match edit(temp.temp_path(), arrays) {
        Ok(()) => {}
        Err(H5Error::EditUnsupported(_)) => {
            copy_objects(input, temp.temp_path())?;
            edit(temp.temp_path(), arrays).map_err(|e| cannot_copy(input, e.to_string()))?;
        }
        Err(source) => {
            let place = "the groups to add to".into();
            return Err(IoError::Hdf5 { path: input.into(), place, source: Box::new(source) });
        }
    }
    verify(input, temp.temp_path(), arrays)?;
    temp.finish()
}

fn cannot_copy(path: &Path, problem: String) -> IoError {
    IoError::CannotCopy { path: path.into(), problem }
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

/// Copies the file, and brings the copy into the form that can be edited without a mirror.
fn copy_bytes(input: &Path, temp: &Path) -> Result<(), IoError> {
    let mut from = fs::File::open(input).map_err(|e| IoError::os("read", input, e))?;
    let os = |e| IoError::os("write", temp, e);
    let mut to =
        fs::OpenOptions::new().read(true).write(true).truncate(true).open(temp).map_err(os)?;
    io::copy(&mut from, &mut to).map_err(os)?;
    superblock::upgrade(&mut to).map_err(os)?;
    Ok(())
}

/// Adds the arrays to the file in place.
fn edit(path: &Path, arrays: &[NewArray<'_>]) -> Result<(), H5Error> {
    // Nobody else knows the file, and it is flushed as a whole when it is done.
    let properties = FileAccessProperties::new()
        .with_locking(FileLocking::Disabled)
        .with_sync_policy(SyncPolicy::OnClose);
    let file = File::open_rw_with_options(path, properties)?;
    for slot in [Slot::Obsm, Slot::Layers] {
        let mut group: Option<Group> = None;
        for array in arrays.iter().filter(|a| a.slot == slot) {
            let group = match &group {
                Some(group) => group,
                None => group.insert(open_or_create(&file, slot.name())?),
            };
            add(group, array)?;
        }
    }
    file.commit()?;
    file.close()
}

fn open_or_create(file: &File, name: &str) -> Result<Group, H5Error> {
    if file.root().groups()?.iter().any(|g| g == name) {
        return file.group(name);
    }
    file.root().create_group_with(name, |group| {
        for (key, value) in encoding(DICT) {
            group.set_attr(key, value);
        }
    })
}

fn add(group: &Group, array: &NewArray<'_>) -> Result<(), H5Error> {
    let exists = |names: Vec<String>| names.iter().any(|n| n == array.key);
    if exists(group.datasets()?) || exists(group.groups()?) {
        group.delete(array.key)?;
    }
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

/// Copies object by object, after checking for what this would not carry over as it is.
fn copy_objects(input: &Path, temp: &Path) -> Result<(), IoError> {
    let store = Store::open(input)?;
    check_objects(&store, "", 0)?;
    fs::write(temp, []).map_err(|e| IoError::os("write", temp, e))?;
    repack(input, temp, &RepackOptions::new()).map_err(|e| cannot_copy(input, e.to_string()))
}

fn check_objects(store: &Store, place: &str, depth: usize) -> Result<(), IoError> {
    if depth > 64 {
        return Err(cannot_copy(store.path(), format!("'{place}' lies too deep")));
    }
    match store.node(if place.is_empty() { "/" } else { place })? {
        Node::Missing => Ok(()),
        Node::Group(_) => {
            for name in store.members(if place.is_empty() { "/" } else { place })? {
                let below = if place.is_empty() { name } else { format!("{place}/{name}") };
                check_objects(store, &below, depth + 1)?;
            }
            Ok(())
        }
        Node::Array(array) => {
            // The library writes such chunk sizes in a form that HDF5 2.0 refuses.
            let wide = array.chunk_shape().iter().any(|d| (65_536..1 << 24).contains(d));
            // An empty data space comes out as a scalar; anndata's None is None in both forms.
            let empty = array.is_null()?;
            let none = || -> Result<bool, IoError> {
                let attrs = array.attrs()?;
                Ok(attrs.get("encoding-type").and_then(AttrValue::as_str) == Some("null"))
            };
            let problem = match (wide, empty) {
                (true, _) => "has chunks of more than 65,535 values",
                (_, true) if !none()? => "has an empty data space",
                _ => return Ok(()),
            };
            let problem = format!("'{place}' {problem}, in a file with densely stored links");
            Err(cannot_copy(store.path(), problem))
        }
    }
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
