//! From logits to px_scale, and back.

use std::ops::Range;

use super::layer::Finish;
use crate::LANES;
use crate::ops::count_head::ScaleActivation;
use crate::real::Real;
use crate::simd::vectorised;

/// Logits from which softplus is the logit itself, as in torch.
const THRESHOLD: f64 = 20.0;

/// Turns a block's logits into what the likelihood turns into ρ: for the softmax exp(logit - max),
/// with max and sum over the block's genes, for the softplus ρ itself.
pub(super) struct Activate<'a, F> {
    pub(super) activation: ScaleActivation,
    pub(super) max: &'a mut [F], // (blocks, cells)
    pub(super) sum: &'a mut [F], // (blocks, cells)
    pub(super) cells: usize,
}

impl<F: Real> Finish<F> for Activate<'_, F> {
    #[inline(always)]
    fn start(&mut self, block: usize) {
        let max = match self.activation {
            ScaleActivation::Softmax => F::of(f64::NEG_INFINITY),
            // Nothing is left for the likelihood to scale.
            ScaleActivation::Softplus => F::ZERO,
        };
        self.max[block * self.cells..][..self.cells].fill(max);
    }

    #[inline(always)]
    fn row(&mut self, block: usize, row: &[F]) {
        if self.activation == ScaleActivation::Softmax {
            let max = &mut self.max[block * self.cells..][..self.cells];
            for (max, &v) in max.iter_mut().zip(row) {
                *max = max.max(v);
            }
        }
    }

    #[inline(always)]
    fn block(&mut self, block: usize, rows: &mut [F]) {
        let at = block * self.cells..(block + 1) * self.cells;
        match self.activation {
            ScaleActivation::Softmax => {
                exponentials(rows, &self.max[at.clone()], &mut self.sum[at]);
            }
            ScaleActivation::Softplus => rows.iter_mut().for_each(|v| *v = softplus(*v)),
        }
    }
}

impl ScaleActivation {
    /// ln Σ exp over all genes, from each block's max and sum: what is subtracted from a block's
    /// max to scale its rows. `block_max` and `block_sum` are `(blocks, cells)`.
    pub(super) fn log_sums<F: Real>(self, block_max: &[F], block_sum: &[F], log_sum: &mut [F]) {
        if self == Self::Softplus {
            return log_sum.fill(F::ZERO);
        }
        vectorised(
            #[inline(always)]
            || combine(block_max, block_sum, log_sum),
        );
    }

    /// A gene's row: logits in, px_scale out.
    #[inline(always)]
    pub(super) fn apply<F: Real>(self, row: &mut [F], log_sums: &[F]) {
        match self {
            Self::Softmax => {
                for (v, &log_sum) in row.iter_mut().zip(log_sums) {
                    *v = (*v - log_sum).exp();
                }
            }
            Self::Softplus => row.iter_mut().for_each(|v| *v = softplus(*v)),
        }
    }

    /// A gene's row: dL/d(logit) from dL/d ln μ and what the forward pass stored; `sum` is
    /// Σ_g dL/d ln μ, times what turns the block's exponentials into shares.
    #[inline(always)]
    pub(super) fn gradient<F: Real>(self, d_ln_mu: &[F], stored: &[F], sum: &[F], out: &mut [F]) {
        let n = out.len();
        let (d_ln_mu, stored, sum) = (&d_ln_mu[..n], &stored[..n], &sum[..n]);
        match self {
            Self::Softmax => {
                for i in 0..n {
                    out[i] = d_ln_mu[i] - stored[i] * sum[i];
                }
            }
            Self::Softplus => {
                for i in 0..n {
                    out[i] = d_ln_mu[i] * softplus_slope(stored[i]);
                }
            }
        }
    }
}

