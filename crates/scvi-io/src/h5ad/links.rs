//! Paths inside a file: soft links are followed, links into other files are not.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::format::{Link, MessageKind, ObjectHeader, Target, read_links};
use super::store::Store;
use crate::IoError;

/// The most soft links of a path, as in the HDF5 C library.
const MAX_SOFT: usize = 16;
/// Bytes that the paths of all objects may have beyond what the file has.
const MAX_PATHS: u64 = 4 << 20;

/// Where a path leads: the same path without soft links, and the address of the object's header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Located {
    /// The path.
    pub(super) path: String,
    /// The address.
    pub(super) address: u64,
}

/// The links of groups that were looked up, by the address of their header, sorted by name.
pub(super) type LinkCache = Mutex<HashMap<u64, Arc<Vec<Link>>>>;

impl Store {
    /// Where `place` leads; `None` where there is nothing.
    ///
    /// # Errors
    /// [`IoError::OtherFile`] for a link into another file, others where a soft link leads nowhere or
    /// the file is broken.
    pub(super) fn locate(&self, place: &str) -> Result<Option<Located>, IoError> {
        let root = Located { path: String::new(), address: self.root_address() };
        let (mut at, mut n_soft) = (root.clone(), 0);
        let mut names: Vec<String> = components(&self.absolute(place));
        // The last soft link that was followed, its target, and how many names come behind that.
        let mut followed: Option<(String, String, usize)> = None;
        while let Some(name) = names.pop() {
            let place_of_link = join(&at.path, &name);
            let links = self.links_of(&at)?;
            let found = links.binary_search_by(|link| link.name.as_str().cmp(&name));
            let Ok(found) = found else {
                return match followed {
                    Some((link, target, behind)) if names.len() >= behind => {
                        let expected = format!("an object at {target}, where this soft link leads");
                        Err(self.structure(&link, expected, "nothing"))
                    }
                    _ => Ok(None),
                };
            };
            match &links[found].target {
                Target::Object(address) => {
                    at = Located { path: place_of_link, address: *address };
                }
                Target::Path(target) => {
                    n_soft += 1;
                    if n_soft > MAX_SOFT {
                        let expected = format!("at most {MAX_SOFT} soft links");
                        return Err(self.structure(&place_of_link, expected, "more"));
                    }
                    if target.starts_with('/') {
                        at = root.clone();
                    }
                    followed = Some((place_of_link, target.clone(), names.len()));
                    names.extend(components(target));
                }
                Target::OtherFile { file, path } => {
                    let what = format!("a link to {path} in the file {file}");
                    return Err(self.other_file(&place_of_link, what));
                }
                Target::Unknown(kind) => {
                    let feature = format!("is a link of the unknown kind {kind}");
                    return Err(self.unread(&place_of_link, feature, false));
                }
            }
        }
        Ok(Some(at))
    }

    /// The links of the group at `place`, sorted by name; none where there is no group.
    pub(super) fn links(&self, place: &str) -> Result<Arc<Vec<Link>>, IoError> {
        match self.locate(place)? {
            Some(located) => self.links_of(&located),
            None => Ok(Arc::default()),
        }
    }

    /// The paths of all groups, by which hard links lead to them, and the addresses of their headers:
    /// the root group first, each before what is below it.
    pub(super) fn groups(&self) -> Result<BTreeMap<String, u64>, IoError> {
        let (mut groups, mut seen) = (BTreeMap::new(), HashSet::new());
        // What lies over each other would be read again and again; links may lie in headers, too.
        let mut bytes = Budget(2 * self.size());
        let mut paths = Budget(self.size().saturating_add(MAX_PATHS));
        let too_much =
            || self.cannot_read("the groups", "they take more bytes than the file has".into());
        let mut rest = vec![Located { path: String::new(), address: self.root_address() }];
        while let Some(at) = rest.pop() {
            if !seen.insert(at.address) {
                continue;
            }
            let header = self.group_header(&at)?;
            bytes.spend(header.length).ok_or_else(too_much)?;
            if header.messages.is_empty() {
                continue;
            }
            for link in self.links_of(&at)?.iter() {
                bytes.spend(link.min_bytes()).ok_or_else(too_much)?;
                if let Target::Object(address) = link.target {
                    paths.spend((at.path.len() + link.name.len()) as u64).ok_or_else(too_much)?;
                    rest.push(Located { path: join(&at.path, &link.name), address });
                }
            }
            groups.insert(at.path, at.address);
        }
        Ok(groups)
    }

    /// The messages about links of a header, of which only groups have any.
    fn group_header(&self, at: &Located) -> Result<ObjectHeader, IoError> {
        let wanted = [MessageKind::SYMBOL_TABLE, MessageKind::LINK_INFO, MessageKind::LINK];
        let header = ObjectHeader::read(self.blocks(), at.address, Some(&wanted));
        header.map_err(|problem| self.cannot_read(&at.path, problem))
    }

    fn links_of(&self, group: &Located) -> Result<Arc<Vec<Link>>, IoError> {
        let held = || self.link_cache().lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(links) = held().get(&group.address) {
            return Ok(links.clone());
        }
        let place = if group.path.is_empty() { "/" } else { &group.path };
        let mut links = read_links(self.blocks(), group.address)
            .map_err(|problem| self.cannot_read(place, problem))?;
        links.sort_by(|a, b| a.name.cmp(&b.name));
        let links = Arc::new(links);
        held().insert(group.address, links.clone());
        Ok(links)
    }
}

/// Bytes that are left of those that a file can make somebody read.
struct Budget(u64);

impl Budget {
    /// `None` where fewer are left.
    fn spend(&mut self, bytes: u64) -> Option<()> {
        self.0 = self.0.checked_sub(bytes)?;
        Some(())
    }
}

/// The names of a path, the first behind.
fn components(path: &str) -> Vec<String> {
    let names = path.split('/').filter(|name| !matches!(*name, "" | "."));
    names.rev().map(str::to_owned).collect()
}

fn join(group: &str, name: &str) -> String {
    if group.is_empty() { name.to_owned() } else { format!("{group}/{name}") }
}
