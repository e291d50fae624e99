//! The bytes of an open HDF5 file, as they are and as the HDF5 library is to see them.

use std::fs;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use hdf5_pure::{FormatError, Source};

use super::format::{Superblock, WastedTails, WideHeads, show_version_4};
use super::superblock::{HEAD, change};

/// Reads an open file at any place, from several threads at once.
#[derive(Debug)]
pub(super) struct FileSource {
    #[cfg(unix)]
    file: fs::File,
    /// Elsewhere the place of a handle belongs to all who hold it.
    #[cfg(not(unix))]
    file: Mutex<fs::File>,
    length: u64,
}

impl FileSource {
    /// Of an open file.
    pub(super) fn new(file: fs::File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        #[cfg(not(unix))]
        let file = Mutex::new(file);
        Ok(Self { file, length })
    }

    /// The file's length in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// `n` bytes from a place on; no memory is taken for bytes that the file does not have.
    pub(super) fn read(&self, at: u64, n: u64) -> io::Result<Vec<u8>> {
        if at.checked_add(n).is_none_or(|end| end > self.length) {
            let problem = format!("{n} bytes at {at} of a file of {} bytes", self.length);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, problem));
        }
        let mut bytes = vec![0; usize::try_from(n).map_err(io::Error::other)?];
        self.fill(at, &mut bytes)?;
        Ok(bytes)
    }

    #[cfg(unix)]
    fn fill(&self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, bytes, at)
    }

    #[cfg(not(unix))]
    fn fill(&self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(bytes)
    }
}

/// An open file for the HDF5 library, with three things put right that the HDF5 C library reads and
/// hdf5-pure 0.47 does not: the ends of heaps ([`WastedTails`]), layouts of version 5
/// ([`show_version_4`]), and a superblock that says that it stands elsewhere. Values of arrays are
/// read by another way and stay as they are.
pub(super) struct LibrarySource {
    file: Arc<FileSource>,
    superblock: Superblock,
    /// The bytes from the superblock on as it should be; nothing where it is right.
    head: Vec<u8>,
    mended: Mutex<(WastedTails, WideHeads)>,
}

impl LibrarySource {
    /// Of an open file with this superblock.
    pub(super) fn new(file: Arc<FileSource>, superblock: Superblock) -> Self {
        let mut head = Vec::new();
        if superblock.is_moved {
            let rest = file.length - superblock.base;
            head = file.read(superblock.base, rest.min(HEAD as u64)).unwrap_or_default();
            if change(&mut head, superblock.base, superblock.end, None).is_none() {
                head.clear();
            }
        }
        Self { file, superblock, head, mended: Mutex::default() }
    }

    /// Puts the superblock right in what was read at a place of the file.
    fn show_head(&self, at: u64, bytes: &mut [u8]) {
        let start = self.superblock.base;
        for (place, &byte) in (start..).zip(&self.head) {
            let shown = place.checked_sub(at).and_then(|at| bytes.get_mut(at as usize));
            if let Some(shown) = shown {
                *shown = byte;
            }
        }
    }
}

impl Source for LibrarySource {
    fn len(&self) -> u64 {
        self.file.length
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<(), FormatError> {
        let expected = offset.saturating_add(bytes.len() as u64);
        if expected > self.file.length {
            let [expected, available] = [expected, self.file.length].map(|n| n as usize);
            return Err(FormatError::UnexpectedEof { expected, available });
        }
        self.file.fill(offset, bytes).map_err(|e| FormatError::Source(e.to_string()))?;
        self.show_head(offset, bytes);
        Ok(())
    }

    fn read_metadata_at(&self, offset: u64, n: usize) -> Result<Vec<u8>, FormatError> {
        let mut bytes = self.read_exact_at(offset, n)?;
        let mut mended = self.mended.lock().unwrap_or_else(PoisonError::into_inner);
        let (tails, heads) = &mut *mended;
        // Sizes in heaps are lengths, which are of eight bytes but in files of other programs.
        if self.superblock.length_size == 8 {
            tails.clear(&self.file, offset, &mut bytes);
        }
        show_version_4(&self.superblock, offset, &mut bytes, heads);
        Ok(bytes)
    }
}
