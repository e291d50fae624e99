//! The superblock: where the file's data begins, and how wide addresses are.

use std::io;

use crate::h5ad::source::FileSource;

/// What an HDF5 file begins with, or its data behind a user block.
pub(in crate::h5ad) const SIGNATURE: &[u8; 8] = b"\x89HDF\r\n\x1a\n";

/// What other structures need of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::h5ad) struct Superblock {
    /// Where it stands, from which addresses count.
    pub(in crate::h5ad) base: u64,
    /// Bytes of an address.
    pub(in crate::h5ad) offset_size: usize,
    /// Bytes of a length.
    pub(in crate::h5ad) length_size: usize,
    /// Address of the root group's object header.
    pub(in crate::h5ad) root: u64,
    /// Address of the object header that holds what has no place here.
    pub(in crate::h5ad) extension: Option<u64>,
    /// Where the file ends.
    pub(in crate::h5ad) end: u64,
    /// Whether it says that it stands elsewhere: a user block was put before it or taken away.
    pub(in crate::h5ad) is_moved: bool,
}

/// Where the signature stands: at the beginning, or behind a user block of 512 bytes or twice that,
/// and so on.
pub(in crate::h5ad) fn find_signature(source: &FileSource) -> io::Result<Option<u64>> {
    let mut at = 0;
    while at + SIGNATURE.len() as u64 <= source.length() {
        if source.read(at, SIGNATURE.len() as u64)? == SIGNATURE {
            return Ok(Some(at));
        }
        at = (2 * at).max(512);
    }
    Ok(None)
}

impl Superblock {
    /// Reads the superblock whose signature stands at `base`.
    pub(in crate::h5ad) fn read(source: &FileSource, base: u64) -> Result<Self, String> {
        let rest = source.length() - base;
        let head = source.read(base, rest.min(104)).map_err(|e| e.to_string())?;
        let byte = |at: usize| head.get(at).copied().ok_or("the superblock is cut off");
        let version = byte(8)?;
        let (sizes, at) = match version {
            0 => (13, 24),
            1 => (13, 28),
            2 | 3 => (9, 12),
            other => return Err(format!("a superblock of version {other}")),
        };
        let (offset_size, length_size) = (usize::from(byte(sizes)?), usize::from(byte(sizes + 1)?));
        if ![2, 4, 8].contains(&offset_size) || ![2, 4, 8].contains(&length_size) {
            return Err(format!("addresses of {offset_size} and lengths of {length_size} bytes"));
        }
        let address = |k: usize| -> Result<u64, String> {
            let bytes = head.get(at + k * offset_size..).and_then(|rest| rest.get(..offset_size));
            let bytes = bytes.ok_or("the superblock is cut off")?;
            Ok(bytes.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)))
        };
        let undefined = u64::MAX >> (64 - 8 * offset_size);
        // Four addresses: of the base, two of other things, and in the new form of the root. In the
        // old form the root's entry of a symbol table follows them: its name, then its header.
        let (root, extension) = match version {
            0 | 1 => (address(5)?, None),
            _ => (address(3)?, Some(address(1)?).filter(|&a| a != undefined)),
        };
        let end = address(2)?.wrapping_sub(address(0)?).wrapping_add(base);
        let is_moved = address(0)? != base;
        Ok(Self { base, offset_size, length_size, root, extension, end, is_moved })
    }
}
