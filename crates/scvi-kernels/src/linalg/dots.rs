//! Products of two matrices that are wanted only where a third is not zero.

use super::ahead::Ahead;
use super::nonzeros::{INNER, Nonzeros, PAIRS, PIECE, VECTORS};
use super::{Next, Pair, Panel, Tile, Vectors};
use crate::LANES;
use crate::ops::{Rows, in_parts, scratch};
use crate::real::Real;
use crate::simd::vectorised;

/// Places of a pair of rows in a piece.
const PLACES: usize = 2 * INNER;

impl<F: Real> Nonzeros<F> {
    /// How many numbers [`Nonzeros::add_dots`] keeps of a matrix of that size.
    pub(crate) fn dots_len(rows: usize, inner: usize) -> usize {
        rows.div_ceil(LANES) * inner.div_ceil(INNER) * PIECE
    }

    /// `dots += b cᵀ` where `a` is not zero, on the calling thread: a number a value, in the order
    /// of the lists, with room between the lists. `b` has a row for each row of `a`, `c` one for each
    /// of its columns. Meanwhile what is `next` is fetched.
    ///
    /// A product takes the vectors of both rows in their order; then the lanes are summed.
    pub(crate) fn add_dots(&self, b: Panel<F>, c: Panel<F>, dots: &mut [F], next: Next<F>) {
        let ([b_rows, b_columns], [c_rows, c_columns]) = (b.size(), c.size());
        assert_eq!([b_rows, c_rows], [self.rows, self.inner], "rows of both factors");
        assert_eq!(b_columns, c_columns, "inner dimensions");
        macro_rules! of_width {
            ($($n:literal)+) => {
                match b.vectors() {
                    0 => {}
                    $($n => self.add_dots_of::<$n>(b, c, dots, next),)+
                    n => panic!("{n} vectors, at most {VECTORS} are multiplied at a time"),
                }
            };
        }
        of_width!(1 2 3 4 5 6 7 8 9 10 11 12);
    }

    /// [`Nonzeros::add_dots`] of rows of `N` vectors.
    fn add_dots_of<const N: usize>(&self, b: Panel<F>, c: Panel<F>, dots: &mut [F], next: Next<F>) {
        let pieces = self.inner.div_ceil(INNER);
        let ahead = &mut Ahead::new(next, self.rows.div_ceil(LANES) * PAIRS * pieces);
        scratch((PLACES + (LANES + INNER) * N) * LANES, |memory| {
            let (products, memory) = memory.split_at_mut(PLACES * LANES);
            let (b_memory, c_memory) = memory.split_at_mut(LANES * N * LANES);
            let products = products.as_chunks_mut::<LANES>().0;
            for piece in 0..pieces {
                let at = piece * INNER..self.inner.min((piece + 1) * INNER);
                let c = c.rows::<N>(at, c_memory);
                for start in (0..self.rows).step_by(LANES) {
                    let b = b.rows::<N>(start..self.rows.min(start + LANES), b_memory);
                    let list = start / LANES * pieces + piece;
                    let dots = &mut dots[list * PIECE..][..PIECE];
                    vectorised(
                        #[inline(always)]
                        || self.add_piece_dots(list, b, c, products, dots, ahead),
                    );
                }
            }
        });
    }

    /// A group's piece of the columns.
    #[inline(always)]
    fn add_piece_dots<const N: usize>(
        &self,
        list: usize,
        b: &[Vectors<F, N>],         // (group)
        c: &[Vectors<F, N>],         // (piece)
        products: &mut [[F; LANES]], // (PLACES)
        dots: &mut [F],              // (PAIRS, PLACES)
        ahead: &mut Ahead<F>,
    ) {
        let pairs = self.pairs(list).zip(b.chunks(2));
        for ((pair, b), dots) in pairs.zip(dots.chunks_exact_mut(PLACES)) {
            F::dot_pair(pair, [&b[0], &b[b.len() - 1]], c, products);
            ahead.fetch();
            let tiles = products.as_chunks::<LANES>().0.iter();
            let sums = dots.as_chunks_mut::<LANES>().0.iter_mut().zip(tiles);
            for (sums, tile) in sums.take(pair.len().div_ceil(LANES)) {
                for (sum, v) in sums.iter_mut().zip(F::row_sums(tile)) {
                    *sum += v;
                }
            }
        }
    }

