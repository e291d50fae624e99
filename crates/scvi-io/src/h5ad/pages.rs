//! Files whose space is given out in pages.
//!
//! The HDF5 library does not add to such a file. Pages say where new things are put, and nothing of
//! what is there: a copy that is no longer told to keep to them is an ordinary file.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::edited_copy::cannot_copy;
use super::format::{MessageKind, ObjectHeader};
use super::store::Store;
use super::superblock::lookup3;
use crate::IoError;

/// The message's version, the usual strategy, and that free space is not remembered.
const PLAIN: [u8; 3] = [1, 0, 0];
const PAGES: u8 = 1;

/// Turns the copy of a paged file into an ordinary one (HDF5 File Format Specification 4.0, section
/// IV.A.2.x, "File Space Info Message"), and forgets the free space that a file remembers.
pub(super) fn without_pages(input: &Path, path: &Path) -> Result<(), IoError> {
    let store = Store::open(path)?;
    let Some(extension) = store.extension() else { return Ok(()) };
    let wanted = [MessageKind::FILE_SPACE_INFO];
    let header = ObjectHeader::read(store.blocks(), extension, Some(&wanted))
        .map_err(|problem| cannot_copy(input, problem))?;
    drop(store);
    let Some(message) = header.message(MessageKind::FILE_SPACE_INFO) else { return Ok(()) };
    let body = message.body.clone().into_bytes();
    let [version, strategy, remembers, ..] = body[..] else { return Ok(()) };
    if version != PLAIN[0] || (strategy != PAGES && remembers == 0) {
        return Ok(());
    }
    let write = || -> io::Result<()> {
        let mut file = fs::OpenOptions::new().read(true).write(true).open(path)?;
        file.seek(SeekFrom::Start(message.position))?;
        file.write_all(&PLAIN)?;
        // In the newer form a checksum stands behind each part of a header.
        let Some((start, length)) = message.part else { return Ok(()) };
        let mut part = vec![0; length as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut part)?;
        file.write_all(&lookup3(&part).to_le_bytes())
    };
    write().map_err(|e| IoError::os("write", path, e))
}
