//! Entries of a sparse matrix that a subset keeps.

use std::ops::Range;

use super::elements::{gather, integers, rows};
use crate::IoError;
use crate::anndata::array::Array;
use crate::anndata::sparse::Sparse;
use crate::anndata::store::Store;
use crate::anndata::target::Target;
use crate::element::DataType;

/// Entries that are read at a time, at least; a line is never split.
const BLOCK: u64 = 1 << 20;

/// Which lines (rows of csr, columns of csc) and which places in them are kept.
pub(super) struct Entries {
    indptr: Vec<u64>,
    indices: Array,
    /// Kept lines, where not all are.
    lines: Option<Vec<bool>>,
    /// New place of each old one, where not all are kept.
    places: Option<Vec<Option<u64>>>,
}

impl Entries {
    /// Of the matrix at a place, with so many lines.
    pub(super) fn open(
        store: &Store,
        place: &str,
        n_lines: usize,
        lines: Option<Vec<bool>>,
        places: Option<Vec<Option<u64>>>,
    ) -> Result<Self, IoError> {
        let target = Target { store, place, cells: &[], genes: &[] };
        let indptr = Sparse::open(&target)?.read_indptr(n_lines)?;
        let indices = store.array(&format!("{place}/indices"))?;
        Ok(Self { indptr, indices, lines, places })
    }

    /// Where the kept lines start and end in the subset.
    pub(super) fn new_indptr(&self) -> Result<Vec<u64>, IoError> {
        let mut indptr = vec![0];
        let mut end = 0;
        for block in self.blocks() {
            let is_kept = self.is_kept(&block)?;
            let start = self.indptr[block.start];
            for line in block.filter(|&line| self.has_line(line)) {
                let of_line = (self.indptr[line] - start) as usize..;
                let n = (self.indptr[line + 1] - self.indptr[line]) as usize;
                end += is_kept[of_line].iter().take(n).filter(|&&kept| kept).count() as u64;
                indptr.push(end);
            }
        }
        Ok(indptr)
    }

    /// The kept entries of an array that has one for each, block by block.
    pub(super) fn each_block(
        &self,
        array: &Array,
        data_type: &DataType,
        f: &mut dyn FnMut(&[u8]) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        for block in self.blocks() {
            let is_kept = self.is_kept(&block)?;
            let (start, n) = self.range(&block);
            let bytes = rows(array, data_type, start, n)?;
            let kept = (0..is_kept.len()).filter(|&at| is_kept[at]);
            f(&gather(&bytes, data_type.width(), kept))?;
        }
        Ok(())
    }

    /// The kept indices as they are in the subset, block by block.
    pub(super) fn each_block_of_indices(
        &self,
        data_type: &DataType,
        f: &mut dyn FnMut(&[u8]) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        let Some(places) = &self.places else {
            return self.each_block(&self.indices, data_type, f);
        };
        for block in self.blocks() {
            let is_kept = self.is_kept(&block)?;
            let (start, n) = self.range(&block);
            let indices = self.indices.rows_i64(start, n)?;
            let kept = indices.iter().zip(is_kept).filter(|(_, kept)| *kept);
            let new = kept.filter_map(|(&index, _)| *places.get(usize::try_from(index).ok()?)?);
            f(&integers(data_type, new))?;
        }
        Ok(())
    }

    fn has_line(&self, line: usize) -> bool {
        self.lines.as_ref().is_none_or(|lines| lines[line])
    }

    /// Lines with about [`BLOCK`] entries, one block after another.
    fn blocks(&self) -> impl Iterator<Item = Range<usize>> {
        let n_lines = self.indptr.len() - 1;
        let mut start = 0;
        std::iter::from_fn(move || {
            if start == n_lines {
                return None;
            }
            let limit = self.indptr[start].saturating_add(BLOCK);
            let end = self.indptr.partition_point(|&end| end <= limit) - 1;
            let block = start..end.clamp(start + 1, n_lines);
            start = block.end;
            Some(block)
        })
    }

    fn range(&self, lines: &Range<usize>) -> (u64, u64) {
        let start = self.indptr[lines.start];
        (start, self.indptr[lines.end] - start)
    }

    /// Of each entry of these lines whether it is kept.
    fn is_kept(&self, lines: &Range<usize>) -> Result<Vec<bool>, IoError> {
        let (start, n) = self.range(lines);
        let in_line = lines.clone().flat_map(|line| {
            let n = (self.indptr[line + 1] - self.indptr[line]) as usize;
            std::iter::repeat_n(self.has_line(line), n)
        });
        let mut is_kept: Vec<bool> = in_line.collect();
        let Some(places) = &self.places else { return Ok(is_kept) };
        for (kept, index) in is_kept.iter_mut().zip(self.indices.rows_i64(start, n)?) {
            let place = usize::try_from(index).ok().and_then(|index| places.get(index));
            let found = || {
                self.indices.structure(format!("indices below {}", places.len()), index.to_string())
            };
            *kept &= place.ok_or_else(found)?.is_some();
        }
        Ok(is_kept)
    }
}
