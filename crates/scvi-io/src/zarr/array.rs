//! An array of the store.

use std::path::PathBuf;

use super::chunk::unpack;
use super::meta::ArrayMeta;
use super::store::Store;
use super::stored::Stored;
use crate::IoError;
use crate::anndata::{Attrs, Kind, structure};
use crate::chunk_grid::{Bytes, ChunkCache, Chunks};
use crate::element::{DataType, Number, read_texts};

/// An array and what was found out about it.
#[derive(Debug)]
pub(crate) struct Array {
    store: Store,
    place: String,
    folder: PathBuf,
    meta: ArrayMeta,
    kept: ChunkCache,
}

impl Array {
    /// Takes checked metadata, and refuses sizes that the store does not justify.
    pub(super) fn new(
        store: &Store,
        place: &str,
        folder: PathBuf,
        meta: ArrayMeta,
    ) -> Result<Self, IoError> {
        let stored = Stored::count(&folder, meta.grid.shape.len())
            .map_err(|e| IoError::os("read", &folder, e))?;
        stored.check(&meta).map_err(|found| {
            structure(store.path(), place, "an array that its chunks can hold", found)
        })?;
        let (store, place) = (store.clone(), place.into());
        Ok(Self { store, place, folder, meta, kept: ChunkCache::default() })
    }

    /// Path inside the store.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Length of each dimension.
    pub(crate) fn shape(&self) -> &[u64] {
        &self.meta.grid.shape
    }

    /// Length of each dimension of a chunk.
    pub(crate) fn chunk_shape(&self) -> &[u64] {
        &self.meta.grid.chunk
    }

    /// Bytes of a value.
    pub(crate) fn width(&self) -> u64 {
        self.meta.grid.data_type.width() as u64
    }

    /// Element type.
    pub(crate) fn kind(&self) -> Kind {
        self.meta.grid.data_type.kind()
    }

    /// The element type under numpy's name.
    pub(crate) fn data_type(&self) -> String {
        self.meta.grid.data_type.name()
    }

    /// The type of the elements.
    pub(crate) fn element_type(&self) -> &DataType {
        &self.meta.grid.data_type
    }

    /// The attributes.
    pub(crate) fn attrs(&self) -> Result<Attrs, IoError> {
        self.store.attrs(&self.place)
    }

    /// All strings of an array of one dimension or none.
    pub(crate) fn strings(&self) -> Result<Vec<String>, IoError> {
        self.can_be_read()?;
        let (n, chunk) = match (&self.meta.grid.shape[..], &self.meta.grid.chunk[..]) {
            ([n], [chunk]) => (*n, *chunk),
            _ => (1, 1),
        };
        let mut texts = Vec::new();
        for k in 0..n.div_ceil(chunk) {
            let index = &[k][..self.meta.grid.shape.len().min(1)];
            let count = chunk.min(n - k * chunk) as usize;
            match self.load(index)? {
                None => texts.resize(texts.len() + count, String::new()),
                Some(bytes) => {
                    let of_chunk = read_texts(&self.meta.grid.data_type, &bytes, count);
                    let broken = || self.broken(format!("a chunk that is no {count} texts"));
                    texts.extend(of_chunk.ok_or_else(broken)?);
                }
            }
        }
        Ok(texts)
    }

    /// Whole rows as 4-byte floats: the values from row `start` on.
    pub(crate) fn rows_f32(&self, start: u64, rows: u64) -> Result<Vec<f32>, IoError> {
        self.rows(start, rows)
    }

    /// As [`Self::rows_f32`], as 8-byte floats.
    pub(crate) fn rows_f64(&self, start: u64, rows: u64) -> Result<Vec<f64>, IoError> {
        self.rows(start, rows)
    }

    /// As [`Self::rows_f32`], as whole numbers with a sign.
    pub(crate) fn rows_i64(&self, start: u64, rows: u64) -> Result<Vec<i64>, IoError> {
        self.rows(start, rows)
    }

    /// As [`Self::rows_f32`], as whole numbers without a sign.
    pub(crate) fn rows_u64(&self, start: u64, rows: u64) -> Result<Vec<u64>, IoError> {
        self.rows(start, rows)
    }

    fn rows<T: Number>(&self, start: u64, rows: u64) -> Result<Vec<T>, IoError> {
        self.can_be_read()?;
        let shape = &self.meta.grid.shape;
        // A scalar is a row of one value.
        let end = start.checked_add(rows).filter(|&end| end <= *shape.first().unwrap_or(&1));
        let Some(end) = end else {
            let expected = format!("rows of shape {shape:?}");
            let found = format!("{rows} from {start} on");
            return Err(structure(self.store.path(), &self.place, expected, found));
        };
        self.meta.grid.rows(start..end, self)
    }

    fn can_be_read(&self) -> Result<(), IoError> {
        let unknown = |what| self.broken(format!("{what} is not read"));
        self.meta.codecs.as_ref().map(|_| ()).map_err(unknown)
    }

    /// Reads a chunk; `None` where it was never written.
    fn load(&self, index: &[u64]) -> Result<Option<Vec<u8>>, IoError> {
        let file = self.folder.join(self.meta.key(index));
        let Some(packed) = self.store.read(&self.place, &file, u64::MAX)? else { return Ok(None) };
        unpack(&self.meta, packed).map(Some).map_err(|problem| self.broken(problem))
    }

    fn broken(&self, problem: String) -> IoError {
        self.store.broken(&self.place, problem)
    }
}

impl Chunks for Array {
    fn chunk(&self, index: &[u64]) -> Result<Option<Bytes>, IoError> {
        self.kept.get_or_load(index, || self.load(index))
    }

    fn fill(&self) -> Result<&[u8], IoError> {
        let unknown = || self.broken("chunks are missing, and its fill value is not known".into());
        self.meta.fill.as_deref().ok_or_else(unknown)
    }
}
