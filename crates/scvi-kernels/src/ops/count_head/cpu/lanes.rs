//! Sums over a row of cells, in a fixed order that runs over vector lanes.

use crate::LANES;
use crate::real::Real;

/// Σ values.
#[inline(always)]
pub(super) fn lane_sum<F: Real>(values: &[F]) -> F {
    let mut lanes = [F::ZERO; LANES];
    for chunk in values.chunks_exact(LANES) {
        for (lane, &v) in lanes.iter_mut().zip(chunk) {
            *lane += v;
        }
    }
    lanes.into_iter().sum()
}

/// Σ a b.
#[inline(always)]
pub(super) fn lane_dot<F: Real>(a: &[F], b: &[F]) -> F {
    let mut lanes = [F::ZERO; LANES];
    for (a, b) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for i in 0..LANES {
            lanes[i] = a[i].mul_add(b[i], lanes[i]);
        }
    }
    lanes.into_iter().sum()
}
