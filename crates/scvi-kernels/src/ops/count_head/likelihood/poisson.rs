//! The Poisson distribution.

use super::{Likelihood, Params, Partials};
use crate::real::Real;

pub(in crate::ops::count_head) struct Poisson;

impl<F: Real> Likelihood<F> for Poisson {
    const HAS_THETA: bool = false;
    const HAS_PI: bool = false;
    const HAS_GAMMAS: bool = false;
    const HAS_FACTOR: bool = false;
    const VANISHES: bool = true;

    #[inline(always)]
    fn at_zero(p: Params<F>, _: F, _: (F, F)) -> Partials<F> {
        Partials { nll: p.mu, factor: F::ONE, ln_mu: p.mu, ln_theta: F::ZERO, pi: F::ZERO }
    }

    #[inline(always)]
    fn at_positive(x: F, p: Params<F>, _: (F, F)) -> Partials<F> {
        let nll = p.mu - x * p.mu.ln();
        Partials { nll, factor: F::ONE, ln_mu: p.mu - x, ln_theta: F::ZERO, pi: F::ZERO }
    }
}
