//! A few numbers a row: one thread.

use super::RepeatDims;
use crate::real::Real;
use crate::simd::vectorised;

pub(crate) fn repeat_rows_cpu<F: Real>(x: &[F], y: &mut [F], d: RepeatDims) {
    let repeated = y.chunks_exact_mut(d.width).take(d.rows * d.times);
    for (k, y) in repeated.enumerate() {
        y.copy_from_slice(&x[k / d.times * d.width..][..d.width]);
    }
}

pub(crate) fn repeat_rows_grad_cpu<F: Real>(dy: &[F], dx: &mut [F], d: RepeatDims) {
    vectorised(
        #[inline(always)]
        || {
            let repeated = dy.chunks_exact(d.width).take(d.rows * d.times);
            for (k, dy) in repeated.enumerate() {
                let dx = &mut dx[k / d.times * d.width..][..d.width];
                dx.iter_mut().zip(dy).for_each(|(dx, &dy)| *dx += dy);
            }
        },
    );
}
