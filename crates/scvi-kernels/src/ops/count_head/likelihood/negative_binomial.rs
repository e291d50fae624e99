//! The negative binomial distribution, and the zero-inflated one.

use std::hint::select_unpredictable as select;

use super::{EPS, Likelihood, Logs, Params, Partials};
use crate::real::{NbDeviance, Real, Saturated};

/// μ/(θ+ε), kept from overflowing.
#[inline(always)]
fn odds<F: Real>(mu: F, inv_theta: F) -> F {
    let (odds, most) = (mu * inv_theta, F::of(1e38));
    // In this order a NaN passes.
    if odds > most { most } else { odds }
}

/// What a zero shares with every count: -ln p(0) = θ ln w with w = (θ+μ+ε)/(θ+ε), and 1/w.
struct ZeroSlopes<F> {
    /// d/d ln μ: θ μ/(θ+μ+ε)
    ln_mu: F,
    /// d/d ln θ: θ (ln w - θ μ/(θ+ε)(θ+μ+ε))
    ln_theta: F,
}

impl<F: Real> ZeroSlopes<F> {
    #[inline(always)]
    fn new(p: &Params<F>, odds: F, logs: Logs<F>, inv_w: F) -> Self {
        let share = odds * inv_w;
        // ln w - share, of which most cancels where μ is small beside θ: ln w is at hand less u =
        // odds there, and u - share = u share.
        let near = F::ONE + odds < F::of(std::f64::consts::SQRT_2);
        let gap = share.mul_add(select(near, odds, -F::ONE), logs.near_one);
        let gap = share.mul_add(F::of(EPS) * p.inv_theta, gap);
        Self { ln_mu: p.theta * share, ln_theta: p.theta * gap }
    }
}

pub(in crate::ops::count_head) struct Nb;

impl<F: Real> Likelihood<F> for Nb {
    const HAS_THETA: bool = true;
    const HAS_PI: bool = false;
    const OF_COUNTS: bool = true;
    const HAS_FACTOR: bool = false;
    const VANISHES: bool = true;

    #[inline(always)]
    fn logs(mu: F, theta: F, inv_theta: F) -> Logs<F> {
        let u = odds(mu, inv_theta);
        let (near_one, near) = F::log1pmx_near_one(u, F::ONE + u);
        let log = near_one + select(near, u, F::ZERO);
        Logs { log: -theta * log, near_one }
    }

    #[inline(always)]
    fn at_zero(p: Params<F>, logs: Logs<F>, _: (F, F)) -> Partials<F> {
        let odds = odds(p.mu, p.inv_theta);
        let slopes = ZeroSlopes::new(&p, odds, logs, F::ONE / (F::ONE + odds));
        Partials {
            nll: -logs.log,
            factor: F::ONE,
            ln_mu: slopes.ln_mu,
            ln_theta: slopes.ln_theta,
            pi: F::ZERO,
        }
    }

    #[inline(always)]
    fn saturated(x: F, theta: F) -> Saturated<F> {
        Saturated::negative_binomial(x, theta)
    }

    #[inline(always)]
    fn saturated_below_one(x: F, theta: F) -> Saturated<F> {
        Saturated::negative_binomial_below_one(x, theta)
    }

    /// The deviance is that of μ + ε. Where θ is not far above ε, -ln p(x) is a large number; there
    /// θ ln(1 + ε/θ) may count as ε.
    #[inline(always)]
    fn at_positive(x: F, p: Params<F>, saturated: Saturated<F>) -> Partials<F> {
        let eps = F::of(EPS);
        let mu_eps = p.mu + eps;
        let deviance = NbDeviance::new(x, mu_eps, p.theta);
        Partials {
            nll: saturated.nll - eps + deviance.of_count + deviance.of_theta,
            factor: F::ONE,
            ln_mu: deviance.ln_mu * (p.mu / mu_eps),
            ln_theta: deviance.of_theta + saturated.ln_theta,
            pi: F::ZERO,
        }
    }
}

pub(in crate::ops::count_head) struct Zinb;

impl<F: Real> Likelihood<F> for Zinb {
    const HAS_THETA: bool = true;
    const HAS_PI: bool = true;
    const OF_COUNTS: bool = true;
    const HAS_FACTOR: bool = true;
    const VANISHES: bool = true;

    #[inline(always)]
    fn logs(mu: F, theta: F, inv_theta: F) -> Logs<F> {
        Nb::logs(mu, theta, inv_theta)
    }

    #[inline(always)]
    fn exponentials(pi: F, t: F) -> (F, F) {
        ((-(pi - t).abs()).exp(), (-pi.abs()).exp())
    }

    /// softplus(-π) - softplus(t - π) = ln(1 + e^π) - ln(e^π + e^t), both sides scaled so that no
    /// exponential exceeds 1; t is the logarithm of the negative binomial's own zero.
    #[inline(always)]
    fn at_zero(p: Params<F>, logs: Logs<F>, (ea, eb): (F, F)) -> Partials<F> {
        let (pi, t) = (p.pi, logs.log);
        let (a, b) = (F::ONE + ea, F::ONE + eb);
        // Three reciprocals of one division: it is the slowest instruction here.
        let odds = odds(p.mu, p.inv_theta);
        let w = F::ONE + odds;
        let ab = a * b;
        let inv = F::ONE / (ab * w);
        let inv_ab = inv * w;
        let (inv_a, inv_b) = (inv_ab * b, inv_ab * a);
        let slopes = ZeroSlopes::new(&p, odds, logs, inv * ab);
        let (low_a, low_b) = (ea * inv_a, eb * inv_b);
        // σ(t - π): how much of the zero is the negative binomial's own, and the rest
        let above = t > pi;
        let (own, other) = (select(above, inv_a, low_a), select(above, low_a, inv_a));
        // σ(-π)
        let kept = select(pi < F::ZERO, inv_b, low_b);
        // own - kept = (e^t - 1) σ(-π) σ(π - t), of which most cancels where t is small, or where
        // both are near 1.
        let difference = select(above, low_b - low_a, low_a - kept);
        let product = t.exp_m1_near_zero() * (kept * other);
        Partials {
            nll: pi.max(F::ZERO) - pi.max(t),
            factor: a * inv_b,
            ln_mu: own * slopes.ln_mu,
            ln_theta: own * slopes.ln_theta,
            pi: select(t > F::of(-1.0 / 16.0), product, difference),
        }
    }

    #[inline(always)]
    fn saturated(x: F, theta: F) -> Saturated<F> {
        Nb::saturated(x, theta)
    }

    #[inline(always)]
    fn saturated_below_one(x: F, theta: F) -> Saturated<F> {
        Nb::saturated_below_one(x, theta)
    }

    #[inline(always)]
    fn at_positive(x: F, p: Params<F>, saturated: Saturated<F>) -> Partials<F> {
        let pi = p.pi;
        let nb = Nb::at_positive(x, p, saturated);
        let b = (-pi.abs()).exp();
        let inv_b = F::ONE / (F::ONE + b);
        Partials {
            nll: nb.nll + pi.max(F::ZERO) + F::ln_1p(b),
            pi: if pi > F::ZERO { inv_b } else { b * inv_b },
            ..nb
        }
    }
}
