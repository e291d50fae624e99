//! A narrow matrix as products that skip zeros read it.

use std::ops::Range;

use super::{Mat, Vectors, transpose};
use crate::real::Real;
use crate::{CACHE_LINE, LANES, padded};

/// A matrix `(inner, columns)` that is read in rows of whole vectors, with zeros at their ends.
#[derive(Clone, Copy)]
pub(crate) struct Panel<'a, F> {
    b: Mat<'a, F>,
    /// whether its rows are whole vectors already, and none lies across cache lines
    is_whole: bool,
}

impl<'a, F: Real> Panel<'a, F> {
    /// A matrix whose rows are contiguous.
    pub(crate) fn new(b: Mat<'a, F>) -> Self {
        assert!(b.cs == 1, "rows are contiguous");
        let starts_line = b.data.as_ptr().align_offset(CACHE_LINE) == 0;
        let is_whole = starts_line && b.rs == b.cols && b.cols.is_multiple_of(LANES);
        Self { b, is_whole }
    }

    /// The transpose of `a`, whose rows are contiguous, in memory that begins with a cache line.
    pub(crate) fn transposed(a: Mat<F>, memory: &'a mut [F]) -> Self {
        let [columns, inner] = a.size();
        let data = &mut memory[..Self::len(a.t())];
        if columns < padded(columns) {
            data.fill(F::ZERO);
        }
        transpose(a, data, padded(columns));
        let b = Mat { data, rows: inner, cols: columns, rs: padded(columns), cs: 1 };
        Self { b, is_whole: true }
    }

    /// How much memory a matrix takes in rows of whole vectors.
    pub(crate) fn len(b: Mat<F>) -> usize {
        b.rows * padded(b.cols)
    }

    /// Rows and columns.
    pub(super) fn size(self) -> [usize; 2] {
        self.b.size()
    }

    /// Vectors of a row.
    pub(super) fn vectors(self) -> usize {
        self.b.cols.div_ceil(LANES)
    }

    /// Some of the rows, of `N` vectors: as they are, or in `memory`, which begins with a cache line.
    #[inline(always)]
    pub(super) fn rows<'m, const N: usize>(
        self,
        rows: Range<usize>,
        memory: &'m mut [F],
    ) -> &'m [Vectors<F, N>]
    where
        'a: 'm,
    {
        let data = match self.is_whole {
            true => &self.b.data[rows.start * N * LANES..rows.end * N * LANES],
            false => {
                let memory = &mut memory[..rows.len() * N * LANES];
                for (i, to) in rows.zip(memory.chunks_exact_mut(N * LANES)) {
                    let (row, padding) = to.split_at_mut(self.b.cols);
                    row.copy_from_slice(&self.b.data[i * self.b.rs..][..self.b.cols]);
                    padding.fill(F::ZERO);
                }
                memory
            }
        };
        data.as_chunks().0.as_chunks().0
    }
}
