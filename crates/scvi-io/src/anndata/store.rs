//! An open file of either kind: objects by path, every error with its place.

use std::path::Path;

use super::array::{Array, Source};
use super::attrs::Attrs;
use crate::{IoError, h5ad, zarr};

/// What stands at a path inside the file.
pub(crate) enum Node {
    /// A group.
    Group,
    /// An array.
    Array(Array),
    /// Nothing.
    Missing,
}

/// A file opened for reading, piece by piece. A clone is the same open file.
#[derive(Debug, Clone)]
pub(crate) enum Store {
    /// An HDF5 file.
    Hdf5(h5ad::store::Store),
    /// A zarr store.
    Zarr(zarr::store::Store),
}

impl Store {
    /// Opens what lies at a path: a folder is a zarr store.
    pub(crate) fn open(path: &Path) -> Result<Self, IoError> {
        if path.is_dir() {
            return zarr::store::Store::open(path).map(Self::Zarr);
        }
        h5ad::store::Store::open(path).map(Self::Hdf5)
    }

    /// The same file with a group of it for its root; a zarr store has no such groups.
    pub(crate) fn below(&self, group: &str) -> Self {
        match self {
            Self::Hdf5(store) => Self::Hdf5(store.below(group)),
            Self::Zarr(store) => Self::Zarr(store.clone()),
        }
    }

    /// Where the file lies.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Hdf5(store) => store.path(),
            Self::Zarr(store) => store.path(),
        }
    }

    /// What stands at `place`.
    pub(crate) fn node(&self, place: &str) -> Result<Node, IoError> {
        let array = |source| Node::Array(Array::new(self, source));
        match self {
            Self::Hdf5(store) => Ok(match store.node(place)? {
                h5ad::store::Node::Group(_) => Node::Group,
                h5ad::store::Node::Array(a) => array(Source::Hdf5(a.into())),
                h5ad::store::Node::Missing => Node::Missing,
            }),
            Self::Zarr(store) => Ok(match store.node(place)? {
                zarr::store::Node::Group => Node::Group,
                zarr::store::Node::Array(a) => array(Source::Zarr(a)),
                zarr::store::Node::Missing => Node::Missing,
            }),
        }
    }

    /// The array at `place`.
    pub(crate) fn array(&self, place: &str) -> Result<Array, IoError> {
        match self.node(place)? {
            Node::Array(array) => Ok(array),
            Node::Group => Err(self.structure(place, "an array", "a group")),
            Node::Missing => Err(self.structure(place, "an array", "nothing")),
        }
    }

    /// The attributes of the group at `place`.
    pub(crate) fn attrs(&self, place: &str) -> Result<Attrs, IoError> {
        match self {
            Self::Hdf5(store) => store.attrs(place),
            Self::Zarr(store) => store.attrs(place),
        }
    }

    /// Names of a group's members, sorted; none where the group is missing.
    pub(crate) fn members(&self, place: &str) -> Result<Vec<String>, IoError> {
        match self {
            Self::Hdf5(store) => store.members(place),
            Self::Zarr(store) => store.members(place),
        }
    }

    /// The error that something is not as the format says.
    pub(crate) fn structure(
        &self,
        place: &str,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> IoError {
        structure(self.path(), place, expected, found)
    }
}

/// The error that something in a file is not as the format says.
pub(crate) fn structure(
    path: &Path,
    place: &str,
    expected: impl Into<String>,
    found: impl Into<String>,
) -> IoError {
    let (expected, found) = (expected.into(), found.into());
    IoError::Structure { path: path.into(), place: place.into(), expected, found }
}
