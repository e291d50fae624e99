//! Products with a matrix of many zeros, such as what a ReLU gives.

use super::ahead::Ahead;
use super::{Mat, Pair, transpose};
use crate::LANES;
use crate::ops::{Rows, in_parts, scratch};
use crate::real::Real;
use crate::simd::vectorised;

/// Columns of `a` whose values are listed together: their rows of the widest tile of `b` stay in the
/// first-level cache, of which they take 24 KiB.
const INNER: usize = 32;
/// Rows of `a` whose sums are at hand at a time.
const ROWS: usize = 128;
/// Rows of `b` in a tile at most, in vectors: with two rows of `a` their sums fill 24 of AVX-512's
/// 32 registers. What is listed is read once for all of them.
const VECTORS: usize = 12;
/// Pairs of rows in a group.
const PAIRS: usize = LANES / 2;
/// Values of a group's piece at most.
const PIECE: usize = LANES * INNER;

/// Where a matrix `a` is not zero, two rows at a time: `(rows, inner)`.
///
/// What is not zero in both rows of a pair is listed for both, for then a vector is loaded once and
/// used twice; loads are what limits such products. Lists stand in the order in which they are
/// read, without gaps between the pairs of a group.
#[derive(Debug, Clone)]
pub(crate) struct Nonzeros<F> {
    rows: usize,
    inner: usize,
    both: Vec<(u32, [F; 2])>, // (groups, pieces, PIECE / 2)
    single: Vec<(u32, F)>,    // (groups, pieces, PIECE)
    counts: Vec<Counts>,      // (groups, pieces, PAIRS)
}

/// How many values a pair lists.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    both: usize,
    single: [usize; 2],
}

/// The lists of a group's piece, or of what follows a pair in it.
type Lists<'a, F> = (&'a [(u32, [F; 2])], &'a [(u32, F)]);

impl<F: Real> Nonzeros<F> {
    /// Room for a matrix of that size.
    pub(crate) fn new(rows: usize, inner: usize) -> Self {
        let pieces = rows.div_ceil(LANES) * inner.div_ceil(INNER);
        Self {
            rows: 0,
            inner: 0,
            both: vec![(0, [F::ZERO; 2]); pieces * PIECE / 2],
            single: vec![(0, F::ZERO); pieces * PIECE],
            counts: vec![Counts::default(); pieces * PAIRS],
        }
    }

    /// Lists what is not zero in `a`, whose rows are contiguous.
    pub(crate) fn find(&mut self, a: Mat<F>) {
        assert!(a.cs == 1, "rows are contiguous");
        (self.rows, self.inner) = (a.rows, a.cols);
        let pieces = a.cols.div_ceil(INNER);
        let lists = (
            Rows::new(&mut self.both, pieces * PIECE / 2),
            Rows::new(&mut self.single, pieces * PIECE),
            Rows::new(&mut self.counts, pieces * PAIRS),
        );
        in_parts(a.rows.div_ceil(LANES), 1, lists, &|groups, (both, single, counts)| {
            let columns = (0..a.cols).step_by(INNER).map(|at| at..a.cols.min(at + INNER));
            let lists = both.data.chunks_mut(PIECE / 2).zip(single.data.chunks_mut(PIECE));
            let lists = lists.zip(counts.data.chunks_mut(PAIRS));
            for (columns, ((mut both, mut single), counts)) in columns.zip(lists) {
                for (pair, counts) in counts.iter_mut().enumerate() {
                    let row = groups.start * LANES + 2 * pair;
                    let row = |k: usize| a.row(row + k).map(|row| &row[columns.clone()]);
                    *counts = list([row(0), row(1)], both, single);
                    both = &mut both[counts.both..];
                    single = &mut single[counts.single.iter().sum()..];
                }
            }
        });
    }

    /// `out = b aᵀ` on the calling thread; the rows of `b` are contiguous, those of `out` are
    /// `stride` apart. Meanwhile it fetches what will be needed `ahead`.
    ///
    /// A sum runs piece by piece over what both rows of a pair have, then over the rest, each in the
    /// order of columns.
    pub(crate) fn product(&self, b: Mat<F>, out: &mut [F], stride: usize, ahead: [&[F]; 2]) {
        assert_eq!(b.cols, self.inner, "inner dimensions");
        const WIDTH: usize = VECTORS * LANES;
        let pairs = self.rows.div_ceil(LANES) * PAIRS;
        let lists = pairs * self.inner.div_ceil(INNER);
        // Tiles of about the same width: narrow ones take longer a row.
        let tiles = b.rows.div_ceil(WIDTH).max(1);
        let width = b.rows.div_ceil(tiles).max(1).next_multiple_of(LANES);
        let ahead = &mut Ahead::new(ahead, tiles * lists);
        scratch((self.inner + ROWS) * WIDTH, |memory| {
            for first in (0..b.rows).step_by(width) {
                let tile = b.rows(first..b.rows.min(first + width));
                let out = &mut out[first * stride..];
                macro_rules! of_width {
                    ($($n:literal)+) => {
                        match tile.rows.div_ceil(LANES) {
                            $($n => self.tile::<$n>(tile, out, stride, memory, ahead),)+
                            _ => self.tile::<VECTORS>(tile, out, stride, memory, ahead),
                        }
                    };
                }
                of_width!(1 2 3 4 5 6 7 8 9 10 11);
            }
        });
    }

