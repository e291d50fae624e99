//! How much of a data set is in the file, against the size that its header claims.
//!
//! A header of a hundred bytes can claim any size, and the HDF5 library makes room for what is
//! claimed. So a claim is believed as far as the file holds bytes for it: without compression as
//! many, with it as many as these could unpack to at best.

use hdf5_pure::{Chunk, Dataset, Layout};

use super::store::Store;
use crate::IoError;

/// Bytes that a data set may have beyond what is stored: never written, they read as zeros.
const UNWRITTEN: u64 = 1 << 16;

/// What a chunk takes in the file at least, its place in the index included. A data set of more
/// chunks than fit would need more memory for the list of them than the file has bytes.
const CHUNK_BYTES: u64 = 64;

/// What a filter unpacks one byte to, at best; `None` where that is not known.
fn expansion(filter: u16) -> Option<u64> {
    match filter {
        // Deflate: 258 bytes from 2 bits, as zlib's documentation says.
        1 => Some(1032),
        // Shuffle and fletcher32 take nothing away.
        2 | 3 => Some(1),
        // LZF: 264 bytes from 3.
        32_000 => Some(88),
        _ => None,
    }
}

/// The size that a header claims.
pub(super) struct Claim<'a> {
    /// Path inside the file.
    pub(super) place: &'a str,
    /// Length of each dimension.
    pub(super) shape: &'a [u64],
    /// Length of each dimension of a chunk.
    pub(super) chunk: Option<&'a [u64]>,
    /// Bytes of a value.
    pub(super) width: u64,
}

impl Claim<'_> {
    /// Refuses what the file cannot hold.
    pub(super) fn check(&self, store: &Store, dataset: &Dataset) -> Result<(), IoError> {
        let Some((whole, chunk)) = self.bytes(self.shape).zip(self.chunk_bytes()) else {
            return Err(self.too_large(store));
        };
        let most = match dataset.layout().map_err(|source| store.broken(self.place, source))? {
            Layout::Compact { size } => size,
            Layout::Contiguous { address: Some(at), size } => {
                self.check_place(store, "values", at, size)?;
                size
            }
            Layout::Chunked { .. } => self.chunks(store, dataset, chunk)?,
            // Never written, or in other files.
            _ => 0,
        };
        if whole > most.saturating_add(UNWRITTEN) {
            return Err(self.too_large(store));
        }
        Ok(())
    }

    fn bytes(&self, dims: &[u64]) -> Option<u64> {
        dims.iter().try_fold(self.width, |n, &d| n.checked_mul(d))
    }

    fn chunk_bytes(&self) -> Option<u64> {
        self.chunk.map_or(Some(0), |dims| self.bytes(dims))
    }

    /// The most bytes that the stored chunks unpack to.
    fn chunks(&self, store: &Store, dataset: &Dataset, chunk: u64) -> Result<u64, IoError> {
        let edges = self.chunk.unwrap_or_default();
        let along = |(&n, &edge): (&u64, &u64)| n.div_ceil(edge.max(1));
        let grid = self.shape.iter().zip(edges).map(along).try_fold(1_u64, u64::checked_mul);
        if grid.is_none_or(|n| n > store.size() / CHUNK_BYTES + UNWRITTEN) {
            return Err(self.too_large(store));
        }
        let chunks = dataset.chunks().map_err(|source| store.broken(self.place, source))?;
        let factor = dataset
            .filters()
            .into_iter()
            .map(expansion)
            .try_fold(1_u64, |all, one| all.checked_mul(one?));
        let stored = |chunk: &Chunk| chunk.storage_size;
        if chunks.iter().map(stored).fold(0, u64::saturating_add) > store.size() {
            return Err(self.too_large(store));
        }
        for c in &chunks {
            self.check_place(store, "chunks", c.address, c.storage_size)?;
            let most = factor.map_or(store.size_limit(), |n| n.saturating_mul(c.storage_size));
            if chunk > most {
                return Err(store.structure(
                    self.place,
                    format!("chunks of {chunk} bytes each"),
                    format!("one of {} bytes, which unpack to {most} at most", c.storage_size),
                ));
            }
        }
        Ok(chunk.saturating_mul(chunks.len() as u64))
    }

    /// The library makes room for what it reads before it looks whether the file goes that far.
    fn check_place(&self, store: &Store, what: &str, at: u64, n: u64) -> Result<(), IoError> {
        if at.checked_add(n).is_some_and(|end| end <= store.size()) {
            return Ok(());
        }
        let expected = format!("{what} within the {} bytes of the file", store.size());
        Err(store.structure(self.place, expected, format!("{n} bytes at {at}")))
    }

    fn too_large(&self, store: &Store) -> IoError {
        store.structure(
            self.place,
            "a data set that fits into the file",
            format!("shape {:?}, chunks {:?} in {} bytes", self.shape, self.chunk, store.size()),
        )
    }
}
