//! Sums of weighted rows: the inner loop of a product with a sparse matrix.

use super::Vectors;
use crate::LANES;
use crate::real::Real;

/// `row += Σ weight * table[index]` over the terms `(index, weight)`; the table has rows as long as
/// `row`.
#[inline(always)]
pub(crate) fn add_weighted_rows<F: Real>(
    row: &mut [F],
    table: &[F],
    terms: impl Iterator<Item = (u32, F)> + Clone,
) {
    let stride = row.len();
    let (vectors, rest) = row.as_chunks_mut::<LANES>();
    // The sums of eight vectors are in registers at a time, then of four, then of one; the terms
    // are read again for each.
    let (eights, vectors) = vectors.as_chunks_mut::<8>();
    let (fours, ones) = vectors.as_chunks_mut::<4>();
    let first = add_columns(eights, table, stride, 0, &terms);
    let first = add_columns(fours, table, stride, first, &terms);
    let first = add_columns(ones.as_chunks_mut::<1>().0, table, stride, first, &terms);
    if !rest.is_empty() {
        add_terms(terms, &table[first.min(table.len())..], stride, rest);
    }
}

/// Sums of the columns from `first` on, `N` vectors at a time; where the next ones begin.
#[inline(always)]
fn add_columns<F: Real, const N: usize>(
    sums: &mut [Vectors<F, N>],
    table: &[F],
    stride: usize,
    first: usize,
    terms: &(impl Iterator<Item = (u32, F)> + Clone),
) -> usize {
    let mut first = first;
    for sums in sums {
        // A table without rows has no such column, and there are no terms.
        F::add_rows(terms.clone(), &table[first.min(table.len())..], stride, sums);
        first += N * LANES;
    }
    first
}

/// `sums += Σ weight * table[index]` of `N` vectors of rows that are `stride` apart.
#[inline(always)]
pub(crate) fn add_rows_plainly<F: Real, const N: usize>(
    terms: impl Iterator<Item = (u32, F)>,
    table: &[F],
    stride: usize,
    sums: &mut Vectors<F, N>,
) {
    add_terms(terms, table, stride, sums.as_flattened_mut());
}

/// The same of as many columns as there are sums, four rows of the table at a time.
#[inline(always)]
fn add_terms<F: Real>(
    mut terms: impl Iterator<Item = (u32, F)>,
    table: &[F],
    stride: usize,
    sums: &mut [F],
) {
    let n = sums.len();
    let at = |i: u32| &table[i as usize * stride..][..n];
    loop {
        let four = [terms.next(), terms.next(), terms.next(), terms.next()];
        if let [Some((i, a)), Some((j, b)), Some((k, c)), Some((l, d))] = four {
            let (w, x, y, z) = (at(i), at(j), at(k), at(l));
            for m in 0..n {
                let low = b.mul_add(x[m], a.mul_add(w[m], sums[m]));
                sums[m] = low + c.mul_add(y[m], d * z[m]);
            }
            continue;
        }
        for (index, weight) in four.into_iter().flatten() {
            for (sum, &v) in sums.iter_mut().zip(at(index)) {
                *sum = weight.mul_add(v, *sum);
            }
        }
        return;
    }
}

/// [`add_rows_plainly`] with the sums in registers.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn add_rows_v4<const N: usize>(
    simd: pulp::x86::V4,
    terms: impl Iterator<Item = (u32, f32)>,
    table: &[f32],
    stride: usize,
    sums: &mut Vectors<f32, N>,
) {
    use pulp::{Simd, cast, f32x16};

    let mut at_hand: [f32x16; N] = [simd.splat_f32s(0.0); N];
    for k in 0..N {
        at_hand[k] = cast(sums[k]);
    }
    for (index, weight) in terms {
        let weight = simd.splat_f32s(weight);
        let row = table[index as usize * stride..][..N * LANES].as_chunks::<LANES>().0;
        for k in 0..N {
            at_hand[k] = simd.mul_add_f32s(weight, cast(row[k]), at_hand[k]);
        }
    }
    for k in 0..N {
        sums[k] = cast(at_hand[k]);
    }
}
