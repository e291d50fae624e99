//! An array of the store: its values by rows, from as many chunks as hold some.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use super::chunk::{Bytes, Kept, unpack};
use super::element::{Number, read_numbers, read_texts};
use super::meta::ArrayMeta;
use super::store::Store;
use super::stored::Stored;
use crate::IoError;
use crate::anndata::{Attrs, Kind, structure};

/// An array and what was found out about it.
#[derive(Debug)]
pub(crate) struct Array {
    store: Store,
    place: String,
    folder: PathBuf,
    meta: ArrayMeta,
    kept: Kept,
}

impl Array {
    /// Takes checked metadata, and refuses sizes that the store does not justify.
    pub(super) fn new(
        store: &Store,
        place: &str,
        folder: PathBuf,
        meta: ArrayMeta,
    ) -> Result<Self, IoError> {
        let stored = Stored::count(&folder, meta.shape.len())
            .map_err(|e| IoError::os("read", &folder, e))?;
        stored.check(&meta).map_err(|found| {
            structure(store.path(), place, "an array that its chunks can hold", found)
        })?;
        let (store, place) = (store.clone(), place.into());
        Ok(Self { store, place, folder, meta, kept: Kept::default() })
    }

    /// Path inside the store.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// Length of each dimension.
    pub(crate) fn shape(&self) -> &[u64] {
        &self.meta.shape
    }

    /// Length of each dimension of a chunk.
    pub(crate) fn chunk_shape(&self) -> &[u64] {
        &self.meta.chunk
    }

    /// Bytes of a value.
    pub(crate) fn width(&self) -> u64 {
        self.meta.data_type.width() as u64
    }

    /// Element type.
    pub(crate) fn kind(&self) -> Kind {
        self.meta.data_type.kind()
    }

    /// The element type under numpy's name.
    pub(crate) fn data_type(&self) -> String {
        self.meta.data_type.name()
    }

    /// The attributes.
    pub(crate) fn attrs(&self) -> Result<Attrs, IoError> {
        self.store.attrs(&self.place)
    }