    /// Puts `dots` where they belong in `out`, `(rows, inner)`, and zeros between them.
    pub(crate) fn spread(&self, dots: &[F], out: &mut [F]) {
        let (inner, pieces) = (self.inner, self.inner.div_ceil(INNER));
        let out = Rows::new(&mut out[..self.rows * inner], LANES * inner);
        in_parts(self.rows.div_ceil(LANES), 1, out, &|group, out: Rows<F>| {
            out.data.fill(F::ZERO);
            for piece in 0..pieces {
                let list = group.start * pieces + piece;
                let dots = dots[list * PIECE..].chunks_exact(PLACES);
                let rows = out.data.chunks_mut(2 * inner);
                for ((pair, dots), rows) in self.pairs(list).zip(dots).zip(rows) {
                    for (at, &dot) in pair.places(inner).zip(dots) {
                        rows[piece * INNER + at] = dot;
                    }
                }
            }
        });
    }
}

impl<F> Pair<'_, F> {
    /// How many values are listed.
    #[inline(always)]
    fn len(&self) -> usize {
        2 * self.both.len() + self.single[0].len() + self.single[1].len()
    }

    /// Where the values stand in two rows of that stride, in the order of the lists.
    fn places(&self, stride: usize) -> impl Iterator<Item = usize> {
        let both = self.both.iter().flat_map(move |&(at, _)| [at as usize, stride + at as usize]);
        let [one, other] = self.single;
        let one = one.iter().map(|&(at, _)| at as usize);
        both.chain(one).chain(other.iter().map(move |&(at, _)| stride + at as usize))
    }
}

/// Each value's row of `c` times its row of the pair, up to the sum over lanes.
#[inline(always)]
pub(crate) fn dot_plainly<F: Real, const N: usize>(
    pair: Pair<F>,
    rows: [&Vectors<F, N>; 2],
    c: &[Vectors<F, N>],
    products: &mut [[F; LANES]],
) {
    let mut next = products.iter_mut();
    let mut put = |row: usize, at: u32| {
        let mut sums = [F::ZERO; LANES];
        for (v, w) in rows[row].iter().zip(&c[at as usize]) {
            for ((sum, &v), &w) in sums.iter_mut().zip(v).zip(w) {
                *sum = v.mul_add(w, *sum);
            }
        }
        if let Some(product) = next.next() {
            *product = sums;
        }
    };
    pair.both.iter().for_each(|&(at, _)| [0, 1].into_iter().for_each(|row| put(row, at)));
    for (row, single) in pair.single.into_iter().enumerate() {
        single.iter().for_each(|&(at, _)| put(row, at));
    }
}

/// The sum of each row of a tile.
#[inline(always)]
pub(crate) fn row_sums_plainly<F: Real>(tile: &Tile<F>) -> [F; LANES] {
    tile.map(|row| row.into_iter().fold(F::ZERO, |sum, v| sum + v))
}

/// [`dot_plainly`] with the pair's rows in registers. Loops alone: a closure would not be compiled
/// for these instructions.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn dot_v4<const N: usize>(
    simd: pulp::x86::V4,
    pair: Pair<f32>,
    rows: [&Vectors<f32, N>; 2],
    c: &[Vectors<f32, N>],
    products: &mut [[f32; LANES]],
) {
    use pulp::{Simd, cast, f32x16};

    let zero = simd.splat_f32s(0.0);
    let mut at_hand: [[f32x16; N]; 2] = [[zero; N]; 2];
    for row in 0..2 {
        for k in 0..N {
            at_hand[row][k] = cast(rows[row][k]);
        }
    }
    let (both, singles) = products.split_at_mut(2 * pair.both.len());
    for (&(column, _), to) in pair.both.iter().zip(both.as_chunks_mut::<2>().0) {
        let vectors = &c[column as usize];
        let (mut first, mut second) = (zero, zero);
        for k in 0..N {
            let vector = cast(vectors[k]);
            first = simd.mul_add_f32s(at_hand[0][k], vector, first);
            second = simd.mul_add_f32s(at_hand[1][k], vector, second);
        }
        *to = [cast(first), cast(second)];
    }
    let (one, other) = singles.split_at_mut(pair.single[0].len());
    for (row, to) in [one, other].into_iter().enumerate() {
        for (&(column, _), to) in pair.single[row].iter().zip(to) {
            let vectors = &c[column as usize];
            let mut sum = zero;
            for k in 0..N {
                sum = simd.mul_add_f32s(at_hand[row][k], cast(vectors[k]), sum);
            }
            *to = cast(sum);
        }
    }
}

