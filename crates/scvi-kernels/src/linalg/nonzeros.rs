//! Products with a matrix of many zeros, such as what a ReLU gives.

use super::ahead::Ahead;
use super::lists::Counts;
use super::{Mat, Next, Pair, Panel, Vectors, transpose};
use crate::LANES;
use crate::ops::{Rows, in_parts, scratch};
use crate::real::Real;
use crate::simd::vectorised;

/// Columns of `a` whose values are listed together: their rows of the widest `b` stay in the
/// first-level cache, of which they take 24 KiB.
pub(super) const INNER: usize = 32;
/// Rows of `a` whose sums are at hand at a time.
const ROWS: usize = 128;
/// Columns of `b` at most, in vectors: with two rows of `a` their sums fill 24 of AVX-512's 32
/// registers. What is listed is read once for all of them.
pub(crate) const VECTORS: usize = 12;
/// Pairs of rows in a group.
pub(super) const PAIRS: usize = LANES / 2;
/// Values of a group's piece at most.
pub(super) const PIECE: usize = LANES * INNER;
/// Capacity for those of both rows of its pairs: vectors are written whole.
const BOTH: usize = PIECE / 2 + LANES;
/// And for those of one alone.
const SINGLE: usize = PIECE + LANES;

/// Where a matrix `a` is not zero, two rows at a time: `(rows, inner)`.
///
/// What is not zero in both rows of a pair is listed for both, for then a vector is loaded once and
/// used twice; loads are what limits such products. Lists stand in the order in which they are
/// read, without gaps between the pairs of a group.
#[derive(Debug, Clone)]
pub(crate) struct Nonzeros<F> {
    pub(super) rows: usize,
    pub(super) inner: usize,
    both: Vec<(u32, [F; 2])>, // (groups, pieces, BOTH)
    single: Vec<(u32, F)>,    // (groups, pieces, SINGLE)
    counts: Vec<Counts>,      // (groups, pieces, PAIRS)
}

impl<F: Real> Nonzeros<F> {
    /// Buffers for a matrix of that size.
    pub(crate) fn new(rows: usize, inner: usize) -> Self {
        let pieces = rows.div_ceil(LANES) * inner.div_ceil(INNER);
        Self {
            rows: 0,
            inner: 0,
            both: vec![(0, [F::ZERO; 2]); pieces * BOTH],
            single: vec![(0, F::ZERO); pieces * SINGLE],
            counts: vec![Counts::default(); pieces * PAIRS],
        }
    }

    /// Lists what is not zero in `a`, whose rows are contiguous.
    pub(crate) fn find(&mut self, a: Mat<F>) {
        (self.rows, self.inner) = (a.rows, a.cols);
        let pieces = a.cols.div_ceil(INNER);
        let lists = (
            Rows::new(&mut self.both, pieces * BOTH),
            Rows::new(&mut self.single, pieces * SINGLE),
            Rows::new(&mut self.counts, pieces * PAIRS),
        );
        in_parts(a.rows.div_ceil(LANES), 1, lists, &|groups, (both, single, counts)| {
            let columns = (0..a.cols).step_by(INNER).map(|at| at..a.cols.min(at + INNER));
            let lists = both.data.chunks_mut(BOTH).zip(single.data.chunks_mut(SINGLE));
            let lists = lists.zip(counts.data.chunks_mut(PAIRS));
            vectorised(
                #[inline(always)]
                || {
                    for (columns, ((mut both, mut single), counts)) in columns.zip(lists) {
                        // In place of a row past the last.
                        let zeros = &[F::ZERO; INNER][..columns.len()];
                        for (pair, counts) in counts.iter_mut().enumerate() {
                            let row = groups.start * LANES + 2 * pair;
                            let rows = [a.row(row), a.row(row + 1)].map(
                                #[inline(always)]
                                |row| row.map_or(zeros, |row| &row[columns.clone()]),
                            );
                            *counts = F::list(rows, (&mut *both, &mut *single));
                            let [n_both, n_single] = counts.lens();
                            (both, single) = (&mut both[n_both..], &mut single[n_single..]);
                        }
                    }
                },
            );
        });
    }

    /// How many values are not zero.
    pub(crate) fn n_values(&self) -> usize {
        let lists = self.rows.div_ceil(LANES) * self.inner.div_ceil(INNER);
        self.counts[..lists * PAIRS].iter().map(|counts| counts.n_values()).sum()
    }

    /// `out = bᵀ aᵀ`, rows `stride` apart; see [`Nonzeros::product`].
    pub(crate) fn product_transposed(
        &self,
        b: Panel<F>,
        out: &mut [F],
        stride: usize,
        next: Next<F>,
    ) {
        self.product(b, next, |first, sums| transpose(sums, &mut out[first..], stride));
    }

