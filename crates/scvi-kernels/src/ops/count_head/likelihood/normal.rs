//! The normal distribution, for values that are no counts.

use super::{Likelihood, Logs, Params, Partials};
use crate::real::{Real, Saturated};

/// N(μ, θ²): -ln p(x) = ((x - μ)/θ)²/2 + ln θ + ln(2π)/2.
pub(in crate::ops::count_head) struct Normal;

impl<F: Real> Likelihood<F> for Normal {
    const HAS_THETA: bool = true;
    const HAS_PI: bool = false;
    const OF_COUNTS: bool = false;
    const HAS_FACTOR: bool = false;
    const VANISHES: bool = false;

    /// No ε: scvi-tools hands exp(px_r) to torch as it is.
    #[inline(always)]
    fn inverse(theta: F) -> F {
        F::ONE / theta
    }

    /// ln θ
    #[inline(always)]
    fn logs(_mu: F, _theta: F, inv_theta: F) -> Logs<F> {
        Logs { log: -inv_theta.ln(), near_one: F::ZERO }
    }

    #[inline(always)]
    fn at_zero(p: Params<F>, logs: Logs<F>, _: (F, F)) -> Partials<F> {
        let half_ln_2_pi = F::of(0.5 * std::f64::consts::TAU.ln());
        let z = p.mu * p.inv_theta;
        let square = z * z;
        Partials {
            nll: F::HALF * square + logs.log + half_ln_2_pi,
            factor: F::ONE,
            ln_mu: square,
            ln_theta: F::ONE - square,
            pi: F::ZERO,
        }
    }

    /// ln θ, its derivative and the constant are those of the zero.
    #[inline(always)]
    fn at_positive(x: F, p: Params<F>, _: Saturated<F>) -> Partials<F> {
        let z = (p.mu - x) * p.inv_theta;
        Partials {
            nll: F::HALF * z * z,
            factor: F::ONE,
            // In this order: μ/θ may overflow where z is 0.
            ln_mu: p.mu * (p.inv_theta * z),
            ln_theta: -(z * z),
            pi: F::ZERO,
        }
    }
}
