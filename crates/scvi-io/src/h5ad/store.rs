//! An open HDF5 file: objects by path, every error with its place.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use hdf5_pure::{Error as H5Error, File, FormatError, Group};

use super::array::Array;
use super::attrs::attrs_of;
use crate::IoError;
use crate::anndata::{Attrs, structure};

/// What stands at a path inside the file.
pub(crate) enum Node {
    /// A group.
    Group(Group),
    /// A data set.
    Array(Array),
    /// Nothing.
    Missing,
}

/// An HDF5 file opened for reading, piece by piece. A clone is the same open file.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    path: Arc<Path>,
    file: Arc<File>,
    size: u64,
    /// The group that places are below, with a slash behind it; empty for the file's root.
    root: Arc<str>,
}

impl Store {
    /// Opens a file, after a look at its first bytes.
    pub(crate) fn open(path: &Path) -> Result<Self, IoError> {
        let io = |e| IoError::os("read", path, e);
        let mut handle = fs::File::open(path).map_err(io)?;
        let meta = handle.metadata().map_err(io)?;
        if meta.is_dir() {
            return Err(IoError::NotHdf5 { path: path.into() });
        }
        let mut magic = [0; 8];
        let complete = handle.read_exact(&mut magic).is_ok();
        if !complete || &magic != b"\x89HDF\r\n\x1a\n" {
            return Err(IoError::NotHdf5 { path: path.into() });
        }
        let file = File::open_streaming(path).map_err(|source| IoError::Hdf5 {
            path: path.into(),
            place: "the file".into(),
            source: Box::new(source),
        })?;
        Ok(Self { path: path.into(), file: Arc::new(file), size: meta.len(), root: "".into() })
    }

    /// Where the file lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The same file with a group of it for its root.
    pub(crate) fn below(&self, group: &str) -> Self {
        Self { root: format!("{}{group}/", self.root).into(), ..self.clone() }
    }

    /// A place as the file has it.
    fn absolute(&self, place: &str) -> String {
        format!("{}{place}", self.root)
    }

    /// The file's length in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// The most bytes that a data set with filters of unknown strength may unpack to.
    pub(crate) fn size_limit(&self) -> u64 {
        self.size.saturating_mul(1100).saturating_add(1 << 20)
    }

    /// What stands at `place`.
    pub(crate) fn node(&self, place: &str) -> Result<Node, IoError> {
        let absolute = self.absolute(place);
        match self.file.group(&absolute) {
            Ok(group) => Ok(Node::Group(group)),
            Err(H5Error::NotAGroup(_)) => match self.file.dataset(&absolute) {
                Ok(dataset) => Ok(Node::Array(Array::new(self, place, dataset)?)),
                Err(H5Error::Format(FormatError::PathNotFound(_))) => Ok(Node::Missing),
                Err(source) => Err(self.broken(place, source)),
            },
            Err(H5Error::Format(FormatError::PathNotFound(_))) => Ok(Node::Missing),
            Err(source) => Err(self.broken(place, source)),
        }
    }

    /// The data set at `place`.
    pub(crate) fn array(&self, place: &str) -> Result<Array, IoError> {
        match self.node(place)? {
            Node::Array(array) => Ok(array),
            Node::Group(_) => Err(self.structure(place, "a data set", "a group")),
            Node::Missing => Err(self.structure(place, "a data set", "nothing")),
        }
    }

    /// The attributes of the group at `place`.
    pub(crate) fn attrs(&self, place: &str) -> Result<Attrs, IoError> {
        let attrs = self.file.group(&self.absolute(place)).and_then(|group| group.attrs());
        attrs.map(attrs_of).map_err(|source| self.broken(place, source))
    }

    /// Names of a group's members, sorted; none where the group is missing.
    pub(crate) fn members(&self, place: &str) -> Result<Vec<String>, IoError> {
        let Node::Group(group) = self.node(place)? else { return Ok(Vec::new()) };
        let mut names = group.groups().map_err(|source| self.broken(place, source))?;
        names.extend(group.datasets().map_err(|source| self.broken(place, source))?);
        names.sort_unstable();
        Ok(names)
    }

    /// An error from the HDF5 library, with its place.
    pub(crate) fn broken(&self, place: &str, source: H5Error) -> IoError {
        IoError::Hdf5 {
            path: self.path().to_path_buf(),
            place: place.into(),
            source: Box::new(source),
        }
    }

    /// The error that something is not as the format says.
    pub(crate) fn structure(
        &self,
        place: &str,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> IoError {
        structure(&self.path, place, expected, found)
    }
}
