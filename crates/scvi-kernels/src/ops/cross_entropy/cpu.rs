//! A few labels a cell: one thread.

use super::CrossEntropy;
use crate::cpu::Cpu;
use crate::ops::label_mixture::log_softmax;
use crate::ops::scratch;
use crate::real::Real;
use crate::simd::vectorised;

pub(crate) fn cross_entropy_cpu<F: Real>(
    io: CrossEntropy<'_, Cpu<F>>,
    [cells, n_labels]: [usize; 2],
) {
    let CrossEntropy { logits, labels, losses, mut grad } = io;
    scratch(2 * n_labels, |memory| {
        let (ln_p, p) = memory.split_at_mut(n_labels);
        vectorised(
            #[inline(always)]
            || {
                let rows = logits.chunks_exact(n_labels).take(cells);
                for (cell, (u, &label)) in rows.zip(labels).enumerate() {
                    log_softmax(u, ln_p, p);
                    losses[cell] = -ln_p[label as usize];
                    let Some((weight, du)) = &mut grad else { continue };
                    let du = &mut du[cell * n_labels..][..n_labels];
                    du.iter_mut().zip(&*p).for_each(|(du, &p)| *du = *weight * p);
                    du[label as usize] += -*weight;
                }
            },
        );
    });
}
