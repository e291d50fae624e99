//! How much of a data set is in the file, against the size that its header claims.
//!
//! A header of a hundred bytes can claim any size, and the HDF5 library allocates what is
//! claimed. So a claim is believed as far as the file holds bytes for it: without compression as
//! many, with it as many as these could unpack to at best.

use hdf5_pure::{Dataset, Layout};

use super::filters::expansion;
use super::format::{ChunkedHeader, StoredChunk};
use super::store::Store;
use crate::IoError;

/// Bytes that a data set may have beyond what is stored: never written, they read as zeros.
const UNWRITTEN: u64 = 1 << 16;

/// What a chunk takes in the file at least, its place in the index included. A data set of more
/// chunks than fit would need more memory for the list of them than the file has bytes.
const CHUNK_BYTES: u64 = 64;

/// The size that a header claims.
pub(super) struct Claim<'a> {
    /// Path inside the file.
    pub(super) place: &'a str,
    /// Length of each dimension.
    pub(super) shape: &'a [u64],
    /// Bytes of a value.
    pub(super) width: u64,
}

impl Claim<'_> {
    /// Refuses what the file cannot hold of an array that is not in chunks.
    pub(super) fn check(&self, store: &Store, layout: &Layout) -> Result<(), IoError> {
        let most = match *layout {
            Layout::Compact { size } => size,
            Layout::Contiguous { address: Some(at), size } => {
                self.check_place(store, "values", at, size)?;
                size
            }
            // Never written, or in other files.
            _ => 0,
        };
        self.check_whole(store, most)
    }

    /// The chunks that are stored of an array of such chunks; refuses what they cannot hold. Those of
    /// a B-tree of version 2 are told by its `header`.
    pub(super) fn chunks(
        &self,
        store: &Store,
        dataset: &Dataset,
        chunk: &[u64],
        header: Option<&ChunkedHeader>,
    ) -> Result<Vec<StoredChunk>, IoError> {
        let along = |(&n, &edge): (&u64, &u64)| n.div_ceil(edge.max(1));
        let grid: Vec<u64> = self.shape.iter().zip(chunk).map(along).collect();
        let n = grid.iter().copied().try_fold(1_u64, u64::checked_mul);
        let bytes = self.bytes(chunk).filter(|&n| n > 0 && chunk.len() == self.shape.len());
        let (Some(_), Some(bytes)) = (n.filter(|&n| n <= most_chunks(store)), bytes) else {
            return Err(self.too_large(store));
        };
        let stored = match header.filter(|header| header.has_tree()) {
            Some(header) => header
                .chunks_of_tree(store.blocks(), &grid, bytes)
                .map_err(|problem| store.cannot_read(self.place, problem))?,
            None => self.chunks_of_library(store, dataset, chunk, &grid)?,
        };
        let factor = dataset
            .filters()
            .into_iter()
            .map(expansion)
            .try_fold(1_u64, |all, one| all.checked_mul(one?));
        if stored.iter().map(|chunk| chunk.size).fold(0, u64::saturating_add) > store.size() {
            return Err(self.too_large(store));
        }
        for chunk in &stored {
            self.check_place(store, "chunks", chunk.position, chunk.size)?;
            let most = factor.map_or(store.size_limit(), |n| n.saturating_mul(chunk.size));
            if bytes > most {
                return Err(store.structure(
                    self.place,
                    format!("chunks of {bytes} bytes each"),
                    format!("one of {} bytes, which unpack to {most} at most", chunk.size),
                ));
            }
        }
        self.check_whole(store, bytes.saturating_mul(stored.len() as u64))?;
        Ok(stored)
    }

    fn chunks_of_library(
        &self,
        store: &Store,
        dataset: &Dataset,
        chunk: &[u64],
        grid: &[u64],
    ) -> Result<Vec<StoredChunk>, IoError> {
        let chunks = dataset.chunks().map_err(|source| store.broken(self.place, source))?;
        let numbered = chunks.into_iter().filter_map(|stored| {
            let along = stored.offset.iter().zip(chunk).zip(grid);
            let number = along.clone().try_fold(0_u64, |all, ((&at, &edge), &n)| {
                all.checked_mul(n)?.checked_add(at / edge.max(1))
            })?;
            let (position, size, skipped) =
                (stored.address, stored.storage_size, stored.filter_mask);
            Some(StoredChunk { number, position, size, skipped })
        });
        Ok(numbered.collect())
    }

    fn check_whole(&self, store: &Store, most: u64) -> Result<(), IoError> {
        match self.bytes(self.shape) {
            Some(whole) if whole <= most.saturating_add(UNWRITTEN) => Ok(()),
            _ => Err(self.too_large(store)),
        }
    }

    fn bytes(&self, dims: &[u64]) -> Option<u64> {
        dims.iter().try_fold(self.width, |n, &d| n.checked_mul(d))
    }

    /// The library allocates what it reads before it looks whether the file goes that far.
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
            format!("shape {:?} in {} bytes", self.shape, store.size()),
        )
    }
}

/// The most chunks that an array in the file may have.
fn most_chunks(store: &Store) -> u64 {
    store.size() / CHUNK_BYTES + UNWRITTEN
}