    /// All strings of an array of one dimension or none.
    pub(crate) fn strings(&self) -> Result<Vec<String>, IoError> {
        self.can_be_read()?;
        let (n, chunk) = match (&self.meta.shape[..], &self.meta.chunk[..]) {
            ([n], [chunk]) => (*n, *chunk),
            _ => (1, 1),
        };
        let mut texts = Vec::new();
        for k in 0..n.div_ceil(chunk) {
            let index = &[k][..self.meta.shape.len().min(1)];
            let count = chunk.min(n - k * chunk) as usize;
            match self.load(index)? {
                None => texts.resize(texts.len() + count, String::new()),
                Some(bytes) => {
                    let of_chunk = read_texts(&self.meta.data_type, &bytes, count);
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
        let ArrayMeta { shape, chunk, .. } = &self.meta;
        // A scalar is a row of one value.
        let end = start.checked_add(rows).filter(|&end| end <= *shape.first().unwrap_or(&1));
        let Some(end) = end else {
            let expected = format!("rows of shape {shape:?}");
            let found = format!("{rows} from {start} on");
            return Err(structure(self.store.path(), &self.place, expected, found));
        };
        let mut wanted: Vec<Range<u64>> = shape.iter().map(|&n| 0..n).collect();
        wanted.iter_mut().take(1).for_each(|first| *first = start..end);
        let n = wanted.iter().map(|r| r.end - r.start).product::<u64>();
        let mut values = vec![T::default(); n as usize];
        if n == 0 {
            return Ok(values);
        }
        let grid: Vec<Range<u64>> = wanted
            .iter()
            .zip(chunk)
            .map(|(rows, &n)| rows.start / n..rows.end.div_ceil(n))
            .collect();
        each_index(&grid, |index| self.take(index, &wanted, &mut values))?;
        Ok(values)
    }

    /// Puts what is wanted of a chunk in its place.
    fn take<T: Number>(
        &self,
        index: &[u64],
        wanted: &[Range<u64>],
        values: &mut [T],
    ) -> Result<(), IoError> {
        let meta = &self.meta;
        let (bytes, fill) = match self.chunk(index)? {
            Some(bytes) => (bytes, None),
            None => (Bytes::default(), Some(self.fill::<T>()?)),
        };
        let origin: Vec<u64> = index.iter().zip(&meta.chunk).map(|(k, n)| k * n).collect();
        let mut common: Vec<Range<u64>> = (0..index.len())
            .map(|d| {
                let end = (origin[d] + meta.chunk[d]).min(wanted[d].end);
                origin[d].max(wanted[d].start)..end
            })
            .collect();
        let source = strides(&meta.chunk, &meta.axes);
        let lengths: Vec<u64> = wanted.iter().map(|r| r.end - r.start).collect();
        let target = strides(&lengths, &(0..lengths.len()).collect::<Vec<_>>());
        // Along the last axis values are taken in one go.
        let (run, step) = match common.last_mut() {
            None => (1, 1),
            Some(last) => {
                let run = (last.end - last.start) as usize;
                last.end = last.start + 1;
                (run, *source.last().unwrap_or(&1) as usize)
            }
        };
        each_index(&common, |at| {
            let from = (0..at.len()).map(|d| (at[d] - origin[d]) * source[d]).sum::<u64>() as usize;
            let to = (0..at.len()).map(|d| (at[d] - wanted[d].start) * target[d]).sum::<u64>();
            let values = &mut values[to as usize..][..run];
            match fill {
                Some(fill) => values.fill(fill),
                None => {
                    let bytes = &bytes[from * meta.data_type.width()..];
                    read_numbers(&meta.data_type, bytes, step, values);
                }
            }
            Ok(())
        })
    }

    fn can_be_read(&self) -> Result<(), IoError> {
        let unknown = |what| self.broken(format!("{what} is not read"));
        self.meta.codecs.as_ref().map(|_| ()).map_err(unknown)
    }

    /// The value of what was never written.
    fn fill<T: Number>(&self) -> Result<T, IoError> {
        let unknown = || self.broken("chunks are missing, and its fill value is not known".into());
        let bytes = self.meta.fill.as_ref().ok_or_else(unknown)?;
        let mut value = [T::default()];
        read_numbers(&self.meta.data_type, bytes, 1, &mut value);
        Ok(value[0])
    }

    /// A chunk, which may have been read before.
    fn chunk(&self, index: &[u64]) -> Result<Option<Bytes>, IoError> {
        if let Some(bytes) = self.kept.get(index) {
            return Ok(Some(bytes));
        }
        let bytes = self.load(index)?.map(Arc::new);
        bytes.iter().for_each(|bytes| self.kept.put(index, bytes));
        Ok(bytes)
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

/// How far apart elements stand along each axis of the array, where the stored axes are these.
fn strides(lengths: &[u64], axes: &[usize]) -> Vec<u64> {
    let mut strides = vec![1; lengths.len()];
    let mut stride = 1;
    for &axis in axes.iter().rev() {
        strides[axis] = stride;
        stride *= lengths[axis];
    }
    strides
}

/// Calls `f` with every index in the ranges, the last axis first.
fn each_index(
    ranges: &[Range<u64>],
    mut f: impl FnMut(&[u64]) -> Result<(), IoError>,
) -> Result<(), IoError> {
    if ranges.iter().any(Range::is_empty) {
        return Ok(());
    }
    let mut index: Vec<u64> = ranges.iter().map(|r| r.start).collect();
    loop {
        f(&index)?;
        let Some(axis) = (0..index.len()).rev().find(|&d| index[d] + 1 < ranges[d].end) else {
            return Ok(());
        };
        index[axis] += 1;
        (axis + 1..index.len()).for_each(|d| index[d] = ranges[d].start);
    }
}
