//! A copy of a file that is edited before anybody sees it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

use hdf5_pure::{
    Error as H5Error, File, FileAccessProperties, FileLocking, FormatError, Group, RepackOptions,
    SyncPolicy, repack,
};

use super::compact_groups::make_editable;
use super::format::Target;
use super::pages::without_pages;
use super::store::{Node, Store};
use super::superblock;
use super::write_attrs::encoding;
use crate::IoError;
use crate::anndata::encodings::DICT;

/// What an edit adds to or replaces: the groups of the root by their name, with the path that they
/// have without soft links, and the names in them.
#[derive(Debug, Default)]
pub(super) struct Touched {
    paths: BTreeMap<&'static str, String>,
    keys: Vec<(String, String)>,
}

impl Touched {
    /// Notes names in a group of the root, which need not be there yet.
    pub(super) fn add<'a>(
        &mut self,
        store: &Store,
        group: &'static str,
        keys: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), IoError> {
        let path = store.locate(group)?.map_or(group.to_owned(), |located| located.path);
        self.keys.extend(keys.into_iter().map(|key| (path.clone(), key.to_owned())));
        self.paths.insert(group, path);
        Ok(())
    }

    /// The path of a group that was noted.
    pub(super) fn path(&self, group: &'static str) -> &str {
        self.paths.get(group).map_or(group, String::as_str)
    }

    fn is_touched(&self, group: &str, key: &str) -> bool {
        self.keys.iter().any(|(of, name)| of == group && name == key)
    }
}

/// Copies `input` to `temp` byte for byte, but for the bytes in `holes`, and edits the copy. The
/// length of the copy before it was edited.
///
/// # Errors
/// [`IoError::CannotCopy`] where the copy cannot be edited, or would not hold what the input holds.
pub(super) fn copy_and_edit(
    input: &Path,
    temp: &Path,
    holes: &[Range<u64>],
    touched: &Touched,
    edit: &dyn Fn(&File) -> Result<(), H5Error>,
) -> Result<u64, IoError> {
    let length = copy_bytes(input, temp, holes)?;
    without_pages(input, temp)?;
    let groups: Vec<String> = touched.paths.values().cloned().collect();
    make_editable(input, temp, &groups, &touched.keys)?;
    edit_in_place(temp, edit).map_err(|e| cannot_copy(input, e.to_string()))?;
    check_links(input, temp, touched)?;
    Ok(length)
}

/// Copies `input` to `temp` object by object, without those at the `dropped` places, and edits the
/// copy: the room that they took is not copied either.
///
/// # Errors
/// As [`copy_and_edit`].
pub(super) fn copy_without(
    input: &Path,
    temp: &Path,
    dropped: &[String],
    edit: &dyn Fn(&File) -> Result<(), H5Error>,
) -> Result<(), IoError> {
    copy_objects(input, temp, dropped)?;
    edit_in_place(temp, edit).map_err(|e| cannot_copy(input, e.to_string()))
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

/// A group that holds arrays by name.
pub(super) fn open_or_create(file: &File, path: &str) -> Result<Group, H5Error> {
    match file.group(path) {
        Err(H5Error::Format(FormatError::PathNotFound(_))) => {
            file.root().create_group_with(path, |group| {
                for (key, value) in encoding(DICT) {
                    group.set_attr(key, value);
                }
            })
        }
        group => group,
    }
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
fn copy_bytes(input: &Path, temp: &Path, holes: &[Range<u64>]) -> Result<u64, IoError> {
    let mut from = fs::File::open(input).map_err(|e| IoError::os("read", input, e))?;
    let os = |e| IoError::os("write", temp, e);
    let mut to =
        fs::OpenOptions::new().read(true).write(true).truncate(true).open(temp).map_err(os)?;
    let length = match holes {
        [] => io::copy(&mut from, &mut to).map_err(os)?,
        _ => copy_between(&mut from, &mut to, holes).map_err(os)?,
    };
    let store = Store::open(input)?;
    if let Some(end) = store.end_if_moved() {
        // The library edits a file only where its superblock says that it is.
        superblock::update(&mut to, store.base(), end, None).map_err(os)?;
    }
    superblock::upgrade(&mut to).map_err(os)?;
    Ok(length)
}

/// Copies what lies outside of the holes, which are sorted and do not overlap.
fn copy_between(from: &mut fs::File, to: &mut fs::File, holes: &[Range<u64>]) -> io::Result<u64> {
    let length = from.metadata()?.len();
    let mut at = 0;
    for hole in holes.iter().chain([&(length..length)]) {
        from.seek(SeekFrom::Start(at))?;
        to.seek(SeekFrom::Start(at))?;
        io::copy(&mut from.take(hole.start.saturating_sub(at)), to)?;
        at = hole.end;
    }
    to.set_len(length)?;
    Ok(length)
}

/// Makes sure that all groups hold what they held, links to other paths and files included.
fn check_links(input: &Path, temp: &Path, touched: &Touched) -> Result<(), IoError> {
    let (before, after) = (Store::open(input)?, Store::open(temp)?);
    let is_same = |then: &Target, now: &Target| match (then, now) {
        (Target::Object(_), Target::Object(_)) => true,
        (then, now) => then == now,
    };
    for group in before.groups()?.into_keys() {
        let is_replaced = |(of, key): &(String, String)| {
            let path = if of.is_empty() { key.clone() } else { format!("{of}/{key}") };
            group == path || group.starts_with(&format!("{path}/"))
        };
        if touched.keys.iter().any(is_replaced) {
            continue;
        }
        let now = after.links(&group)?;
        for link in before.links(&group)?.iter() {
            let found = now.binary_search_by(|other| other.name.cmp(&link.name));
            let is_kept = found.is_ok_and(|at| is_same(&link.target, &now[at].target));
            if !is_kept && !touched.is_touched(&group, &link.name) {
                let problem = format!("'{}' of '/{group}' would be lost", link.name);
                return Err(cannot_copy(input, problem));
            }
        }
    }
    Ok(())
}

/// Copies object by object, without the dropped ones, after checking for what this would not carry
/// over as it is.
fn copy_objects(input: &Path, temp: &Path, dropped: &[String]) -> Result<(), IoError> {
    let store = Store::open(input)?;
    check_objects(&store, "", dropped, 0)?;
    let os = |e| IoError::os("write", temp, e);
    fs::write(temp, []).map_err(os)?;
    let options = dropped.iter().fold(RepackOptions::new(), |o, place| o.drop_path(place));
    repack(input, temp, &options).map_err(|e| cannot_copy(input, e.to_string()))
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
    match store.node(place)? {
        Node::Missing => Ok(()),
        Node::Group(_) => {
            for link in store.links(place)?.iter() {
                let name = &link.name;
                let below = if place.is_empty() { name.clone() } else { format!("{place}/{name}") };
                if !matches!(link.target, Target::Object(_)) {
                    let problem = "is a link to another path or file, which cannot be copied object \
                                   by object";
                    return Err(cannot_copy(store.path(), format!("'{below}' {problem}")));
                }
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
