//! Clipping on the processor.

use crate::ops::{Rows, in_parts, scratch};
use crate::real::Real;
use crate::simd::vectorised;

/// Numbers that one thread takes at a time: the order of sums does not depend on threads.
const PART: usize = 1 << 14;

/// Sums that a part keeps at a time, so that the loop vectorises.
const SUMS: usize = 8;

/// Added to the norm before dividing by it, as torch does.
const EPS: f64 = 1e-6;

/// `sum[0]` = Σ x², or `sum[0]` += Σ x² to accumulate.
pub(crate) fn sum_of_squares_cpu<F: Real>(x: &[F], sum: &mut [F], accumulate: bool) {
    let parts = x.len().div_ceil(PART);
    let total = scratch(parts, |sums: &mut [f64]| {
        in_parts(parts, 1, Rows::new(sums, 1), &|part, out: Rows<f64>| {
            let start = part.start * PART;
            out.data[0] = squares(&x[start..x.len().min(start + PART)]);
        });
        sums.iter().sum::<f64>()
    });
    let before = if accumulate { sum[0].to_f64() } else { 0.0 };
    sum[0] = F::of(before + total);
}

fn squares<F: Real>(x: &[F]) -> f64 {
    vectorised(
        #[inline(always)]
        || {
            let mut sums = [0.0; SUMS];
            let chunks = x.chunks_exact(SUMS);
            let rest = chunks.remainder();
            for chunk in chunks {
                for (sum, v) in sums.iter_mut().zip(chunk) {
                    *sum += v.to_f64() * v.to_f64();
                }
            }
            for (sum, v) in sums.iter_mut().zip(rest) {
                *sum += v.to_f64() * v.to_f64();
            }
            sums.iter().sum()
        },
    )
}

/// Scales a gradient by what keeps the norm of all gradients, `√sum[0]`, below `max_norm`.
pub(crate) fn clip_by_norm_cpu<F: Real>(grad: &mut [F], sum: &[F], max_norm: f64) {
    let factor = F::of((max_norm / (sum[0].to_f64().sqrt() + EPS)).min(1.0));
    each_part(grad, &|part| part.iter_mut().for_each(|g| *g *= factor));
}

/// Bounds every number of a gradient.
pub(crate) fn clip_by_value_cpu<F: Real>(grad: &mut [F], limit: f64) {
    let limit = F::of(limit);
    each_part(grad, &|part| {
        part.iter_mut().for_each(|g| {
            let above = if *g > limit { limit } else { *g };
            *g = if above < -limit { -limit } else { above };
        });
    });
}

fn each_part<F: Real>(grad: &mut [F], op: &(impl Fn(&mut [F]) + Sync)) {
    let n = grad.len();
    in_parts(n, PART, Rows::new(grad, 1), &|_, part: Rows<F>| {
        vectorised(
            #[inline(always)]
            || op(part.data),
        );
    });
}
