//! Where two rows are not zero, written down in the order in which products read it.

use super::Pair;
use super::nonzeros::INNER;
use crate::LANES;
use crate::real::Real;

/// Columns that both rows have, with the values of both, and those that one has alone: the second
/// row's after the first's.
pub(super) type Lists<'a, F> = (&'a [(u32, [F; 2])], &'a [(u32, F)]);

/// The same to be written, with space for a vector after the last: vectors are written whole.
pub(crate) type ListsMut<'a, F> = (&'a mut [(u32, [F; 2])], &'a mut [(u32, F)]);

/// How many values a pair lists, each at most [`INNER`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    both: u8,
    single: [u8; 2],
}

impl Counts {
    /// In both rows, and in one alone.
    pub(super) fn lens(self) -> [usize; 2] {
        [self.both.into(), usize::from(self.single[0]) + usize::from(self.single[1])]
    }

    /// How many values are not zero.
    pub(super) fn n_values(self) -> usize {
        let [both, single] = self.lens();
        2 * both + single
    }

    /// The pair whose lists come first; `lists` goes on behind it.
    #[inline(always)]
    pub(super) fn take<'a, F>(self, lists: &mut Lists<'a, F>) -> Pair<'a, F> {
        let (both, rest) = lists.0.split_at(self.both.into());
        let (one, singles) = lists.1.split_at(self.single[0].into());
        let (other, singles) = singles.split_at(self.single[1].into());
        *lists = (rest, singles);
        Pair { both, single: [one, other] }
    }
}

/// Lists what is not zero in two rows of at most [`INNER`] columns.
#[inline(always)]
pub(crate) fn list_plainly<F: Real>(rows: [&[F]; 2], (both, single): ListsMut<F>) -> Counts {
    let (mut n_both, mut n_single) = (0, [0; 2]);
    // Every place is written, and stays where it counts: no branch can be foreseen here.
    for (at, (&a, &b)) in rows[0].iter().zip(rows[1]).enumerate() {
        let [in_a, in_b] = [a, b].map(|v| v != F::ZERO);
        both[n_both] = (at as u32, [a, b]);
        single[n_single[0]] = (at as u32, a);
        n_both += usize::from(in_a & in_b);
        n_single[0] += usize::from(in_a & !in_b);
    }
    for (at, (&a, &b)) in rows[0].iter().zip(rows[1]).enumerate() {
        single[n_single[0] + n_single[1]] = (at as u32, b);
        n_single[1] += usize::from((b != F::ZERO) & (a == F::ZERO));
    }
    Counts { both: n_both as u8, single: n_single.map(|n| n as u8) }
}

/// [`list_plainly`], a vector at a time. Loops alone: a closure would not be compiled for these
/// instructions.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn list_v4(
    simd: pulp::x86::V4,
    rows: [&[f32]; 2],
    (both, single): ListsMut<f32>,
) -> Counts {
    use std::arch::x86_64::_CMP_NEQ_UQ;

    use pulp::cast;

    // Of a row; a piece is whole vectors.
    const PARTS: usize = INNER / LANES;
    let f = simd.avx512f;
    let zero = f._mm512_setzero_ps();
    let lanes = f._mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    let (mut columns, mut values) = ([lanes; PARTS], [[zero; PARTS]; 2]);
    let mut masks = [[0u16; PARTS]; 2];
    for k in 0..PARTS {
        columns[k] = f._mm512_add_epi32(lanes, f._mm512_set1_epi32((k * LANES) as i32));
        for row in 0..2 {
            values[row][k] = cast(vector(rows[row], k * LANES));
            masks[row][k] = f._mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(values[row][k], zero);
        }
    }
    let mut n_both = 0;
    for k in 0..PARTS {
        let mask = masks[0][k] & masks[1][k];
        let columns: [u32; LANES] = cast(f._mm512_maskz_compress_epi32(mask, columns[k]));
        let a: [f32; LANES] = cast(f._mm512_maskz_compress_ps(mask, values[0][k]));
        let b: [f32; LANES] = cast(f._mm512_maskz_compress_ps(mask, values[1][k]));
        let to = &mut both[n_both..][..LANES];
        for i in 0..LANES {
            to[i] = (columns[i], [a[i], b[i]]);
        }
        n_both += mask.count_ones() as usize;
    }
    let mut n_single = [0; 2];
    for row in 0..2 {
        for k in 0..PARTS {
            let mask = masks[row][k] & !masks[1 - row][k];
            let columns: [u32; LANES] = cast(f._mm512_maskz_compress_epi32(mask, columns[k]));
            let alone: [f32; LANES] = cast(f._mm512_maskz_compress_ps(mask, values[row][k]));
            let to = &mut single[n_single[0] + n_single[1]..][..LANES];
            for i in 0..LANES {
                to[i] = (columns[i], alone[i]);
            }
            n_single[row] += mask.count_ones() as usize;
        }
    }
    Counts { both: n_both as u8, single: n_single.map(|n| n as u8) }
}

/// The vector that begins at a column, with zeros behind the row's end.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn vector(row: &[f32], start: usize) -> [f32; LANES] {
    let rest = &row[start.min(row.len())..];
    if let Some(vector) = rest.first_chunk() {
        return *vector;
    }
    let mut vector = [0.0; LANES];
    vector[..rest.len()].copy_from_slice(rest);
    vector
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::MicroKernels;
    use crate::simd::vectorised;

    #[test]
    fn lists_are_those_of_the_plain_loops() {
        let number = |i: usize| ((i * 7919 + i / 13) % 101) as f32 - 50.0;
        let row = |n: usize, seed: usize| -> Vec<f32> {
            let mut row: Vec<f32> = (0..n).map(|i| number(i * 3 + seed).max(0.0)).collect();
            // What is not a number is no zero, but both signs of zero are.
            if n > 5 {
                (row[2], row[4], row[5]) = (f32::NAN, -0.0, f32::MIN_POSITIVE / 2.0);
            }
            row
        };
        for n in [0, 1, 5, 15, 16, 17, 31, 32] {
            let rows = [row(n, 1), row(n, 40)];
            let zeros = vec![0.0; n];
            for rows in [[&rows[0], &rows[1]], [&rows[0], &zeros], [&zeros, &zeros]] {
                let rows = rows.map(|row| &row[..]);
                let [got, want] = [true, false].map(|fast| {
                    let mut both = vec![(9, [9.0; 2]); INNER + LANES];
                    let mut single = vec![(9, 9.0); 2 * INNER + LANES];
                    let lists = (&mut both[..], &mut single[..]);
                    let counts = match fast {
                        true => vectorised(|| f32::list(rows, lists)),
                        false => list_plainly(rows, lists),
                    };
                    let [n_both, n_single] = counts.lens();
                    let both = both[..n_both].iter().map(|&(at, v)| (at, v.map(f32::to_bits)));
                    let single = single[..n_single].iter().map(|&(at, v)| (at, v.to_bits()));
                    (counts.single, both.collect::<Vec<_>>(), single.collect::<Vec<_>>())
                });
                assert_eq!(got, want, "{n} columns");
            }
        }
    }
}