/// [`row_sums_plainly`] of all rows together: each step halves the vectors.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn row_sums_v4(simd: pulp::x86::V4, tile: &Tile<f32>) -> [f32; LANES] {
    use std::arch::x86_64::__m512;

    const LOW: i32 = 0b01_00_01_00;
    const HIGH: i32 = 0b11_10_11_10;
    const EVEN: i32 = 0b10_00_10_00;
    const ODD: i32 = 0b11_01_11_01;
    let f = simd.avx512f;
    let rows: [__m512; LANES] = pulp::cast(*tile);
    // Lanes of 128 bits, each of four rows' sums over the lane.
    let mut fours = [rows[0]; 4];
    for i in 0..4 {
        let of = [rows[4 * i], rows[4 * i + 1], rows[4 * i + 2], rows[4 * i + 3]];
        let low =
            f._mm512_add_ps(f._mm512_unpacklo_ps(of[0], of[1]), f._mm512_unpackhi_ps(of[0], of[1]));
        let high =
            f._mm512_add_ps(f._mm512_unpacklo_ps(of[2], of[3]), f._mm512_unpackhi_ps(of[2], of[3]));
        fours[i] = f._mm512_add_ps(
            f._mm512_shuffle_ps::<LOW>(low, high),
            f._mm512_shuffle_ps::<HIGH>(low, high),
        );
    }
    let mut eights = [rows[0]; 2];
    for i in 0..2 {
        let of = [fours[2 * i], fours[2 * i + 1]];
        eights[i] = f._mm512_add_ps(
            f._mm512_shuffle_f32x4::<EVEN>(of[0], of[1]),
            f._mm512_shuffle_f32x4::<ODD>(of[0], of[1]),
        );
    }
    pulp::cast(f._mm512_add_ps(
        f._mm512_shuffle_f32x4::<EVEN>(eights[0], eights[1]),
        f._mm512_shuffle_f32x4::<ODD>(eights[0], eights[1]),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::{Mat, matmul};
    use crate::testing::buf;

    fn are_the_product_where_it_is_wanted<F: Real>(tolerance: f64) {
        let number = |i: usize| F::of(((i * 7919 + i / 13) % 101) as f64 / 101.0 - 0.5);
        for (rows, inner, genes) in
            [(1, 1, 1), (2, 32, 64), (7, 5, 40), (128, 128, 192), (37, 70, 65)]
        {
            let a: Vec<F> = (0..rows * inner)
                .map(|i| if number(i) > F::ZERO { number(i) } else { F::ZERO })
                .collect();
            let b: Vec<F> = (0..genes * rows).map(|i| number(i + 1)).collect();
            let c: Vec<F> = (0..inner * genes).map(|i| number(i + 2)).collect();
            // Whole vectors of an aligned buffer are read where they are.
            let c = buf(&c);
            let (b, c) = (Mat::new(&b, genes, rows), Mat::new(&c, inner, genes));
            let mut want = vec![F::ZERO; rows * inner];
            matmul(b.t(), c.t(), &mut want, inner, F::ZERO);
            let mut nonzeros = Nonzeros::new(rows, inner);
            nonzeros.find(Mat::new(&a, rows, inner));
            let mut memory = vec![F::ZERO; Panel::len(b.t()) + LANES];
            let start = memory.as_ptr().align_offset(crate::CACHE_LINE);
            let panel = Panel::transposed(b, &mut memory[start..]);
            // Twice, for they are added.
            let mut dots = vec![F::ZERO; Nonzeros::<F>::dots_len(rows, inner)];
            for _ in 0..2 {
                nonzeros.add_dots(panel, Panel::new(c), &mut dots, Next::new());
            }
            let mut got = vec![F::of(f64::NAN); rows * inner];
            nonzeros.spread(&dots, &mut got);
            for ((got, want), a) in got.iter().zip(want).zip(a) {
                let want = if a == F::ZERO { 0.0 } else { 2.0 * want.to_f64() };
                let error = (got.to_f64() - want).abs();
                assert!(error <= tolerance * (1.0 + want.abs()), "{got} {want}");
            }
        }
    }

    #[test]
    fn of_values_alone_and_zeros_elsewhere() {
        are_the_product_where_it_is_wanted::<f32>(1e-5);
        are_the_product_where_it_is_wanted::<f64>(1e-13);
    }
}
