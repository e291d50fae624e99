//! Groups in the form in which the HDF5 library edits them.
//!
//! The library adds to groups whose links stand in messages of their header, and turns groups of the
//! oldest form into such. Groups of many members in files of the newer form keep their links in a
//! heap instead, which it does not edit; and in groups of the oldest form, anywhere in the file, it
//! takes soft links for broken hard ones. Such groups get a new header at the end of the file, with
//! every link in a message, and so do the groups whose links lead there (HDF5 File Format
//! Specification 4.0, sections IV.A.1.b, IV.A.2.c and IV.A.2.g). Nothing else in the file moves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use super::compact_group::CompactGroup;
use super::edited_copy::cannot_copy;
use super::format::Target;
use super::store::Store;
use super::superblock;
use crate::IoError;

/// Gives those of the `groups`, which are paths without soft links, new headers that the library
/// could not edit, and leaves links out of them that are in `dropped` by group and name and lead to
/// other paths or files.
///
/// # Errors
/// [`IoError::CannotCopy`] for `input` where a group is of a form that is not known.
pub(super) fn make_editable(
    input: &Path,
    path: &Path,
    groups: &[String],
    dropped: &[(String, String)],
) -> Result<(), IoError> {
    let store = Store::open(path)?;
    if !store.has_wide_addresses() {
        // Of those the library does not edit anything.
        return Ok(());
    }
    let refuse =
        |place: &str, problem: String| cannot_copy(input, format!("'/{place}': {problem}"));
    let mut groups_by_address = BTreeMap::new();
    let mut changed = BTreeSet::new();
    for (place, address) in store.groups()? {
        let group = CompactGroup::read(&store, address, &place, dropped);
        let group = group.map_err(|problem| refuse(&place, problem))?;
        let is_edited = groups.iter().any(|edited| *edited == place || is_above(&place, edited));
        if group.is_lossy || (is_edited && !group.is_editable) {
            changed.insert(address);
        }
        groups_by_address.insert(address, group);
    }
    add_parents(&groups_by_address, &mut changed);
    for group in changed.iter().filter_map(|address| groups_by_address.get(address)) {
        group.check().map_err(|problem| refuse(&group.place, problem))?;
    }
    let (base, root) = (store.base(), store.root_address());
    drop(store);
    groups_by_address.retain(|address, _| changed.contains(address));
    if groups_by_address.is_empty() {
        return Ok(());
    }
    let write = || -> io::Result<bool> {
        let mut file = fs::OpenOptions::new().read(true).write(true).open(path)?;
        let end = file.seek(SeekFrom::End(0))?;
        let mut next = end.next_multiple_of(8);
        let mut moved = BTreeMap::new();
        for (&address, group) in &groups_by_address {
            moved.insert(address, next - base);
            next = (next + group.new_header(&moved).len() as u64).next_multiple_of(8);
        }
        for (address, group) in &groups_by_address {
            file.seek(SeekFrom::Start(moved[address] + base))?;
            file.write_all(&group.new_header(&moved))?;
        }
        file.set_len(next)?;
        superblock::update(&mut file, base, next, moved.get(&root).copied())
    };
    match write().map_err(|e| IoError::os("write", path, e))? {
        true => Ok(()),
        false => Err(refuse("", "the superblock is of a form that cannot be changed".into())),
    }
}

/// Adds the groups from which hard links lead to one that changes, and those above them.
fn add_parents(groups: &BTreeMap<u64, CompactGroup>, changed: &mut BTreeSet<u64>) {
    let mut parents: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for (&address, group) in groups {
        for (link, _) in &group.links {
            if let Target::Object(child) = link.target {
                parents.entry(child).or_default().push(address);
            }
        }
    }
    let mut rest: Vec<u64> = changed.iter().copied().collect();
    while let Some(child) = rest.pop() {
        for &parent in parents.get(&child).into_iter().flatten() {
            if changed.insert(parent) {
                rest.push(parent);
            }
        }
    }
}

fn is_above(group: &str, place: &str) -> bool {
    let below = place.strip_prefix(group);
    group != place && below.is_some_and(|rest| group.is_empty() || rest.starts_with('/'))
}
