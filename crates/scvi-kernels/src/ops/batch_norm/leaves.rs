//! Batch normalisation of a minibatch that falls into leaves, in steps over one leaf each. Of a
//! single leaf they give the bits of the normalisation in one step.

use crate::backend::{BatchNormKept, BatchNormState};
use crate::cpu::Cpu;
use crate::real::Real;
use crate::simd::vectorised;

/// Mean and sum of squared deviations of each feature.
pub(crate) fn batch_norm_moments_cpu<F: Real>(
    x: &[F],
    [cells, features]: [usize; 2],
    [mean, squares]: [&mut [F]; 2],
) {
    let (mean, squares) = (&mut mean[..features], &mut squares[..features]);
    let x = &x[..cells * features];
    let n = F::of(cells as f64);
    vectorised(
        #[inline(always)]
        || {
            mean.fill(F::ZERO);
            for row in x.chunks_exact(features) {
                mean.iter_mut().zip(row).for_each(|(sum, &v)| *sum += v);
            }
            mean.iter_mut().for_each(|sum| *sum = *sum / n);
            squares.fill(F::ZERO);
            for row in x.chunks_exact(features) {
                for ((squares, &mean), &v) in squares.iter_mut().zip(&*mean).zip(row) {
                    let d = v - mean;
                    *squares = d.mul_add(d, *squares);
                }
            }
        },
    );
}

/// The moments of two leaves together, in the place of the first's (Chan et al. 1979), in double
/// precision.
pub(crate) fn combine_moments_cpu<F: Real>(
    [mean, squares]: [&mut [F]; 2],
    [other_mean, other_squares]: [&[F]; 2],
    [cells, other_cells]: [usize; 2],
    features: usize,
) {
    let share = other_cells as f64 / (cells + other_cells) as f64;
    for j in 0..features {
        let distance = other_mean[j].to_f64() - mean[j].to_f64();
        let between = distance * distance * cells as f64 * share;
        squares[j] = F::of(squares[j].to_f64() + other_squares[j].to_f64() + between);
        mean[j] = F::of(mean[j].to_f64() + distance * share);
    }
}

/// Normalises a leaf by the moments of the whole minibatch of `n` cells.
pub(crate) fn batch_norm_by_moments_cpu<F: Real>(
    s: BatchNormState<'_, Cpu<F>>,
    [mean, squares]: [&[F]; 2],
    n: usize,
    [cells, features]: [usize; 2],
    x: &mut [F],
) {
    let (keep, take) = (F::of(1.0 - s.momentum), F::of(s.momentum));
    let unbias = F::of(s.momentum / (n as f64 - 1.0).max(1.0));
    let (n, eps) = (F::of(n as f64), F::of(s.eps));
    vectorised(
        #[inline(always)]
        || {
            for j in 0..features {
                s.inv_std[j] = F::ONE / (squares[j] / n + eps).sqrt();
                s.running_mean[j] = keep * s.running_mean[j] + take * mean[j];
                s.running_var[j] = keep * s.running_var[j] + unbias * squares[j];
            }
            let rows = x[..cells * features].chunks_exact_mut(features);
            for (row, hat) in rows.zip(s.normalised.chunks_exact_mut(features)) {
                for j in 0..features {
                    hat[j] = (row[j] - mean[j]) * s.inv_std[j];
                    row[j] = s.gamma[j].mul_add(hat[j], s.beta[j]);
                }
            }
        },
    );
}

/// dγ = Σ dy x̂ and dβ = Σ dy over the cells of a leaf.
pub(crate) fn batch_norm_sums_cpu<F: Real>(
    kept: BatchNormKept<'_, Cpu<F>>,
    [cells, features]: [usize; 2],
    dy: &[F],
    [dgamma, dbeta]: [&mut [F]; 2],
) {
    let (dgamma, dbeta) = (&mut dgamma[..features], &mut dbeta[..features]);
    vectorised(
        #[inline(always)]
        || {
            dgamma.fill(F::ZERO);
            dbeta.fill(F::ZERO);
            let rows = dy[..cells * features].chunks_exact(features);
            for (row, hat) in rows.zip(kept.normalised.chunks_exact(features)) {
                for j in 0..features {
                    dgamma[j] = row[j].mul_add(hat[j], dgamma[j]);
                    dbeta[j] += row[j];
                }
            }
        },
    );
}

/// dx of a leaf, in the place of dy, by the sums over the whole minibatch of `n` cells.
pub(crate) fn batch_norm_grad_by_sums_cpu<F: Real>(
    kept: BatchNormKept<'_, Cpu<F>>,
    gamma: &[F],
    [dgamma, dbeta]: [&[F]; 2],
    n: usize,
    [cells, features]: [usize; 2],
    dy: &mut [F],
) {
    let inv_n = F::of(1.0 / n as f64);
    vectorised(
        #[inline(always)]
        || {
            let rows = dy[..cells * features].chunks_exact_mut(features);
            for (row, hat) in rows.zip(kept.normalised.chunks_exact(features)) {
                for j in 0..features {
                    let centred = row[j] - inv_n * (dbeta[j] + hat[j] * dgamma[j]);
                    row[j] = gamma[j] * kept.inv_std[j] * centred;
                }
            }
        },
    );
}
