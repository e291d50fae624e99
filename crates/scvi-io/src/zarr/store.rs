//! An open store: groups and arrays by path, nothing read from outside its folder.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::array::Array;
use super::meta::ArrayMeta;
use crate::IoError;
use crate::anndata::{Attr, Attrs, MAX_WHOLE, check_name, structure};

/// The file of a group in version 2.
pub(crate) const GROUP: &str = ".zgroup";
/// The file of an array in version 2.
pub(crate) const ARRAY: &str = ".zarray";
/// The file of attributes in version 2.
pub(crate) const ATTRS: &str = ".zattrs";
/// The file of groups and arrays in version 3.
pub(crate) const NODE: &str = "zarr.json";
/// The largest file of metadata that is read.
const MAX_META: u64 = 64 << 20;

/// The version of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// `.zgroup`, `.zarray` and `.zattrs`.
    Two,
    /// `zarr.json`.
    Three,
}

/// What stands at a path inside the store.
pub(crate) enum Node {
    /// A group.
    Group,
    /// An array.
    Array(Box<Array>),
    /// Nothing.
    Missing,
}

/// A store opened for reading. A clone is the same open store.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    path: Arc<Path>,
    /// Without symbolic links: files must lie below.
    real: Arc<Path>,
    version: Version,
}

/// `zarr.json`, as far as both kinds of node have it.
#[derive(Deserialize)]
struct NodeMeta {
    node_type: String,
    #[serde(default)]
    attributes: Map<String, Value>,
}

impl Store {
    /// Opens the store in a folder.
    pub(crate) fn open(path: &Path) -> Result<Self, IoError> {
        let version = match (path.join(NODE).is_file(), path.join(GROUP).is_file()) {
            (true, _) => Version::Three,
            (_, true) => Version::Two,
            _ => return Err(IoError::NotZarr { path: path.into() }),
        };
        let real = fs::canonicalize(path).map_err(|e| IoError::os("read", path, e))?;
        Ok(Self { path: path.into(), real: real.into(), version })
    }

    /// Where the store lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The version of the format.
    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// What stands at `place`.
    pub(crate) fn node(&self, place: &str) -> Result<Node, IoError> {
        let Some(folder) = self.folder(place) else { return Ok(Node::Missing) };
        let broken = |problem| self.broken(place, problem);
        let meta = match self.version {
            Version::Two => match self.read(place, &folder.join(ARRAY), MAX_META)? {
                Some(json) => ArrayMeta::of_version_2(&json).map_err(broken)?,
                None => {
                    let group = self.read(place, &folder.join(GROUP), MAX_META)?;
                    return Ok(group.map_or(Node::Missing, |_| Node::Group));
                }
            },
            Version::Three => match self.node_meta(place, &folder)? {
                None => return Ok(Node::Missing),
                Some((node, _)) if node.node_type == "group" => return Ok(Node::Group),
                Some((_, json)) => ArrayMeta::of_version_3(&json).map_err(broken)?,
            },
        };
        Ok(Node::Array(Array::new(self, place, folder, meta)?.into()))
    }

    /// The attributes of the group or array at `place`.
    pub(crate) fn attrs(&self, place: &str) -> Result<Attrs, IoError> {
        let Some(folder) = self.folder(place) else { return Ok(Attrs::default()) };
        let attributes = match self.version {
            Version::Two => match self.read(place, &folder.join(ATTRS), MAX_META)? {
                None => Map::new(),
                Some(json) => serde_json::from_slice(&json)
                    .map_err(|e| self.broken(place, format!("{ATTRS}: {e}")))?,
            },
            Version::Three => {
                self.node_meta(place, &folder)?.map_or(Map::new(), |(node, _)| node.attributes)
            }
        };
        let known = attributes.iter().filter_map(|(key, value)| Some((key.clone(), attr(value)?)));
        Ok(Attrs(known.collect::<HashMap<_, _>>()))
    }

    /// Names of a group's members, sorted; none where the group is missing.
    pub(crate) fn members(&self, place: &str) -> Result<Vec<String>, IoError> {
        let Some(folder) = self.folder(place) else { return Ok(Vec::new()) };
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(IoError::os("read", &folder, error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| IoError::os("read", &folder, e))?;
            let is_node = |file| entry.path().join(file).is_file();
            let is_node = match self.version {
                Version::Two => is_node(GROUP) || is_node(ARRAY),
                Version::Three => is_node(NODE),
            };
            names.extend(entry.file_name().into_string().ok().filter(|_| is_node));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Reads a file below the store's folder of at most `limit` bytes; `None` where there is none.
    pub(super) fn read(
        &self,
        place: &str,
        file: &Path,
        limit: u64,
    ) -> Result<Option<Vec<u8>>, IoError> {
        let os = |e| IoError::os("read", file, e);
        let real = match fs::canonicalize(file) {
            Ok(real) => real,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(os(error)),
        };
        let length = fs::metadata(&real).map_err(os)?;
        // A pipe, for instance, would be waited for.
        if !real.starts_with(&self.real) || !length.is_file() || length.len() > limit {
            let expected = format!("files within the store, of at most {limit} bytes");
            return Err(structure(&self.path, place, expected, file.display().to_string()));
        }
        let mut bytes = Vec::new();
        let opened = fs::File::open(&real).map_err(os)?;
        opened.take(limit).read_to_end(&mut bytes).map_err(os)?;
        Ok(Some(bytes))
    }

    /// The error that something cannot be read.
    pub(super) fn broken(&self, place: &str, problem: String) -> IoError {
        IoError::Broken { path: self.path.to_path_buf(), place: place.into(), problem }
    }

    /// The folder of a node; `None` where the path is none that a node may have.
    fn folder(&self, place: &str) -> Option<PathBuf> {
        let place = place.trim_matches('/');
        let mut names = place.split('/').filter(|_| !place.is_empty());
        names.try_fold(self.path.to_path_buf(), |folder, name| {
            let is_name = check_name(name).is_ok() && !name.contains('\\');
            is_name.then(|| folder.join(name))
        })
    }

    fn node_meta(
        &self,
        place: &str,
        folder: &Path,
    ) -> Result<Option<(NodeMeta, Vec<u8>)>, IoError> {
        let Some(json) = self.read(place, &folder.join(NODE), MAX_META)? else { return Ok(None) };
        let meta = serde_json::from_slice(&json)
            .map_err(|e| self.broken(place, format!("{NODE}: {e}")))?;
        Ok(Some((meta, json)))
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn attr(value: &Value) -> Option<Attr> {
    let whole = |v: f64| (v.fract() == 0.0 && v.abs() < MAX_WHOLE).then_some(v as i64);
    let integer = |value: &Value| {
        let integer = value.as_i64().or_else(|| value.as_bool().map(i64::from));
        integer.or_else(|| whole(value.as_f64()?))
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    Some(match value {
        Value::Array(values) => match values.iter().map(text).collect() {
            Some(texts) => Attr::Texts(texts),
            None => Attr::Integers(values.iter().map(integer).collect::<Option<_>>()?),
        },
        Value::String(text) => Attr::Texts(vec![text.clone()]),
        value => Attr::Integers(vec![integer(value)?]),
    })
}
