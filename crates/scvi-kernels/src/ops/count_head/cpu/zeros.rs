//! The likelihood's vector loops over a gene's cells.

use super::cell_rows::CellRows;
use super::pass::{Block, Shared};
use crate::ops::count_head::likelihood::{Likelihood, Logs, Params};
use crate::real::Real;

/// Every count of a gene as if it were zero. Where it is not, its mean has been set to 0, so that
/// it adds nothing here.
#[inline(always)]
pub(super) fn zeros<F: Real, L: Likelihood<F>, const GRAD: bool>(
    shared: &Shared<F>,
    block: &mut Block<F>,
    gene: usize,
    rows: &mut CellRows<F>,
) {
    let n = rows.mu.len();
    let at = gene * n..(gene + 1) * n;
    let pi = if L::HAS_PI { &mut block.pi[at.clone()] } else { &mut [] };
    let [exp_a, exp_b] = &mut rows.exp;
    if L::HAS_THETA {
        log_row::<F, L>(rows.mu, rows.theta, rows.inv_theta, rows.log, rows.near_one);
    }
    if L::HAS_PI {
        exponential_row::<F, L>(pi, rows.log, exp_a, exp_b);
    }
    zero_row::<F, L, GRAD>(
        shared.weight,
        rows.mu,
        rows.theta,
        rows.inv_theta,
        rows.log,
        rows.near_one,
        exp_a,
        exp_b,
        pi,
        if GRAD { &mut block.grad[at] } else { &mut [] },
        rows.d_theta,
        rows.factors,
        block.nll,
        block.sum,
    );
    if !L::VANISHES {
        rows.d_theta[shared.library.len()..].fill(F::ZERO);
    }
}

/// First vector loop of [`zeros`].
#[inline(always)]
fn log_row<F: Real, L: Likelihood<F>>(
    mu: &[F],
    theta: &[F],
    inv_theta: &[F],
    log: &mut [F],
    near_one: &mut [F],
) {
    let n = log.len();
    let (mu, theta, inv_theta) = (&mu[..n], &theta[..n], &inv_theta[..n]);
    let near_one = &mut near_one[..n];
    for i in 0..n {
        let logs = L::logs(mu[i], theta[i], inv_theta[i]);
        (log[i], near_one[i]) = (logs.log, logs.near_one);
    }
}

/// Second vector loop of [`zeros`].
#[inline(always)]
fn exponential_row<F: Real, L: Likelihood<F>>(
    pi: &[F],
    log: &[F],
    exp_a: &mut [F],
    exp_b: &mut [F],
) {
    let n = log.len();
    let pi = &pi[..n];
    let (exp_a, exp_b) = (&mut exp_a[..n], &mut exp_b[..n]);
    for i in 0..n {
        (exp_a[i], exp_b[i]) = L::exponentials(pi[i], log[i]);
    }
}

/// Last vector loop of [`zeros`]. Each buffer is an argument of its own: that tells the compiler
/// that none overlaps another, and it need not look every time.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "see above; every one is a row of cells")]
fn zero_row<F: Real, L: Likelihood<F>, const GRAD: bool>(
    weight: F,
    mu: &[F],
    theta: &[F],
    inv_theta: &[F],
    log: &[F],
    near_one: &[F],
    exp_a: &[F],
    exp_b: &[F],
    pi: &mut [F],
    grad: &mut [F],
    d_theta: &mut [F],
    factors: &mut [F],
    nll: &mut [F],
    sum: &mut [F],
) {
    let n = mu.len();
    let (theta, inv_theta) = (&theta[..n], &inv_theta[..n]);
    let (log, near_one) = (&log[..n], &near_one[..n]);
    let (exp_a, exp_b) = (&exp_a[..n], &exp_b[..n]);
    let (d_theta, factors) = (&mut d_theta[..n], &mut factors[..n]);
    let (nll, sum) = (&mut nll[..n], &mut sum[..n]);
    let pi = &mut pi[..if L::HAS_PI { n } else { 0 }];
    let grad = &mut grad[..if GRAD { n } else { 0 }];
    for i in 0..n {
        let params = Params {
            mu: mu[i],
            theta: theta[i],
            inv_theta: inv_theta[i],
            pi: if L::HAS_PI { pi[i] } else { F::ZERO },
        };
        let logs = Logs { log: log[i], near_one: near_one[i] };
        let p = L::at_zero(params, logs, (exp_a[i], exp_b[i]));
        nll[i] += p.nll;
        if L::HAS_FACTOR {
            factors[i] *= p.factor;
        }
        if GRAD {
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