    /// [`Nonzeros::product`] of `N` vectors of rows.
    fn tile<const N: usize>(
        &self,
        b: Mat<F>,
        out: &mut [F],
        stride: usize,
        memory: &mut [F],
        ahead: &mut Ahead<F>,
    ) {
        let width = N * LANES;
        let (panel, sums) = memory.split_at_mut(self.inner * width);
        if b.rows < width {
            panel.fill(F::ZERO);
        }
        transpose(b, panel, width); // (inner, width)
        let pieces = self.inner.div_ceil(INNER);
        for first in (0..self.rows).step_by(ROWS) {
            for (piece, panel) in panel.chunks(INNER * width).enumerate() {
                let rows = (first..self.rows.min(first + ROWS)).step_by(LANES);
                for (start, sums) in rows.zip(sums.chunks_mut(LANES * width)) {
                    let list = start / LANES * pieces + piece;
                    vectorised(
                        #[inline(always)]
                        || self.add_piece::<N>(list, panel, sums, piece > 0, ahead),
                    );
                    if piece + 1 == pieces {
                        // While they are in the first-level cache.
                        let rows = (self.rows - start).min(LANES);
                        let sums = Mat::strided(sums, rows, b.rows, width);
                        transpose(sums, &mut out[start..], stride);
                    }
                }
            }
        }
    }

    /// Adds a group's piece of the inner dimension to its sums; where they are not to be kept, they
    /// begin with it.
    #[inline(always)]
    fn add_piece<const N: usize>(
        &self,
        list: usize,
        panel: &[F],    // (piece, width)
        sums: &mut [F], // (group, width)
        keep: bool,
        ahead: &mut Ahead<F>,
    ) {
        let panel = panel.as_chunks::<LANES>().0.as_chunks::<N>().0;
        let sums = sums.as_chunks_mut::<LANES>().0.as_chunks_mut::<N>().0;
        let mut lists = (&self.both[list * PIECE / 2..], &self.single[list * PIECE..]);
        let counts = &self.counts[list * PAIRS..];
        for (counts, sums) in counts.iter().zip(sums.as_chunks_mut::<2>().0) {
            F::add_pair(counts.take(&mut lists), panel, sums, keep);
            ahead.fetch();
        }
    }
}

impl Counts {
    /// The pair whose lists come first.
    #[inline(always)]
    fn take<'a, F>(&self, lists: &mut Lists<'a, F>) -> Pair<'a, F> {
        let (both, rest) = lists.0.split_at(self.both);
        let (one, singles) = lists.1.split_at(self.single[0]);
        let (other, singles) = singles.split_at(self.single[1]);
        *lists = (rest, singles);
        Pair { both, single: [one, other] }
    }
}

/// Lists what is not zero in two rows, or in one: of the second row alone after the first.
fn list<F: Real>(
    rows: [Option<&[F]>; 2],
    both: &mut [(u32, [F; 2])],
    single: &mut [(u32, F)],
) -> Counts {
    let mut counts = Counts::default();
    let inner = rows[0].map_or(0, <[F]>::len);
    let value = |row: usize, at: usize| rows[row].map_or(F::ZERO, |row| row[at]);
    // Every place is written, and stays where it counts: no branch can be foreseen here.
    for at in 0..inner {
        let v = [value(0, at), value(1, at)];
        let [a, b] = v.map(|v| v != F::ZERO);
        both[counts.both] = (at as u32, v);
        single[counts.single[0]] = (at as u32, v[0]);
        counts.both += usize::from(a & b);
        counts.single[0] += usize::from(a & !b);
    }
    for at in 0..inner {
        let v = [value(0, at), value(1, at)];
        let [a, b] = v.map(|v| v != F::ZERO);
        single[counts.single[0] + counts.single[1]] = (at as u32, v[1]);
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
            nonzeros.product(b, &mut out, stride, [&[]; 2]);
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
