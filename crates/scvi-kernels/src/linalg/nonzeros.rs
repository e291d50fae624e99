//! Products with a matrix of many zeros, such as what a ReLU gives.

use super::{Mat, Pair, transpose};
use crate::LANES;
use crate::ops::{Rows, in_parts, scratch};
use crate::real::Real;
use crate::simd::vectorised;

/// Columns of `b aᵀ` whose factors are at hand at a time: with a tile of `b` they fill the
/// first-level cache.
const INNER: usize = 128;
/// Rows of `a` whose sums are at hand at a time.
const ROWS: usize = 128;
/// Rows of `b` in a tile, in vectors: with two rows of `a` their sums fill half of AVX-512's
/// registers.
const VECTORS: usize = 4;
/// Pairs of one task when they are searched.
const PAIRS: usize = 16;

/// Where a matrix `a` is not zero, two rows at a time: `(rows, inner)`.
///
/// What is not zero in both rows of a pair is listed for both, for then a vector is loaded once and
/// used twice; loads are what limits such products.
#[derive(Debug, Clone)]
pub(crate) struct Nonzeros<F> {
    rows: usize,
    inner: usize,
    both: Vec<(u32, [F; 2])>, // (pairs, pieces, INNER)
    single: Vec<(u32, F)>,    // (pairs, pieces, 2, INNER)
    counts: Vec<Counts>,      // (pairs, pieces)
}

/// How many of a list are in use.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    both: usize,
    single: [usize; 2],
}

impl<F: Real> Nonzeros<F> {
    /// Room for a matrix of that size.
    pub(crate) fn new(rows: usize, inner: usize) -> Self {
        let lists = rows.div_ceil(2) * inner.div_ceil(INNER);
        Self {
            rows: 0,
            inner: 0,
            both: vec![(0, [F::ZERO; 2]); lists * INNER],
            single: vec![(0, F::ZERO); 2 * lists * INNER],
            counts: vec![Counts::default(); lists],
        }
    }

    /// Lists what is not zero in `a`, whose rows are contiguous.
    pub(crate) fn find(&mut self, a: Mat<F>) {
        assert!(a.cs == 1, "rows are contiguous");
        (self.rows, self.inner) = (a.rows, a.cols);
        let pieces = a.cols.div_ceil(INNER);
        let lists = (
            Rows::new(&mut self.both, pieces * INNER),
            Rows::new(&mut self.single, 2 * pieces * INNER),
            Rows::new(&mut self.counts, pieces),
        );
        in_parts(a.rows.div_ceil(2), PAIRS, lists, &|pairs, (both, single, counts)| {
            let lists = both.data.chunks_mut(INNER).zip(single.data.chunks_mut(2 * INNER));
            let pieces = (0..a.cols).step_by(INNER).map(|at| at..a.cols.min(at + INNER));
            let all = pairs.flat_map(|pair| pieces.clone().map(move |piece| (pair, piece)));
            for (((pair, piece), (both, single)), counts) in all.zip(lists).zip(counts.data) {
                let row = |k: usize| a.row(2 * pair + k).map(|row| &row[piece.clone()]);
                *counts = list([row(0), row(1)], both, single);
            }
        });
    }

    /// `out = b aᵀ` on the calling thread; the rows of `b` are contiguous, those of `out` are
    /// `stride` apart.
    ///
    /// A sum runs over what both rows of a pair have, then over the rest, each in the order of
    /// columns.
    pub(crate) fn product(&self, b: Mat<F>, out: &mut [F], stride: usize) {
        assert_eq!(b.cols, self.inner, "inner dimensions");
        const WIDTH: usize = VECTORS * LANES;
        scratch((self.inner + ROWS) * WIDTH, |memory| {
            for first in (0..b.rows).step_by(WIDTH) {
                let tile = b.rows(first..b.rows.min(first + WIDTH));
                let out = &mut out[first * stride..];
                match tile.rows.div_ceil(LANES) {
                    1 => self.tile::<1>(tile, out, stride, memory),
                    2 => self.tile::<2>(tile, out, stride, memory),
                    3 => self.tile::<3>(tile, out, stride, memory),
                    _ => self.tile::<VECTORS>(tile, out, stride, memory),
                }
            }
        });
    }

