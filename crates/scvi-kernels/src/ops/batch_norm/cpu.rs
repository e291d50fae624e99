//! Batch normalisation of a few hundred features: one thread, lanes over features.

use crate::backend::{BatchNormEval, BatchNormKept, BatchNormState};
use crate::cpu::Cpu;
use crate::ops::{Sink, scratch};
use crate::real::Real;
use crate::simd::vectorised;

pub(crate) fn batch_norm_train_cpu<F: Real>(
    s: BatchNormState<'_, Cpu<F>>,
    [cells, features]: [usize; 2],
    x: &mut [F],
) {
    let x = &mut x[..cells * features];
    let normalised = &mut s.normalised[..cells * features];
    let inv_std = &mut s.inv_std[..features];
    let (gamma, beta) = (&s.gamma[..features], &s.beta[..features]);
    let n = F::of(cells as f64);
    scratch(2 * features, |moments| {
        let (mean, var) = moments.split_at_mut(features);
        let var = &mut var[..features];
        vectorised(
            #[inline(always)]
            || {
                mean.fill(F::ZERO);
                var.fill(F::ZERO);
                for row in x.chunks_exact(features) {
                    for (m, &v) in mean.iter_mut().zip(row) {
                        *m += v;
                    }
                }
                mean.iter_mut().for_each(|m| *m = *m / n);
                for row in x.chunks_exact(features) {
                    let (row, mean) = (&row[..features], &mean[..features]);
                    for j in 0..features {
                        let d = row[j] - mean[j];
                        var[j] = d.mul_add(d, var[j]);
                    }
                }
                let keep = F::of(1.0 - s.momentum);
                let take = F::of(s.momentum);
                let unbias = F::of(s.momentum / (cells as f64 - 1.0).max(1.0));
                for j in 0..features {
                    s.running_mean[j] = keep * s.running_mean[j] + take * mean[j];
                    s.running_var[j] = keep * s.running_var[j] + unbias * var[j];
                    inv_std[j] = F::ONE / (var[j] / n + F::of(s.eps)).sqrt();
                }
                let rows = x.chunks_exact_mut(features);
                let mean = &mean[..features];
                for (row, hat) in rows.zip(normalised.chunks_exact_mut(features)) {
                    let (row, hat) = (&mut row[..features], &mut hat[..features]);
                    for j in 0..features {
                        hat[j] = (row[j] - mean[j]) * inv_std[j];
                        row[j] = gamma[j].mul_add(hat[j], beta[j]);
                    }
                }
            },
        );
    });
}

pub(crate) fn batch_norm_eval_cpu<F: Real>(
    s: BatchNormEval<'_, Cpu<F>>,
    [cells, features]: [usize; 2],
    x: &mut [F],
) {
    scratch(2 * features, |line| {
        let (slope, shift) = line.split_at_mut(features);
        vectorised(
            #[inline(always)]
            || {
                for j in 0..features {
                    slope[j] = s.gamma[j] / (s.running_var[j] + F::of(s.eps)).sqrt();
                    shift[j] = s.beta[j] - slope[j] * s.running_mean[j];
                }
                for row in x[..cells * features].chunks_exact_mut(features) {
                    for j in 0..features {
                        row[j] = slope[j].mul_add(row[j], shift[j]);
                    }
                }
            },
        );
    });
}

pub(crate) fn batch_norm_grad_cpu<F: Real>(
    kept: BatchNormKept<'_, Cpu<F>>,
    [cells, features]: [usize; 2],
    dy: &mut [F],
    mut gamma: Sink<'_, F>,
    mut beta: Sink<'_, F>,
) {
    let dy = &mut dy[..cells * features];
    let normalised = &kept.normalised[..cells * features];
    let inv_n = F::of(1.0 / cells as f64);
    scratch(2 * features, |sums| {
        let (dgamma, dbeta) = sums.split_at_mut(features);
        let dbeta = &mut dbeta[..features];
        vectorised(
            #[inline(always)]
            || {
                dgamma.fill(F::ZERO);
                dbeta.fill(F::ZERO);
                let rows = dy.chunks_exact(features);
                for (row, hat) in rows.zip(normalised.chunks_exact(features)) {
                    let (row, hat) = (&row[..features], &hat[..features]);
                    for j in 0..features {
                        dgamma[j] = row[j].mul_add(hat[j], dgamma[j]);
                        dbeta[j] += row[j];
                    }
                }
                let (scale, inv_std) = (&gamma.value()[..features], &kept.inv_std[..features]);
                let rows = dy.chunks_exact_mut(features);
                let (dgamma, dbeta) = (&dgamma[..features], &dbeta[..features]);
                for (row, hat) in rows.zip(normalised.chunks_exact(features)) {
                    let (row, hat) = (&mut row[..features], &hat[..features]);
                    for j in 0..features {
                        let centred = row[j] - inv_n * (dbeta[j] + hat[j] * dgamma[j]);
                        row[j] = scale[j] * inv_std[j] * centred;
                    }
                }
            },
        );
        gamma.take(0, dgamma);
        beta.take(0, dbeta);
    });
}
