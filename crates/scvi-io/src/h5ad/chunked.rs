//! Arrays in chunks that the HDF5 library does not read, because of their filters or their index.

use std::ops::Range;

use hdf5_pure::Dataset;

use super::filters::{Pipeline, UnknownFilter};
use super::format::{ChunkedHeader, StoredChunk};
use super::store::Store;
use crate::IoError;
use crate::chunk_grid::{Bytes, ChunkCache, ChunkGrid, Chunks};
use crate::element::Number;

/// An array in chunks, which are unpacked here.
pub(super) struct Chunked {
    store: Store,
    place: String,
    grid: ChunkGrid,
    is_big_endian: bool,
    /// Bytes of an element.
    width: u64,
    /// The chunks that were written, by their number.
    stored: Vec<StoredChunk>,
    /// What undoes their filters; otherwise the filter that is not known.
    pipeline: Result<Pipeline, UnknownFilter>,
    has_plain_edges: bool,
    /// An element that was never written; nothing where it is zero.
    fill: Vec<u8>,
    cache: ChunkCache,
}

impl Chunked {
    /// Of a data set and what was found out about it.
    pub(super) fn new(
        store: &Store,
        place: &str,
        dataset: &Dataset,
        header: ChunkedHeader,
        (grid, is_big_endian, width): (ChunkGrid, bool, u64),
        mut stored: Vec<StoredChunk>,
    ) -> Result<Self, IoError> {
        stored.sort_unstable_by_key(|chunk| chunk.number);
        let mut fill = header.fill.unwrap_or_default();
        if !fill.is_empty() && fill.len() as u64 != width {
            let expected = format!("a fill value of {width} bytes");
            return Err(store.structure(place, expected, fill.len().to_string()));
        }
        if is_big_endian {
            grid.data_type.reverse_bytes(&mut fill);
        }
        Ok(Self {
            store: store.clone(),
            place: place.to_owned(),
            grid,
            is_big_endian,
            width,
            stored,
            pipeline: Pipeline::new(&dataset.filter_pipeline()),
            has_plain_edges: header.has_plain_edges,
            fill,
            cache: ChunkCache::default(),
        })
    }

    /// The bytes of the file in which chunks lie.
    pub(super) fn stored_ranges(&self) -> Vec<Range<u64>> {
        self.stored.iter().map(|chunk| chunk.position..chunk.position + chunk.size).collect()
    }

    /// The values of whole rows.
    pub(super) fn rows<T: Number>(&self, start: u64, rows: u64) -> Result<Vec<T>, IoError> {
        let n = *self.grid.shape.first().unwrap_or(&0);
        let end = start.saturating_add(rows).min(n);
        self.grid.rows(start.min(end)..end, self)
    }

    /// The bytes of all elements of an array of one dimension; zeros where they were never written.
    pub(super) fn raw(&self) -> Result<Vec<u8>, IoError> {
        let (&[n], &[chunk]) = (&self.grid.shape[..], &self.grid.chunk[..]) else {
            let found = format!("shape {:?}", self.grid.shape);
            return Err(self.store.structure(&self.place, "one dimension", found));
        };
        let mut raw = Vec::new();
        for k in 0..n.div_ceil(chunk) {
            let count = (chunk.min(n - k * chunk) * self.width) as usize;
            match self.load(&[k])? {
                Some(bytes) => raw.extend(&bytes[..count]),
                None => raw.resize(raw.len() + count, 0),
            }
        }
        Ok(raw)
    }

    /// Reads and unpacks a chunk.
    fn load(&self, index: &[u64]) -> Result<Option<Vec<u8>>, IoError> {
        let ChunkGrid { shape, chunk, data_type, .. } = &self.grid;
        let along = index.iter().zip(shape).zip(chunk);
        let number = along.clone().fold(0, |all, ((&k, &n), &edge)| all * n.div_ceil(edge) + k);
        let Ok(at) = self.stored.binary_search_by_key(&number, |chunk| chunk.number) else {
            return Ok(None);
        };
        let stored = self.stored[at];
        let broken = |problem| self.store.cannot_read(&self.place, problem);
        let pipeline = self.pipeline.as_ref().map_err(|filter| {
            let feature = format!("is compressed by the filter {}", filter.name);
            self.store.unread(&self.place, feature, filter.is_plugin)
        })?;
        let is_edge = along.clone().any(|((&k, &n), &edge)| (k + 1) * edge > n);
        let skipped = if is_edge && self.has_plain_edges { u32::MAX } else { stored.skipped };
        // The chunk was held to what its bytes can unpack to.
        let size = chunk.iter().product::<u64>() * self.width;
        let packed = self.store.bytes(stored.position, stored.size).map_err(broken)?;
        let mut bytes = pipeline.unpack(packed, skipped, size as usize).map_err(broken)?;
        if self.is_big_endian {
            data_type.reverse_bytes(&mut bytes);
        }
        Ok(Some(bytes))
    }
}

impl Chunks for Chunked {
    fn chunk(&self, index: &[u64]) -> Result<Option<Bytes>, IoError> {
        self.cache.get_or_load(index, || self.load(index))
    }

    fn fill(&self) -> Result<&[u8], IoError> {
        Ok(&self.fill)
    }
}
