//! Copies of `.h5ad` files that can be edited in place.

use std::fs;
use std::io;
use std::path::Path;

use hdf5_pure::{AttrValue, RepackOptions, repack};

use super::store::{Node, Store};
use super::superblock;
use crate::IoError;

pub(super) fn cannot_copy(path: &Path, problem: String) -> IoError {
    IoError::CannotCopy { path: path.into(), problem }
}

/// Copies the file, and brings the copy into the form that can be edited without a mirror; its
/// length.
pub(super) fn copy_bytes(input: &Path, temp: &Path) -> Result<u64, IoError> {
    let mut from = fs::File::open(input).map_err(|e| IoError::os("read", input, e))?;
    let os = |e| IoError::os("write", temp, e);
    let mut to =
        fs::OpenOptions::new().read(true).write(true).truncate(true).open(temp).map_err(os)?;
    let length = io::copy(&mut from, &mut to).map_err(os)?;
    superblock::upgrade(&mut to).map_err(os)?;
    Ok(length)
}

/// Copies object by object, after checking for what this would not carry over as it is; the length
/// of the copy.
pub(super) fn copy_objects(input: &Path, temp: &Path) -> Result<u64, IoError> {
    let store = Store::open(input)?;
    check_objects(&store, "", 0)?;
    let os = |e| IoError::os("write", temp, e);
    fs::write(temp, []).map_err(os)?;
    repack(input, temp, &RepackOptions::new()).map_err(|e| cannot_copy(input, e.to_string()))?;
    Ok(fs::metadata(temp).map_err(os)?.len())
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
