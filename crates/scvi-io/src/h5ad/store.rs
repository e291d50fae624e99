//! An open HDF5 file: objects by path, every error with its place.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use hdf5_pure::{Error as H5Error, File, FormatError, Group};

use super::array::Array;
use super::attrs::attrs_of;
use super::format::{Blocks, Superblock, find_signature};
use super::links::LinkCache;
use super::source::{FileSource, LibrarySource};
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
#[derive(Clone)]
pub(crate) struct Store {
    open: Arc<Open>,
    /// The group that places are below, with a slash behind it; empty for the file's root.
    root: Arc<str>,
}

struct Open {
    path: Box<Path>,
    /// As the HDF5 library reads it.
    file: File,
    source: Arc<FileSource>,
    superblock: Superblock,
    links: LinkCache,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("path", &self.open.path).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens a file whose superblock stands at its beginning, or behind a user block.
    pub(crate) fn open(path: &Path) -> Result<Self, IoError> {
        let os = |e| IoError::os("read", path, e);
        let handle = fs::File::open(path).map_err(os)?;
        if !handle.metadata().map_err(os)?.is_file() {
            return Err(IoError::NotHdf5 { path: path.into() });
        }
        let source = Arc::new(FileSource::new(handle).map_err(os)?);
        let Some(base) = find_signature(&source).map_err(os)? else {
            return Err(IoError::NotHdf5 { path: path.into() });
        };
        let broken = |problem| {
            let place = "the file".to_owned();
            IoError::Broken { path: path.into(), place, problem }
        };
        let superblock = Superblock::read(&source, base).map_err(broken)?;
        if superblock.end > source.length() {
            let (found, expected) = (source.length(), superblock.end);
            return Err(broken(format!("it is cut off, {found} of {expected} bytes are there")));
        }
        let of_library = LibrarySource::new(source.clone(), superblock);
        let file = File::from_source(of_library).map_err(|source| IoError::Hdf5 {
            path: path.into(),
            place: "the file".into(),
            source: Box::new(source),
        })?;
        let links = LinkCache::default();
        let open = Open { path: path.into(), file, source, superblock, links };
        Ok(Self { open: Arc::new(open), root: "".into() })
    }

    /// Where the file lies.
    pub(crate) fn path(&self) -> &Path {
        &self.open.path
    }

    /// The same file with a group of it for its root.
    pub(crate) fn below(&self, group: &str) -> Self {
        Self { root: format!("{}{group}/", self.root).into(), ..self.clone() }
    }

    /// A place as the file has it.
    pub(super) fn absolute(&self, place: &str) -> String {
        format!("{}{place}", self.root)
    }

    /// The file's length in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.open.source.length()
    }

    /// The most bytes that a data set with filters of unknown strength may unpack to.
    pub(crate) fn size_limit(&self) -> u64 {
        self.size().saturating_mul(1100).saturating_add(1 << 20)
    }

    /// The file's structures.
    pub(super) fn blocks(&self) -> Blocks<'_> {
        Blocks::new(&self.open.source, &self.open.superblock)
    }

    /// Bytes of the file; what is wrong otherwise.
    pub(super) fn bytes(&self, at: u64, n: u64) -> Result<Vec<u8>, String> {
        self.open.source.read(at, n).map_err(|e| e.to_string())
    }

    /// Where the superblock stands, from which addresses count.
    pub(super) fn base(&self) -> u64 {
        self.open.superblock.base
    }

    /// Where the file ends, if the superblock says that it stands elsewhere than it does.
    pub(super) fn end_if_moved(&self) -> Option<u64> {
        self.open.superblock.is_moved.then_some(self.open.superblock.end)
    }

    /// Whether addresses and lengths are of eight bytes, as everybody writes them.
    pub(super) fn has_wide_addresses(&self) -> bool {
        let Superblock { offset_size, length_size, .. } = self.open.superblock;
        (offset_size, length_size) == (8, 8)
    }

    /// The address of the header that extends the superblock.
    pub(super) fn extension(&self) -> Option<u64> {
        self.open.superblock.extension
    }

    /// The address of the file's root group.
    pub(super) fn root_address(&self) -> u64 {
        self.open.superblock.root
    }

    pub(super) fn link_cache(&self) -> &LinkCache {
        &self.open.links
    }

    /// What stands at `place`.
    pub(crate) fn node(&self, place: &str) -> Result<Node, IoError> {
        let Some(located) = self.locate(place)? else { return Ok(Node::Missing) };
        match self.open.file.group(&located.path) {
            Ok(group) => Ok(Node::Group(group)),
            Err(H5Error::NotAGroup(_)) => match self.open.file.dataset(&located.path) {
                Ok(dataset) => Ok(Node::Array(Array::new(self, place, located.address, dataset)?)),
                // A type that has a name.
                Err(H5Error::NotADataset(_)) => Ok(Node::Missing),
                Err(source) => Err(self.broken(place, source)),
            },
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
        match self.node(place)? {
            Node::Group(group) => {
                group.attrs().map(attrs_of).map_err(|source| self.broken(place, source))
            }
            Node::Array(_) => Err(self.structure(place, "a group", "a data set")),
            Node::Missing => Err(self.structure(place, "a group", "nothing")),
        }
    }

    /// Names of a group's members, sorted; none where the group is missing.
    pub(crate) fn members(&self, place: &str) -> Result<Vec<String>, IoError> {
        Ok(self.links(place)?.iter().map(|link| link.name.clone()).collect())
    }

    /// An error from the HDF5 library, with its place.
    pub(crate) fn broken(&self, place: &str, source: H5Error) -> IoError {
        match source {
            H5Error::Format(FormatError::UnsupportedExternalStorage) => {
                self.other_file(place, "stored in other files (external storage)".into())
            }
            H5Error::Format(FormatError::UnsupportedVirtualLayout) => {
                self.other_file(place, "put together from other data sets (virtual)".into())
            }
            H5Error::Format(FormatError::InvalidLayoutVersion(version)) => {
                self.unread(place, format!("has a layout of version {version}"), false)
            }
            source => {
                let path = self.path().to_path_buf();
                IoError::Hdf5 { path, place: place.into(), source: Box::new(source) }
            }
        }
    }

    /// The error that something cannot be read.
    pub(super) fn cannot_read(&self, place: &str, problem: String) -> IoError {
        IoError::Broken { path: self.path().to_path_buf(), place: place.into(), problem }
    }

    /// The error that a feature of HDF5 is not read.
    pub(super) fn unread(&self, place: &str, feature: String, needs_plugins: bool) -> IoError {
        let (path, place) = (self.path().to_path_buf(), place.into());
        IoError::Unread { path, place, feature, needs_plugins }
    }

    /// The error that something lies in another file.
    pub(super) fn other_file(&self, place: &str, what: String) -> IoError {
        IoError::OtherFile { path: self.path().to_path_buf(), place: place.into(), what }
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
