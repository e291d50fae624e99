//! The likelihood's vector loops over a gene's cells.

use super::cell_rows::CellRows;
use super::pass::{Part, Shared};
use crate::ops::count_head::likelihood::{Likelihood, Params};
use crate::real::Real;

/// Every count of a gene as if it were zero. Where it is not, its exponential has been set to 0,
/// so that it adds nothing here.
#[inline(always)]
pub(super) fn zeros<F: Real, L: Likelihood<F>, const GRAD: bool>(
    shared: &Shared<F>,
    part: &mut Part<F>,
    gene: usize,
    rows: &mut CellRows<F>,
) {
    let n = rows.to_mean.len();
    let at = gene * n..(gene + 1) * n;
    let scale = &mut part.scale[at.clone()];
    let pi = if L::HAS_PI { &mut part.pi[at.clone()] } else { &mut [] };
    let [exp_a, exp_b] = &mut rows.exp;
    if L::HAS_THETA {
        log_row::<F, L>(scale, rows.to_mean, rows.inv_theta, rows.log);
    }
    if L::HAS_PI {
        exponential_row::<F, L>(rows.theta, pi, rows.log, exp_a, exp_b);
    }
    zero_row::<F, L, GRAD>(
        shared.weight,
        rows.to_scale,
        rows.to_mean,
        rows.theta,
        rows.inv_theta,
        rows.log,
        exp_a,
        exp_b,
        scale,
        pi,
        if GRAD { &mut part.grad[at] } else { &mut [] },
        rows.d_theta,
        part.nll,
        part.sum,
    );
    if !L::VANISHES {
        rows.d_theta[shared.library.len()..].fill(F::ZERO);
    }
}

/// First vector loop of [`zeros`].
#[inline(always)]
fn log_row<F: Real, L: Likelihood<F>>(scale: &[F], to_mean: &[F], inv_theta: &[F], log: &mut [F]) {
    let n = log.len();
    let (scale, to_mean, inv_theta) = (&scale[..n], &to_mean[..n], &inv_theta[..n]);
    for i in 0..n {
        log[i] = L::log(scale[i] * to_mean[i], inv_theta[i]);
    }
}

/// Second vector loop of [`zeros`].
#[inline(always)]
fn exponential_row<F: Real, L: Likelihood<F>>(
    theta: &[F],
    pi: &[F],
    log: &[F],
    exp_a: &mut [F],
    exp_b: &mut [F],
) {
    let n = log.len();
    let (theta, pi) = (&theta[..n], &pi[..n]);
    let (exp_a, exp_b) = (&mut exp_a[..n], &mut exp_b[..n]);
    for i in 0..n {
        (exp_a[i], exp_b[i]) = L::exponentials(theta[i], pi[i], log[i]);
    }
}

/// Last vector loop of [`zeros`]. Each buffer is an argument of its own: that tells the compiler
/// that none overlaps another, and it need not look every time.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "see above; every one is a row of cells")]
fn zero_row<F: Real, L: Likelihood<F>, const GRAD: bool>(
    weight: F,
    to_scale: &[F],
    to_mean: &[F],
    theta: &[F],
    inv_theta: &[F],
    log: &[F],
    exp_a: &[F],
    exp_b: &[F],
    scale: &mut [F],
    pi: &mut [F],
    grad: &mut [F],
    d_theta: &mut [F],
    nll: &mut [F],
    sum: &mut [F],
) {
    let n = to_mean.len();
    let (to_scale, theta, inv_theta) = (&to_scale[..n], &theta[..n], &inv_theta[..n]);
    let (log, exp_a, exp_b) = (&log[..n], &exp_a[..n], &exp_b[..n]);
    let (scale, d_theta) = (&mut scale[..n], &mut d_theta[..n]);
    let (nll, sum) = (&mut nll[..n], &mut sum[..n]);
    let pi = &mut pi[..if L::HAS_PI { n } else { 0 }];
    let grad = &mut grad[..if GRAD { n } else { 0 }];
    for i in 0..n {
        let params = Params {
            mu: scale[i] * to_mean[i],
            theta: theta[i],
            inv_theta: inv_theta[i],
            pi: if L::HAS_PI { pi[i] } else { F::ZERO },
        };
        let p = L::at_zero(params, log[i], (exp_a[i], exp_b[i]));
        nll[i] += p.nll;
        if GRAD {
            scale[i] *= to_scale[i];
            let d = weight * p.ln_mu;
            grad[i] = d;
            sum[i] += d;
            if L::HAS_PI {
                pi[i] = weight * p.pi;
            }
            if L::HAS_THETA {
                d_theta[i] = weight * p.ln_theta;
            }
        }
    }
}
