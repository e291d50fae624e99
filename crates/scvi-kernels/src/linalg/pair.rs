//! Sums of two rows at a time: the inner loop of a product that skips zeros.

use crate::LANES;
use crate::real::Real;

/// What is not zero in a pair of rows, or in a piece of it.
#[derive(Clone, Copy)]
pub struct Pair<'a, F> {
    /// column, and the values of both rows
    pub(super) both: &'a [(u32, [F; 2])],
    /// of the rows one by one: column and value, where the other row is zero
    pub(super) single: [&'a [(u32, F)]; 2],
}

/// `N` vectors.
pub(crate) type Vectors<F, const N: usize> = [[F; LANES]; N];

/// `sums = keep * sums + pair panel`: each row's values times the panel's row of their column.
#[inline(always)]
pub(crate) fn add_plainly<F: Real, const N: usize>(
    pair: Pair<F>,
    panel: &[Vectors<F, N>],
    sums: &mut [Vectors<F, N>; 2],
    keep: bool,
) {
    if !keep {
        sums.as_flattened_mut().as_flattened_mut().fill(F::ZERO);
    }
    for &(column, values) in pair.both {
        for (value, sums) in values.into_iter().zip(&mut *sums) {
            add(value, &panel[column as usize], sums);
        }
    }
    for (single, sums) in pair.single.into_iter().zip(sums) {
        for &(column, value) in single {
            add(value, &panel[column as usize], sums);
        }
    }
}

#[inline(always)]
fn add<F: Real, const N: usize>(value: F, vectors: &Vectors<F, N>, sums: &mut Vectors<F, N>) {
    for (sum, &v) in sums.as_flattened_mut().iter_mut().zip(vectors.as_flattened()) {
        *sum = value.mul_add(v, *sum);
    }
}

/// [`add_plainly`] with the sums in registers, which compilers manage now and then only. Loops
/// alone: a closure would not be compiled for these instructions.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn add_v4<const N: usize>(
    simd: pulp::x86::V4,
    pair: Pair<f32>,
    panel: &[Vectors<f32, N>],
    sums: &mut [Vectors<f32, N>; 2],
    keep: bool,
) {
    use pulp::{Simd, cast, f32x16};

    let zero = simd.splat_f32s(0.0);
    let mut at_hand: [[f32x16; N]; 2] = [[zero; N]; 2];
    if keep {
        for row in 0..2 {
            for k in 0..N {
                at_hand[row][k] = cast(sums[row][k]);
            }
        }
    }
    for &(column, values) in pair.both {
        let vectors = &panel[column as usize];
        let (first, second) = (simd.splat_f32s(values[0]), simd.splat_f32s(values[1]));
        for k in 0..N {
            let vector = cast(vectors[k]);
            at_hand[0][k] = simd.mul_add_f32s(first, vector, at_hand[0][k]);
            at_hand[1][k] = simd.mul_add_f32s(second, vector, at_hand[1][k]);
        }
    }
    for row in 0..2 {
        for &(column, value) in pair.single[row] {
            let (value, vectors) = (simd.splat_f32s(value), &panel[column as usize]);
            for k in 0..N {
                at_hand[row][k] = simd.mul_add_f32s(value, cast(vectors[k]), at_hand[row][k]);
            }
        }
        for k in 0..N {
            sums[row][k] = cast(at_hand[row][k]);
        }
    }
}