/// log_sum = ln Σ over blocks of sum exp(max), some cells at a time.
#[inline(always)]
fn combine<F: Real>(block_max: &[F], block_sum: &[F], log_sum: &mut [F]) {
    let cells = log_sum.len();
    for (k, log_sum) in log_sum.chunks_mut(LANES).enumerate() {
        let n = log_sum.len();
        let rows = |of| rows_at(of, cells, k * LANES..k * LANES + n);
        let mut max = [F::of(f64::NEG_INFINITY); LANES];
        for row in rows(block_max) {
            for i in 0..n {
                max[i] = max[i].max(row[i]);
            }
        }
        let mut sum = [F::ZERO; LANES];
        for (block_max, block_sum) in rows(block_max).zip(rows(block_sum)) {
            for i in 0..n {
                sum[i] += block_sum[i] * (block_max[i] - max[i]).exp();
            }
        }
        for i in 0..n {
            log_sum[i] = max[i] + sum[i].ln();
        }
    }
}

/// Some columns of `(rows, width)`, row by row.
#[inline(always)]
fn rows_at<F>(of: &[F], width: usize, columns: Range<usize>) -> impl Iterator<Item = &[F]> {
    of.chunks_exact(width).map(move |row| &row[columns.clone()])
}

/// rows becomes exp(rows - max), with the sum over the block's genes.
#[inline(always)]
fn exponentials<F: Real>(rows: &mut [F], max: &[F], sum: &mut [F]) {
    let n = max.len();
    let sum = &mut sum[..n];
    sum.fill(F::ZERO);
    for row in rows.chunks_exact_mut(n) {
        for i in 0..n {
            row[i] = (row[i] - max[i]).exp();
            sum[i] += row[i];
        }
    }
}

/// ln(1 + eˡ), precise for any logit.
#[inline(always)]
fn softplus<F: Real>(logit: F) -> F {
    let value = logit.max(F::ZERO) + F::ln_1p((-logit.abs()).exp());
    if logit > F::of(THRESHOLD) { logit } else { value }
}

/// d ln ρ / d logit = σ(logit)/ρ, from ρ alone: σ(logit) = 1 - e^-ρ. It tends to 1 where ρ
/// vanishes.
#[inline(always)]
fn softplus_slope<F: Real>(rho: F) -> F {
    let kept = (-rho).exp();
    let sigmoid = F::ONE - kept;
    // What rounding has taken from a small 1 - e^-ρ, it takes from this logarithm as well.
    let small = sigmoid / -kept.ln();
    let slope = if rho > F::HALF { sigmoid / rho } else { small };
    let slope = if rho > F::of(THRESHOLD) { F::ONE / rho } else { slope };
    if kept < F::ONE { slope } else { F::ONE }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1 - e^-ρ over ρ by its series, which converges fast below 1.
    fn by_series(rho: f64) -> f64 {
        let mut term = 1.0;
        (2..30).fold(1.0, |sum, n| {
            term *= -rho / n as f64;
            sum + term
        })
    }

    #[test]
    fn softplus_and_its_slope_are_precise_everywhere() {
        for k in -7000..3000 {
            let logit = k as f64 * 0.01 + 0.003;
            let rho = logit.exp().ln_1p();
            let rho = if logit > 20.0 { logit } else { rho };
            assert!((softplus(logit) / rho - 1.0).abs() < 1e-14, "{logit}");
            let slope = match rho {
                r if r > 20.0 => 1.0 / r,
                r if r > 0.9 => (1.0 - (-r).exp()) / r,
                r => by_series(r),
            };
            assert!((softplus_slope(rho) / slope - 1.0).abs() < 1e-14, "{logit}");
            let logit32 = logit as f32;
            let rho = (logit32 as f64).exp().ln_1p();
            assert!((softplus(logit32) as f64 / rho - 1.0).abs() < 5e-7, "{logit}");
            assert!((softplus_slope(rho as f32) as f64 / slope - 1.0).abs() < 5e-7, "{logit}");
        }
    }

    #[test]
    fn a_softplus_that_underflows_has_slope_one() {
        for logit in [-1e4f32, -200.0, -90.0, -87.0] {
            assert!(softplus(logit) < 1e-37, "{logit}");
            assert_eq!(softplus_slope(softplus(logit)), 1.0, "{logit}");
        }
        assert_eq!(softplus(1e30f32), 1e30);
        assert_eq!(softplus_slope(1e30f32), 1e-30);
    }
}
