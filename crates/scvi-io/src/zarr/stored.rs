//! How much of an array is in the store, against the size that its metadata claim.
//!
//! A line of metadata can claim any size, and what was never written reads as the fill value. So a
//! claim is believed as far as there are chunks for it, and a chunk as far as its file could unpack
//! to it at best.

use std::fs;
use std::path::Path;

use super::meta::ArrayMeta;

/// Bytes that an array may have beyond what is stored.
const UNWRITTEN: u64 = 1 << 16;

/// The chunks of an array that are there.
#[derive(Debug, Default)]
pub(super) struct Stored {
    chunks: u64,
    largest: u64,
}

impl Stored {
    /// Counts the chunks in an array's folder, those in folders of numbers included.
    pub(super) fn count(folder: &Path, rank: usize) -> std::io::Result<Self> {
        let mut stored = Self::default();
        stored.add(folder, rank + 1)?;
        Ok(stored)
    }

    fn add(&mut self, folder: &Path, depth: usize) -> std::io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_key = |b: &u8| b.is_ascii_digit() || matches!(b, b'.' | b'c');
            if !name.as_encoded_bytes().iter().all(is_key) {
                continue;
            }
            let meta = fs::metadata(entry.path())?;
            if meta.is_dir() && depth > 0 {
                self.add(&entry.path(), depth - 1)?;
            } else if meta.is_file() {
                self.chunks += 1;
                self.largest = self.largest.max(meta.len());
            }
        }
        Ok(())
    }

    /// Whether the store justifies the size of an array; what it claims and has otherwise.
    pub(super) fn check(&self, meta: &ArrayMeta) -> Result<(), String> {
        if meta.codecs.is_err() {
            // Its chunks are not read at all.
            return Ok(());
        }
        let most = || {
            let chunk = meta.chunk_bytes()?;
            // A chunk that cannot be unpacked is refused when it is read.
            let chunk = chunk.min(unpacked_at_best(meta, self.largest));
            Some(chunk.saturating_mul(self.chunks).saturating_add(UNWRITTEN))
        };
        match (meta.whole_bytes(), most()) {
            (Some(whole), Some(most)) if whole <= most => Ok(()),
            _ => Err(format!(
                "shape {:?}, chunks {:?}, of which {} are there, of {} bytes at most",
                meta.grid.shape, meta.grid.chunk, self.chunks, self.largest
            )),
        }
    }
}

/// The most bytes that a chunk in a file of so many may unpack to.
pub(super) fn unpacked_at_best(meta: &ArrayMeta, packed: u64) -> u64 {
    let codecs = meta.codecs.iter().flatten();
    codecs.fold(packed, |n, codec| n.saturating_mul(codec.expansion()))
}