    /// `a b` on the calling thread, some rows at a time: `take` is given the number of the first
    /// one. Meanwhile what is `next` is fetched.
    ///
    /// A sum runs piece by piece over what both rows of a pair have, then over the rest, each in the
    /// order of columns.
    pub(crate) fn product(&self, b: Panel<F>, next: Next<F>, take: impl FnMut(usize, Mat<F>)) {
        assert_eq!(b.size()[0], self.inner, "inner dimensions");
        macro_rules! of_width {
            ($($n:literal)+) => {
                match b.vectors() {
                    0 => {}
                    $($n => self.product_of::<$n>(b, next, take),)+
                    n => panic!("{n} vectors, at most {VECTORS} are multiplied at a time"),
                }
            };
        }
        of_width!(1 2 3 4 5 6 7 8 9 10 11 12);
    }

    /// [`Nonzeros::product`] with rows of `N` vectors.
    fn product_of<const N: usize>(
        &self,
        b: Panel<F>,
        next: Next<F>,
        mut take: impl FnMut(usize, Mat<F>),
    ) {
        let (width, columns) = (N * LANES, b.size()[1]);
        let pieces = self.inner.div_ceil(INNER);
        let ahead = &mut Ahead::new(next, self.rows.div_ceil(LANES) * PAIRS * pieces);
        scratch((ROWS + INNER) * width, |memory| {
            let (sums, memory) = memory.split_at_mut(ROWS * width);
            for first in (0..self.rows).step_by(ROWS) {
                for piece in 0..pieces {
                    let at = piece * INNER..self.inner.min((piece + 1) * INNER);
                    let panel = b.rows::<N>(at, memory);
                    let rows = (first..self.rows.min(first + ROWS)).step_by(LANES);
                    for (start, sums) in rows.zip(sums.chunks_mut(LANES * width)) {
                        let list = start / LANES * pieces + piece;
                        vectorised(
                            #[inline(always)]
                            || self.add_piece(list, panel, sums, piece > 0, ahead),
                        );
                        if piece + 1 == pieces {
                            // While they are in the first-level cache.
                            let rows = (self.rows - start).min(LANES);
                            take(start, Mat::strided(sums, rows, columns, width));
                        }
                    }
                }
            }
        });
    }

    /// Adds a group's piece of the inner dimension to its sums; where they are not to be kept, they
    /// begin with it.
    #[inline(always)]
    fn add_piece<const N: usize>(
        &self,
        list: usize,
        panel: &[Vectors<F, N>], // (piece)
        sums: &mut [F],          // (group, width)
        keep: bool,
        ahead: &mut Ahead<F>,
    ) {
        let sums = sums.as_chunks_mut::<LANES>().0.as_chunks_mut::<N>().0;
        for (pair, sums) in self.pairs(list).zip(sums.as_chunks_mut::<2>().0) {
            F::add_pair(pair, panel, sums, keep);
            ahead.fetch();
        }
    }

    /// What a group's piece lists, pair by pair.
    #[inline(always)]
    pub(super) fn pairs(&self, list: usize) -> impl Iterator<Item = Pair<'_, F>> {
        let mut lists = (&self.both[list * BOTH..], &self.single[list * SINGLE..]);
        let counts = self.counts[list * PAIRS..][..PAIRS].iter();
        counts.map(
            #[inline(always)]
            move |counts| counts.take(&mut lists),
        )
    }
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
            matmul(b, a.t(), &mut expected, stride, F::ZERO);
            // As b is stored, and the other way round.
            let turned: Vec<F> =
                (0..genes * inner).map(|i| b.data[i % genes * inner + i / genes]).collect();
            let mut memory = vec![F::of(f64::NAN); Panel::len(b.t())];
            let transposed = Panel::transposed(b, &mut memory);
            for panel in [transposed, Panel::new(Mat::new(&turned, inner, genes))] {
                out.fill(untouched);
                nonzeros.product_transposed(panel, &mut out, stride, Next::new());
                for (row, expected) in out.chunks(stride).zip(expected.chunks(stride)) {
                    for (v, expected) in row[..rows].iter().zip(expected) {
                        let error = (v.to_f64() - expected.to_f64()).abs();
                        let bound = tolerance * (1.0 + expected.to_f64().abs());
                        assert!(error <= bound, "{v} {expected}");
                    }
                    assert!(row[rows..].iter().all(|&v| v == untouched), "the gap is left alone");
                }
            }
        }
    }

    #[test]
    fn zeros_are_skipped_and_nothing_else() {
        is_the_product::<f32>(1e-4);
        is_the_product::<f64>(1e-12);
    }
}
