//! Arrays in chunks of one shape: their values by rows, from as many chunks as hold some.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::IoError;
use crate::element::{DataType, Number, read_numbers};

/// The most bytes of chunks that an array keeps, but for one chunk of any size.
const KEPT_BYTES: usize = 32 << 20;
/// The most chunks that it keeps: several threads may read from places of their own.
const KEPT: usize = 16;

/// The bytes of a chunk, low ones of each element first.
pub(crate) type Bytes = Arc<Vec<u8>>;

/// How an array is cut into chunks.
#[derive(Debug, Clone)]
pub(crate) struct ChunkGrid {
    /// Length of each dimension.
    pub(crate) shape: Vec<u64>,
    /// Length of each dimension of a chunk, none of them 0.
    pub(crate) chunk: Vec<u64>,
    /// Type of an element.
    pub(crate) data_type: DataType,
    /// Of each axis of a chunk as it is stored, the axis of the array.
    pub(crate) axes: Vec<usize>,
}

/// Where the chunks of an array come from.
pub(crate) trait Chunks {
    /// A chunk, by its place along each axis; `None` where it was never written.
    fn chunk(&self, index: &[u64]) -> Result<Option<Bytes>, IoError>;

    /// Bytes of an element that was never written; none where that is zero.
    fn fill(&self) -> Result<&[u8], IoError>;
}

impl ChunkGrid {
    /// The values of whole rows. These must be rows of the array, and their values fit into memory.
    pub(crate) fn rows<T: Number>(
        &self,
        rows: Range<u64>,
        chunks: &dyn Chunks,
    ) -> Result<Vec<T>, IoError> {
        let mut wanted: Vec<Range<u64>> = self.shape.iter().map(|&n| 0..n).collect();
        wanted.iter_mut().take(1).for_each(|first| *first = rows.clone());
        let n = wanted.iter().map(|r| r.end - r.start).product::<u64>();
        let mut values = vec![T::default(); n as usize];
        if n == 0 {
            return Ok(values);
        }
        let grid: Vec<Range<u64>> = wanted
            .iter()
            .zip(&self.chunk)
            .map(|(rows, &n)| rows.start / n..rows.end.div_ceil(n))
            .collect();
        each_index(&grid, |index| self.take(index, chunks, &wanted, &mut values))?;
        Ok(values)
    }

    /// Puts what is wanted of a chunk in its place.
    fn take<T: Number>(
        &self,
        index: &[u64],
        chunks: &dyn Chunks,
        wanted: &[Range<u64>],
        values: &mut [T],
    ) -> Result<(), IoError> {
        let (bytes, fill) = match chunks.chunk(index)? {
            Some(bytes) => (bytes, None),
            None => {
                let mut fill = [T::default()];
                read_numbers(&self.data_type, chunks.fill()?, 1, &mut fill);
                (Bytes::default(), Some(fill[0]))
            }
        };
        let origin: Vec<u64> = index.iter().zip(&self.chunk).map(|(k, n)| k * n).collect();
        let mut common: Vec<Range<u64>> = (0..index.len())
            .map(|d| {
                let end = (origin[d] + self.chunk[d]).min(wanted[d].end);
                origin[d].max(wanted[d].start)..end
            })
            .collect();
        let source = strides(&self.chunk, &self.axes);
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
                    let bytes = &bytes[from * self.data_type.width()..];
                    read_numbers(&self.data_type, bytes, step, values);
                }
            }
            Ok(())
        })
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

/// The chunks that were read last, the newest behind.
#[derive(Debug, Default)]
pub(crate) struct ChunkCache(Mutex<Vec<(Vec<u64>, Bytes)>>);

impl ChunkCache {
    /// A chunk that is still there, or what `load` reads.
    pub(crate) fn get_or_load(
        &self,
        index: &[u64],
        load: impl FnOnce() -> Result<Option<Vec<u8>>, IoError>,
    ) -> Result<Option<Bytes>, IoError> {
        let held = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bytes)) = held().iter().find(|(at, _)| at == index) {
            return Ok(Some(bytes.clone()));
        }
        let Some(bytes) = load()?.map(Arc::new) else { return Ok(None) };
        let mut kept = held();
        kept.retain(|(at, _)| at != index);
        kept.push((index.to_vec(), bytes.clone()));
        let size = |kept: &[(Vec<u64>, Bytes)]| kept.iter().map(|(_, b)| b.len()).sum::<usize>();
        while kept.len() > KEPT || (kept.len() > 1 && size(&kept) > KEPT_BYTES) {
            kept.remove(0);
        }
        Ok(Some(bytes))
    }
}
