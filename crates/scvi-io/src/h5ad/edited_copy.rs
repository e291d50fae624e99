//! A copy of a file that is edited before anybody sees it.

use std::fs;
use std::io;
use std::path::Path;

use hdf5_pure::{
    Error as H5Error, File, FileAccessProperties, FileLocking, Group, RepackOptions, SyncPolicy,
    repack,
};

use super::store::{Node, Store};
use super::superblock;
use super::write_attrs::encoding;
use crate::IoError;
use crate::anndata::encodings::DICT;

/// Copies `input` to `temp`, without the objects at the `dropped` places, and edits the copy.
///
/// Where nothing is dropped the copy is byte for byte, and object by object only if it cannot be
/// edited so; where something is, the room it took is not copied either. The length of the copy
/// before it was edited.
pub(super) fn copy_and_edit(
    input: &Path,
    temp: &Path,
    dropped: &[String],
    edit: &dyn Fn(&File) -> Result<(), H5Error>,
) -> Result<u64, IoError> {
    if dropped.is_empty() {
        let length = copy_bytes(input, temp)?;
        match edit_in_place(temp, edit) {
            Ok(()) => return Ok(length),
            Err(H5Error::EditUnsupported(_)) => {}
            Err(source) => {
                let place = "the groups to add to".into();
                return Err(IoError::Hdf5 { path: input.into(), place, source: Box::new(source) });
            }
        }
    }
    let length = copy_objects(input, temp, dropped)?;
    edit_in_place(temp, edit).map_err(|e| cannot_copy(input, e.to_string()))?;
    Ok(length)
}

pub(super) fn cannot_copy(path: &Path, problem: String) -> IoError {
    IoError::CannotCopy { path: path.into(), problem }
}

fn edit_in_place(path: &Path, edit: &dyn Fn(&File) -> Result<(), H5Error>) -> Result<(), H5Error> {
    // Nobody else knows the file, and it is flushed as a whole when it is done.
    let properties = FileAccessProperties::new()
        .with_locking(FileLocking::Disabled)
        .with_sync_policy(SyncPolicy::OnClose);
    let file = File::open_rw_with_options(path, properties)?;
    edit(&file)?;
    file.commit()?;
    file.close()
}

/// A group of the root that holds arrays by name.
pub(super) fn open_or_create(file: &File, name: &str) -> Result<Group, H5Error> {
    if file.root().groups()?.iter().any(|g| g == name) {
        return file.group(name);
    }
    file.root().create_group_with(name, |group| {
        for (key, value) in encoding(DICT) {
            group.set_attr(key, value);
        }
    })
}

/// Deletes a member of a group if it is there; whether it was.
pub(super) fn remove(group: &Group, name: &str) -> Result<bool, H5Error> {
    let exists = |names: Vec<String>| names.iter().any(|n| n == name);
    let found = exists(group.datasets()?) || exists(group.groups()?);
    if found {
        group.delete(name)?;
    }
    Ok(found)
}

/// Copies the file, and brings the copy into the form that can be edited without a mirror.
fn copy_bytes(input: &Path, temp: &Path) -> Result<u64, IoError> {
    let mut from = fs::File::open(input).map_err(|e| IoError::os("read", input, e))?;
    let os = |e| IoError::os("write", temp, e);
    let mut to =
        fs::OpenOptions::new().read(true).write(true).truncate(true).open(temp).map_err(os)?;
    let length = io::copy(&mut from, &mut to).map_err(os)?;
    superblock::upgrade(&mut to).map_err(os)?;
    Ok(length)
}

/// Copies object by object, without the dropped ones, after checking for what this would not carry
/// over as it is.
fn copy_objects(input: &Path, temp: &Path, dropped: &[String]) -> Result<u64, IoError> {
    let store = Store::open(input)?;
    check_objects(&store, "", dropped, 0)?;
    let os = |e| IoError::os("write", temp, e);
    fs::write(temp, []).map_err(os)?;
    let options = dropped.iter().fold(RepackOptions::new(), |o, place| o.drop_path(place));
    repack(input, temp, &options).map_err(|e| cannot_copy(input, e.to_string()))?;
    Ok(fs::metadata(temp).map_err(os)?.len())
}

fn check_objects(
    store: &Store,
    place: &str,
    dropped: &[String],
    depth: usize,
) -> Result<(), IoError> {
    if dropped.iter().any(|dropped| dropped == place) {
        return Ok(());
    }
    if depth > 64 {
        return Err(cannot_copy(store.path(), format!("'{place}' lies too deep")));
    }
    match store.node(if place.is_empty() { "/" } else { place })? {
        Node::Missing => Ok(()),
        Node::Group(_) => {
            for name in store.members(if place.is_empty() { "/" } else { place })? {
                let below = if place.is_empty() { name } else { format!("{place}/{name}") };
                check_objects(store, &below, dropped, depth + 1)?;
            }
            Ok(())
        }
        Node::Array(array) => {
            // The library writes such chunk sizes in a form that HDF5 2.0 refuses.
            let wide = array.chunk_shape().iter().any(|d| (65_536..1 << 24).contains(d));
            // An empty data space comes out as a scalar; anndata's None is None in both forms.
            let empty = array.is_null()?;
            let none =
                || -> Result<bool, IoError> { Ok(array.attrs()?.encoding() == Some("null")) };
            let problem = match (wide, empty) {
                (true, _) => "has chunks of more than 65,535 values",
                (_, true) if !none()? => "has an empty data space",
                _ => return Ok(()),
            };
            let problem = format!("'{place}' {problem}, which cannot be copied object by object");
            Err(cannot_copy(store.path(), problem))
        }
    }
}
