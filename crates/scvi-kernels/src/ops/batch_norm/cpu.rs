//! Batch normalisation of a few hundred features: one thread, lanes over features.

use crate::LANES;
use crate::backend::{BatchNormEval, BatchNormKept, BatchNormState};
use crate::cpu::Cpu;
use crate::ops::{Sink, scratch};
use crate::real::Real;
use crate::simd::vectorised;

/// Features whose sums stay in registers while all cells pass.
const WIDE: usize = 2 * LANES;

pub(crate) fn batch_norm_train_cpu<F: Real>(
    mut s: BatchNormState<'_, Cpu<F>>,
    [cells, features]: [usize; 2],
    x: &mut [F],
) {
    let x = &mut x[..cells * features];
    vectorised(
        #[inline(always)]
        || {
            for at in 0..features / WIDE {
                train::<F, WIDE>(&mut s, features, at * WIDE, x);
            }
            for at in features / WIDE * WIDE..features {
                train::<F, 1>(&mut s, features, at, x);
            }
        },
    );
}

/// Normalises `N` features from `at` on.
#[inline(always)]
fn train<F: Real, const N: usize>(
    s: &mut BatchNormState<'_, Cpu<F>>,
    features: usize,
    at: usize,
    x: &mut [F],
) {
    let cells = x.len() / features;
    let n = F::of(cells as f64);
    let mut mean = [F::ZERO; N];
    for row in x.chunks_exact(features) {
        let row = tile::<F, N>(row, at);
        (0..N).for_each(|j| mean[j] += row[j]);
    }
    let mean = mean.map(|sum| sum / n);
    let mut var = [F::ZERO; N];
    for row in x.chunks_exact(features) {
        let row = tile::<F, N>(row, at);
        for j in 0..N {
            let d = row[j] - mean[j];
            var[j] = d.mul_add(d, var[j]);
        }
    }
    let (keep, take) = (F::of(1.0 - s.momentum), F::of(s.momentum));
    let unbias = F::of(s.momentum / (cells as f64 - 1.0).max(1.0));
    let inv_std = var.map(|var| F::ONE / (var / n + F::of(s.eps)).sqrt());
    tile_mut::<F, N>(s.inv_std, at).copy_from_slice(&inv_std);
    let running = (tile_mut::<F, N>(s.running_mean, at), tile_mut::<F, N>(s.running_var, at));
    for j in 0..N {
        running.0[j] = keep * running.0[j] + take * mean[j];
        running.1[j] = keep * running.1[j] + unbias * var[j];
    }
    let (gamma, beta) = (*tile::<F, N>(s.gamma, at), *tile::<F, N>(s.beta, at));
    let rows = x.chunks_exact_mut(features);
    for (row, hat) in rows.zip(s.normalised.chunks_exact_mut(features)) {
        let (row, hat) = (tile_mut::<F, N>(row, at), tile_mut::<F, N>(hat, at));
        for j in 0..N {
            hat[j] = (row[j] - mean[j]) * inv_std[j];
            row[j] = gamma[j].mul_add(hat[j], beta[j]);
        }
    }
}

/// `N` numbers of a row.
#[inline(always)]
fn tile<F, const N: usize>(row: &[F], at: usize) -> &[F; N] {
    row[at..].first_chunk().expect("a tile lies within its row")
}

/// The same to write to.
#[inline(always)]
fn tile_mut<F, const N: usize>(row: &mut [F], at: usize) -> &mut [F; N] {
    row[at..].first_chunk_mut().expect("a tile lies within its row")
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
    scratch(2 * features, |sums| {
        let sums = sums.split_at_mut(features);
        vectorised(
            #[inline(always)]
            || {
                let scale = gamma.value();
                for at in 0..features / WIDE {
                    grad::<F, WIDE>(&kept, scale, features, at * WIDE, dy, [sums.0, sums.1]);
                }
                for at in features / WIDE * WIDE..features {
                    grad::<F, 1>(&kept, scale, features, at, dy, [sums.0, sums.1]);
                }
            },
        );
        gamma.take(0, sums.0);
        beta.take(0, sums.1);
    });
}

/// The gradient of `N` features from `at` on; `sums` are those of γ and β.
#[inline(always)]
fn grad<F: Real, const N: usize>(
    kept: &BatchNormKept<'_, Cpu<F>>,
    gamma: &[F],
    features: usize,
    at: usize,
    dy: &mut [F],
    sums: [&mut [F]; 2],
) {
    let inv_n = F::of(1.0 / (dy.len() / features) as f64);
    let (mut dgamma, mut dbeta) = ([F::ZERO; N], [F::ZERO; N]);
    for (row, hat) in dy.chunks_exact(features).zip(kept.normalised.chunks_exact(features)) {
        let (row, hat) = (tile::<F, N>(row, at), tile::<F, N>(hat, at));
        for j in 0..N {
            dgamma[j] = row[j].mul_add(hat[j], dgamma[j]);
            dbeta[j] += row[j];
        }
    }
    let (gamma, inv_std) = (tile::<F, N>(gamma, at), tile::<F, N>(kept.inv_std, at));
    let rows = dy.chunks_exact_mut(features);
    for (row, hat) in rows.zip(kept.normalised.chunks_exact(features)) {
        let (row, hat) = (tile_mut::<F, N>(row, at), tile::<F, N>(hat, at));
        for j in 0..N {
            let centred = row[j] - inv_n * (dbeta[j] + hat[j] * dgamma[j]);
            row[j] = gamma[j] * inv_std[j] * centred;
        }
    }
    let [to_gamma, to_beta] = sums;
    tile_mut::<F, N>(to_gamma, at).copy_from_slice(&dgamma);
    tile_mut::<F, N>(to_beta, at).copy_from_slice(&dbeta);
}