    /// [`Nonzeros::product`] of `N` vectors of rows.
    fn tile<const N: usize>(&self, b: Mat<F>, out: &mut [F], stride: usize, memory: &mut [F]) {
        let width = N * LANES;
        let (panel, sums) = memory.split_at_mut(self.inner * width);
        if b.rows < width {
            panel.fill(F::ZERO);
        }
        transpose(b, panel, width); // (inner, width)
        let pieces = self.inner.div_ceil(INNER);
        for first in (0..self.rows).step_by(ROWS) {
            let rows = first..self.rows.min(first + ROWS);
            let sums = &mut sums[..rows.len().next_multiple_of(2) * width]; // (rows, width)
            sums.fill(F::ZERO);
            for (piece, panel) in panel.chunks(INNER * width).enumerate() {
                let lists = (first / 2..).map(|pair| pair * pieces + piece);
                for (k, sums) in sums.chunks_mut(LANES * width).enumerate() {
                    vectorised(
                        #[inline(always)]
                        || self.add_piece::<N>(lists.clone().skip(k * LANES / 2), panel, sums),
                    );
                    if piece + 1 == pieces {
                        // While they are in the first-level cache.
                        let rows = (rows.len() - k * LANES).min(LANES);
                        let out = &mut out[first + k * LANES..];
                        transpose(Mat::strided(sums, rows, b.rows, width), out, stride);
                    }
                }
            }
        }
    }

    /// Adds one piece of the inner dimension to the sums of some pairs of rows, whose lists are
    /// given.
    #[inline(always)]
    fn add_piece<const N: usize>(
        &self,
        lists: impl Iterator<Item = usize>,
        panel: &[F],    // (piece, width)
        sums: &mut [F], // (rows, width)
    ) {
        let panel = panel.as_chunks::<LANES>().0.as_chunks::<N>().0;
        let sums = sums.as_chunks_mut::<LANES>().0.as_chunks_mut::<N>().0;
        for (list, sums) in lists.zip(sums.as_chunks_mut::<2>().0) {
            let counts = self.counts[list];
            let single =
                |row: usize| &self.single[(2 * list + row) * INNER..][..counts.single[row]];
            let both = &self.both[list * INNER..][..counts.both];
            F::add_pair(Pair { both, single: [single(0), single(1)] }, panel, sums);
        }
    }
}

/// Lists what is not zero in two rows, or in one.
fn list<F: Real>(
    rows: [Option<&[F]>; 2],
    both: &mut [(u32, [F; 2])],
    single: &mut [(u32, F)],
) -> Counts {
    let (one, other) = single.split_at_mut(INNER);
    let mut counts = Counts::default();
    let inner = rows[0].map_or(0, <[F]>::len);
    for at in 0..inner {
        // Every place is written, and stays where it counts: no branch can be foreseen here.
        let v = rows.map(|row| row.map_or(F::ZERO, |row| row[at]));
        let [a, b] = v.map(|v| v != F::ZERO);
        both[counts.both] = (at as u32, v);
        one[counts.single[0]] = (at as u32, v[0]);
        other[counts.single[1]] = (at as u32, v[1]);
        counts.both += usize::from(a & b);
        counts.single[0] += usize::from(a & !b);
        counts.single[1] += usize::from(b & !a);
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::matmul;

    /// Numbers of which about half are zero.
    fn numbers<F: Real>(n: usize) -> Vec<F> {
        let value = |i: usize| ((i * 7919 + i / 13) % 101) as f64 / 101.0 - 0.5;
        (0..n).map(|i| F::of(value(i).max(0.0))).collect()
    }

    fn is_the_product<F: Real>(tolerance: f64) {
        for (rows, inner, genes, pad) in
            [(1, 1, 1, 0), (2, 16, 64, 0), (7, 5, 40, 3), (128, 128, 130, 4), (259, 300, 65, 1)]
        {
            let a: Vec<F> = numbers(rows * (inner + pad));
            let a = Mat::strided(&a, rows, inner, inner + pad);
            let b: Vec<F> = (0..genes * inner).map(|i| F::of((i % 23) as f64 - 11.0)).collect();
            let b = Mat::new(&b, genes, inner);
            let stride = rows + pad;
            let untouched = F::of(-1.0);
            let [mut out, mut expected] =
                [vec![untouched; genes * stride], vec![F::ZERO; genes * stride]];
            // A larger matrix has been here before.
            let mut nonzeros = Nonzeros::new(260, 300);
            nonzeros.find(Mat::new(&numbers(260 * 300), 260, 300));
            nonzeros.find(a);
            nonzeros.product(b, &mut out, stride);
            matmul(b, a.t(), &mut expected, stride, F::ZERO);
            for (row, expected) in out.chunks(stride).zip(expected.chunks(stride)) {
                for (v, expected) in row[..rows].iter().zip(expected) {
                    let error = (v.to_f64() - expected.to_f64()).abs();
                    assert!(error <= tolerance * (1.0 + expected.to_f64().abs()), "{v} {expected}");
                }
                assert!(row[rows..].iter().all(|&v| v == untouched), "the gap is left alone");
            }
        }
    }

    #[test]
    fn zeros_are_skipped_and_nothing_else() {
        is_the_product::<f32>(1e-4);
        is_the_product::<f64>(1e-12);
    }
}
