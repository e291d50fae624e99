//! The Poisson distribution.

use super::{Likelihood, Logs, Params, Partials};
use crate::real::{Real, Saturated, poisson_deviance};

pub(in crate::ops::count_head) struct Poisson;

impl<F: Real> Likelihood<F> for Poisson {
    const HAS_THETA: bool = false;
    const HAS_PI: bool = false;
    const OF_COUNTS: bool = true;
    const HAS_FACTOR: bool = false;
    const VANISHES: bool = true;

    #[inline(always)]
    fn at_zero(p: Params<F>, _: Logs<F>, _: (F, F)) -> Partials<F> {
        Partials { nll: p.mu, factor: F::ONE, ln_mu: p.mu, ln_theta: F::ZERO, pi: F::ZERO }
    }

    #[inline(always)]
    fn saturated(x: F, _theta: F) -> Saturated<F> {
        Saturated::poisson(x)
    }

    #[inline(always)]
    fn saturated_below_one(x: F, _theta: F) -> Saturated<F> {
        Saturated::poisson_below_one(x)
    }

    /// A mean that has underflowed counts as the smallest number: the loss stays finite.
    #[inline(always)]
    fn at_positive(x: F, p: Params<F>, saturated: Saturated<F>) -> Partials<F> {
        // In this order a NaN passes.
        let mu = if p.mu < F::TINY { F::TINY } else { p.mu };
        let nll = saturated.nll + poisson_deviance(x, mu);
        Partials { nll, factor: F::ONE, ln_mu: p.mu - x, ln_theta: F::ZERO, pi: F::ZERO }
    }
}
