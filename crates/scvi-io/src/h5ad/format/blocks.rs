//! Bytes of the file by address, and numbers in them.

use super::Superblock;
use crate::h5ad::source::FileSource;
use crate::h5ad::superblock::lookup3;

const OTHER_CHECKSUM: &str = "a structure has another checksum";

/// Reads blocks of an open file, whose addresses count from the superblock.
#[derive(Debug, Clone, Copy)]
pub(in crate::h5ad) struct Blocks<'a> {
    source: &'a FileSource,
    superblock: &'a Superblock,
}

impl<'a> Blocks<'a> {
    /// Of a file with this superblock.
    pub(in crate::h5ad) fn new(source: &'a FileSource, superblock: &'a Superblock) -> Self {
        Self { source, superblock }
    }

    /// The superblock.
    pub(super) fn superblock(&self) -> &'a Superblock {
        self.superblock
    }

    /// The file's length in bytes.
    pub(super) fn file_length(&self) -> u64 {
        self.source.length()
    }

    /// Where in the file an address lies.
    pub(in crate::h5ad) fn position(&self, address: u64) -> Result<u64, String> {
        let position = address.checked_add(self.superblock.base);
        position.ok_or_else(|| format!("the address {address} is none"))
    }

    /// `n` bytes from an address on.
    pub(in crate::h5ad) fn read(&self, address: u64, n: u64) -> Result<Block, String> {
        let position = self.position(address)?;
        let bytes = self.source.read(position, n).map_err(|e| e.to_string())?;
        Ok(self.part(bytes))
    }

    /// `n` bytes from an address on, behind which stands their checksum.
    pub(super) fn read_checked(&self, address: u64, n: u64) -> Result<Block, String> {
        let mut block = self.read(address, n.checked_add(4).ok_or("a structure has no end")?)?;
        let sum = block.bytes.split_off(n as usize);
        block.check(&sum)?;
        Ok(block)
    }

    /// Bytes that were read otherwise, to be taken apart.
    pub(super) fn part(&self, bytes: Vec<u8>) -> Block {
        let Superblock { offset_size, length_size, .. } = *self.superblock;
        Block { bytes, at: 0, offset_size, length_size }
    }

    /// `n` bytes from an address on, which must begin with a signature; read behind it.
    pub(super) fn read_signed(
        &self,
        address: u64,
        n: u64,
        signature: &[u8; 4],
    ) -> Result<Block, String> {
        let mut block = self.read(address, n)?;
        block.expect(signature)?;
        Ok(block)
    }
}

/// Bytes that are read from front to back.
#[derive(Debug, Clone)]
pub(in crate::h5ad) struct Block {
    bytes: Vec<u8>,
    at: usize,
    offset_size: usize,
    length_size: usize,
}

impl Block {
    /// Bytes that are left.
    pub(super) fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Bytes that were read.
    pub(in crate::h5ad) fn read_bytes(&self) -> usize {
        self.at
    }

    /// All bytes, those that were read included.
    pub(in crate::h5ad) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// The next `n` bytes.
    pub(super) fn take(&mut self, n: usize) -> Result<&[u8], String> {
        let bytes = self.bytes.get(self.at..).and_then(|rest| rest.get(..n));
        let bytes = bytes.ok_or("a structure is cut off")?;
        self.at += n;
        Ok(bytes)
    }

    /// Passes over `n` bytes.
    pub(super) fn skip(&mut self, n: usize) -> Result<(), String> {
        self.take(n).map(drop)
    }

    /// The next byte.
    pub(super) fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    /// A number of at most eight bytes, the low ones first.
    pub(super) fn number(&mut self, width: usize) -> Result<u64, String> {
        let bytes = self.take(width)?;
        Ok(bytes.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)))
    }

    /// An address; `None` where there is none.
    pub(super) fn address(&mut self) -> Result<Option<u64>, String> {
        let undefined = u64::MAX >> (64 - 8 * self.offset_size);
        Ok(Some(self.number(self.offset_size)?).filter(|&address| address != undefined))
    }

    /// A length.
    pub(super) fn length(&mut self) -> Result<u64, String> {
        self.number(self.length_size)
    }

    /// Checks that the checksum of what was read stands next.
    pub(super) fn expect_checksum(&mut self) -> Result<(), String> {
        let sum = self.bytes.get(self.at..self.at + 4).ok_or("a structure is cut off")?;
        if lookup3(&self.bytes[..self.at]).to_le_bytes() != *sum {
            return Err(OTHER_CHECKSUM.into());
        }
        self.skip(4)
    }

    fn check(&self, sum: &[u8]) -> Result<(), String> {
        match lookup3(&self.bytes).to_le_bytes() == *sum {
            true => Ok(()),
            false => Err(OTHER_CHECKSUM.into()),
        }
    }

    /// Checks that the next bytes are these.
    pub(super) fn expect(&mut self, signature: &[u8]) -> Result<(), String> {
        let found = self.take(signature.len())?;
        if found == signature {
            return Ok(());
        }
        let [found, expected] = [found, signature].map(String::from_utf8_lossy);
        Err(format!("a structure begins with {found:?}, not with {expected:?}"))
    }
}

/// The width of the numbers that the C library stores up to `limit` (`H5VM_limit_enc_size`).
pub(super) fn width_of(limit: u64) -> usize {
    limit.checked_ilog2().unwrap_or(0) as usize / 8 + 1
}
