//! The negative binomial distribution, and the zero-inflated one.

use super::{EPS, Likelihood, Params, Partials, log_ratio};
use crate::real::Real;

/// The part of a negative binomial that every count has: t = θ ln((θ+ε)/(θ+μ+ε)), from
/// w = (θ+μ+ε)/(θ+ε) and 1/w.
struct Tail<F> {
    /// ln w = -t/θ, precise where θ is much larger than μ
    log: F,
    /// μ/(θ+μ+ε)
    share: F,
    /// 1/(θ+μ+ε)
    inv: F,
    /// -dt / d ln θ
    minus_dt: F,
}

impl<F: Real> Tail<F> {
    #[inline(always)]
    fn new(p: &Params<F>, log: F, inv_w: F) -> Self {
        let share = p.mu * p.inv_theta * inv_w;
        let minus_dt = p.theta * (log - share * (p.theta * p.inv_theta));
        Self { log, share, inv: p.inv_theta * inv_w, minus_dt }
    }
}

pub(in crate::ops::count_head) struct Nb;

impl<F: Real> Likelihood<F> for Nb {
    const HAS_THETA: bool = true;
    const HAS_PI: bool = false;
    const HAS_GAMMAS: bool = true;
    const VANISHES: bool = true;

    #[inline(always)]
    fn at_zero(p: Params<F>, log: F, _: (F, F)) -> Partials<F> {
        let t = Tail::new(&p, log, F::ONE / (F::ONE + p.mu * p.inv_theta));
        Partials {
            nll: p.theta * t.log,
            ln_mu: p.theta * t.share,
            ln_theta: t.minus_dt,
            pi: F::ZERO,
        }
    }

    #[inline(always)]
    fn at_positive(x: F, p: Params<F>, (gammas, digammas): (F, F)) -> Partials<F> {
        let log = log_ratio(p.mu, p.inv_theta);
        let t = Tail::new(&p, log, F::ONE / (F::ONE + p.mu * p.inv_theta));
        let mu_eps = p.mu + F::of(EPS);
        // ln(θ+μ+ε) = ln(1 + μ/(θ+ε)) - ln(1/(θ+ε))
        let odds = mu_eps.ln() - t.log + p.inv_theta.ln();
        Partials {
            nll: p.theta * t.log - x * odds - gammas,
            ln_mu: t.share * (p.theta + x) - x * (p.mu / mu_eps),
            ln_theta: t.minus_dt + p.theta * (x * t.inv - digammas),
            pi: F::ZERO,
        }
    }
}

pub(in crate::ops::count_head) struct Zinb;

impl<F: Real> Likelihood<F> for Zinb {
    const HAS_THETA: bool = true;
    const HAS_PI: bool = true;
    const HAS_GAMMAS: bool = true;
    const VANISHES: bool = true;

    #[inline(always)]
    fn exponentials(theta: F, pi: F, log: F) -> (F, F) {
        let t = -theta * log;
        ((-(pi - t).abs()).exp(), (-pi.abs()).exp())
    }

    /// softplus(-π) - softplus(t - π) = ln(1 + e^π) - ln(e^π + e^t), both sides scaled so that no
    /// exponential exceeds 1.
    #[inline(always)]
    fn at_zero(p: Params<F>, log: F, (ea, eb): (F, F)) -> Partials<F> {
        let t = -p.theta * log;
        let (a, b) = (F::ONE + ea, F::ONE + eb);
        // Three reciprocals of one division: it is the slowest instruction here.
        let w = F::ONE + p.mu * p.inv_theta;
        let ab = a * b;
        let inv = F::ONE / (ab * w);
        let inv_ab = inv * w;
        let (inv_a, inv_b) = (inv_ab * b, inv_ab * a);
        let tail = Tail::new(&p, log, inv * ab);
        // σ(t - π): how much of the zero is the negative binomial's own
        let own = if t > p.pi { inv_a } else { ea * inv_a };
        // σ(-π)
        let kept = if p.pi < F::ZERO { inv_b } else { eb * inv_b };
        Partials {
            nll: p.pi.max(F::ZERO) - p.pi.max(t) - (a * inv_b).ln(),
            ln_mu: own * (p.theta * tail.share),
            ln_theta: own * tail.minus_dt,
            pi: own - kept,
        }
    }

    #[inline(always)]
    fn at_positive(x: F, p: Params<F>, gammas: (F, F)) -> Partials<F> {
        let pi = p.pi;
        let nb = Nb::at_positive(x, p, gammas);
        let b = (-pi.abs()).exp();
        let inv_b = F::ONE / (F::ONE + b);
        Partials {
            nll: nb.nll + pi.max(F::ZERO) + (F::ONE + b).ln(),
            pi: if pi > F::ZERO { inv_b } else { b * inv_b },
            ..nb
        }
    }
}
