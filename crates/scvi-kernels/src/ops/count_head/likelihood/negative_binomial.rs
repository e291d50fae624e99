//! The negative binomial distribution, and the zero-inflated one.

use super::{EPS, Likelihood, Params, Partials, log_ratio};
use crate::real::Real;

/// The part of a negative binomial that every count has: t = θ ln((θ+ε)/(θ+μ+ε)), from
/// w = (θ+μ+ε)/(θ+ε), as t and 1/w.
struct Tail<F> {
    /// θ μ/(θ+μ+ε)
    share: F,
    /// 1/(θ+μ+ε)
    inv: F,
    /// -dt / d ln θ
    minus_dt: F,
}

impl<F: Real> Tail<F> {
    #[inline(always)]
    fn new(p: &Params<F>, t: F, inv_w: F) -> Self {
        let share = p.theta * (p.mu * p.inv_theta * inv_w);
        let minus_dt = -share.mul_add(p.theta * p.inv_theta, t);
        Self { share, inv: p.inv_theta * inv_w, minus_dt }
    }
}

pub(in crate::ops::count_head) struct Nb;

impl<F: Real> Likelihood<F> for Nb {
    const HAS_THETA: bool = true;
    const HAS_PI: bool = false;
    const HAS_GAMMAS: bool = true;
    const HAS_FACTOR: bool = false;
    const VANISHES: bool = true;

    #[inline(always)]
    fn at_zero(p: Params<F>, t: F, _: (F, F)) -> Partials<F> {
        let tail = Tail::new(&p, t, F::ONE / (F::ONE + p.mu * p.inv_theta));
        Partials {
            nll: -t,
            factor: F::ONE,
            ln_mu: tail.share,
            ln_theta: tail.minus_dt,
            pi: F::ZERO,
        }
    }

    #[inline(always)]
    fn at_positive(x: F, p: Params<F>, (gammas, digammas): (F, F)) -> Partials<F> {
        let log = log_ratio(p.mu, p.inv_theta);
        let inv_w = F::ONE / (F::ONE + p.mu * p.inv_theta);
        let tail = Tail::new(&p, -p.theta * log, inv_w);
        let mu_eps = p.mu + F::of(EPS);
        // ln(θ+μ+ε) = ln(1 + μ/(θ+ε)) - ln(1/(θ+ε))
        let odds = mu_eps.ln() - log + p.inv_theta.ln();
        Partials {
            nll: p.theta * log - x * odds - gammas,
            factor: F::ONE,
            // (θ+x) μ/(θ+μ+ε) - x μ/(μ+ε), in which nearly everything cancels where θ is small.
            ln_mu: tail.share / mu_eps * (mu_eps - x),
            ln_theta: tail.minus_dt + p.theta * (x * tail.inv - digammas),
            pi: F::ZERO,
        }
    }
}

pub(in crate::ops::count_head) struct Zinb;

impl<F: Real> Likelihood<F> for Zinb {
    const HAS_THETA: bool = true;
    const HAS_PI: bool = true;
    const HAS_GAMMAS: bool = true;
    const HAS_FACTOR: bool = true;
    const VANISHES: bool = true;

    #[inline(always)]
    fn exponentials(pi: F, t: F) -> (F, F) {
        ((-(pi - t).abs()).exp(), (-pi.abs()).exp())
    }

    /// softplus(-π) - softplus(t - π) = ln(1 + e^π) - ln(e^π + e^t), both sides scaled so that no
    /// exponential exceeds 1.
    #[inline(always)]
    fn at_zero(p: Params<F>, t: F, (ea, eb): (F, F)) -> Partials<F> {
        let (a, b) = (F::ONE + ea, F::ONE + eb);
        // Three reciprocals of one division: it is the slowest instruction here.
        let w = F::ONE + p.mu * p.inv_theta;
        let ab = a * b;
        let inv = F::ONE / (ab * w);
        let inv_ab = inv * w;
        let (inv_a, inv_b) = (inv_ab * b, inv_ab * a);
        let tail = Tail::new(&p, t, inv * ab);
        // σ(t - π): how much of the zero is the negative binomial's own
        let own = inv_a * if t > p.pi { F::ONE } else { ea };
        // σ(-π)
        let kept = inv_b * if p.pi < F::ZERO { F::ONE } else { eb };
        Partials {
            nll: p.pi.max(F::ZERO) - p.pi.max(t),
            factor: a * inv_b,
            ln_mu: own * tail.share,
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
