//! A few labels a cell: one thread.

use super::LabelMixture;
use crate::cpu::Cpu;
use crate::ops::scratch;
use crate::real::Real;
use crate::simd::vectorised;

pub(crate) fn label_mixture_cpu<F: Real>(
    io: LabelMixture<'_, Cpu<F>>,
    [cells, labels]: [usize; 2],
) {
    let LabelMixture { logits, log_prob, kl, log_q, prior, .. } = io;
    let LabelMixture { probabilities, reconstruction_loss, kl_local, mut grad, .. } = io;
    let total: F = prior[..labels].iter().copied().sum();
    scratch(3 * labels, |memory| {
        let (ln_prior, memory) = memory.split_at_mut(labels);
        let (ln_w, cost) = memory.split_at_mut(labels);
        for (ln_prior, &prior) in ln_prior.iter_mut().zip(&prior[..labels]) {
            *ln_prior = (prior / total).ln();
        }
        vectorised(
            #[inline(always)]
            || {
                for cell in 0..cells {
                    let row = cell * labels..(cell + 1) * labels;
                    let (log_prob, kl) = (&log_prob[row.clone()], &kl[row.clone()]);
                    let w = &mut probabilities[row.clone()];
                    log_softmax(&logits[row.clone()], ln_w, w);
                    let (mut density, mut divergence) = (F::ZERO, F::ZERO);
                    for y in 0..labels {
                        density += w[y] * log_prob[y];
                        divergence += w[y] * (kl[y] + ln_w[y] - ln_prior[y]);
                    }
                    reconstruction_loss[cell] += log_q[cell] - density;
                    kl_local[cell] = divergence;
                    let Some(grad) = &mut grad else { continue };
                    let mut mean = F::ZERO;
                    for y in 0..labels {
                        let kl = kl[y] + ln_w[y] - ln_prior[y];
                        cost[y] = grad.kl_weight * kl - log_prob[y];
                        mean += w[y] * cost[y];
                    }
                    let d_logits = &mut grad.d_logits[row];
                    for y in 0..labels {
                        d_logits[y] = grad.weight * w[y] * (cost[y] - mean);
                    }
                }
            },
        );
    });
}

/// ln softmax(u) and softmax(u) of one cell.
#[inline(always)]
pub(crate) fn log_softmax<F: Real>(u: &[F], ln_w: &mut [F], w: &mut [F]) {
    let top = u.iter().fold(u[0], |top, &v| top.max(v));
    let mut sum = F::ZERO;
    for &u in u {
        sum += (u - top).exp();
    }
    let ln_sum = sum.ln();
    for ((ln_w, w), &u) in ln_w.iter_mut().zip(w).zip(u) {
        *ln_w = u - top - ln_sum;
        *w = ln_w.exp();
    }
}
