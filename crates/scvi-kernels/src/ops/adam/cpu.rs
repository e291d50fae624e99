//! Adam over slices.

use std::ops::Range;

use crate::backend::{AdamIo, AdamStep, GradSink};
use crate::cpu::Cpu;
use crate::ops::{Sink, Split, in_parts};
use crate::real::Real;
use crate::simd::vectorised;

/// Numbers that one thread takes at a time.
const PART: usize = 1 << 14;

/// One step on a range of a parameter whose gradient was stored, by all threads.
pub(crate) fn adam_in_parts_cpu<F: Real>(io: AdamIo<Cpu<F>>, range: Range<usize>) {
    let AdamIo { value, grad, m, v, mask, step } = io;
    let n = value.len();
    let sink = match mask {
        None => GradSink::Adam { value, m, v, step },
        Some(mask) => GradSink::AdamWhere { value, m, v, step, mask },
    };
    let (_, rest) = Sink::new(sink, n, 1).split(range.start);
    let (sink, _) = rest.split(range.len());
    in_parts(range.len(), PART, sink, &|part, mut sink: Sink<F>| {
        sink.take(0, &grad[range.start..][part]);
    });
}

/// One step on a slice of a parameter.
pub(crate) fn adam_cpu<F: Real>(w: &mut [F], m: &mut [F], v: &mut [F], g: &[F], step: AdamStep<F>) {
    vectorised(
        #[inline(always)]
        || update(w, m, v, g, step),
    );
}

/// The same where `mask` is not 0: the other numbers stay bit-identical, whatever their gradient,
/// their moments and the weight decay.
pub(crate) fn adam_where_cpu<F: Real>(
    w: &mut [F],
    m: &mut [F],
    v: &mut [F],
    g: &[F],
    step: AdamStep<F>,
    mask: &[F],
) {
    vectorised(
        #[inline(always)]
        || {
            for i in 0..g.len() {
                let before = w[i];
                update(&mut w[i..=i], &mut m[i..=i], &mut v[i..=i], &g[i..=i], step);
                w[i] = if mask[i] == F::ZERO { before } else { w[i] };
            }
        },
    );
}

#[inline(always)]
fn update<F: Real>(w: &mut [F], m: &mut [F], v: &mut [F], g: &[F], s: AdamStep<F>) {
    let n = g.len();
    let (w, m, v) = (&mut w[..n], &mut m[..n], &mut v[..n]);
    let (one1, one2) = (F::ONE - s.beta1, F::ONE - s.beta2);
    for i in 0..n {
        let grad = s.weight_decay.mul_add(w[i], g[i]);
        m[i] = s.beta1.mul_add(m[i], one1 * grad);
        v[i] = s.beta2.mul_add(v[i], one2 * grad * grad);
        let moved = s.step_size * m[i] / v[i].sqrt().mul_add(s.inv_sqrt_bias2, s.eps);
        w[i] = w[i] * s.shrink - moved;
    }
}
