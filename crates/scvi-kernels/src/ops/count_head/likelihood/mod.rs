//! Negative log-likelihoods of one value and their partial derivatives.

mod negative_binomial;
mod normal;
mod poisson;
#[cfg(test)]
mod tests;

pub(super) use negative_binomial::{Nb, Zinb};
pub(super) use normal::Normal;
pub(super) use poisson::Poisson;

use crate::real::{Real, Saturated};

/// ε of scvi-tools' likelihoods.
const EPS: f64 = 1e-8;

/// -ln p(x) and its derivatives.
pub(super) struct Partials<F> {
    /// without -ln [`Partials::factor`]
    pub(super) nll: F,
    /// between 1/2 and 2: one logarithm is taken of the product of many; 1 but for
    /// [`Likelihood::HAS_FACTOR`]
    pub(super) factor: F,
    /// d nll / d ln μ
    pub(super) ln_mu: F,
    /// d nll / d ln θ
    pub(super) ln_theta: F,
    /// d nll / d π
    pub(super) pi: F,
}

/// Parameters of one value's distribution.
pub(super) struct Params<F> {
    pub(super) mu: F,
    pub(super) theta: F,
    /// [`Likelihood::inverse`] of θ
    pub(super) inv_theta: F,
    pub(super) pi: F,
}

/// Logarithms of a zero.
#[derive(Clone, Copy)]
pub(super) struct Logs<F> {
    /// ln p(0) of a negative binomial, t = θ ln((θ+ε)/(θ+μ+ε)); ln θ of a normal distribution
    pub(super) log: F,
    /// [`Real::log1pmx_near_one`] of u = μ/(θ+ε)
    pub(super) near_one: F,
}

/// A distribution of values of which most are zero. Every method is branch-free.
///
/// A value that is not zero is evaluated twice: in its gene's row as a zero of mean 0, and gathered
/// with others of its kind, which adds what is missing. For counts every result at x = 0 and μ = 0
/// is zero but for rounding.
///
/// A value takes several of these steps, each in a vector loop of its own: together their chain of
/// dependent instructions would be longer than a processor looks ahead, and it would wait.
pub(super) trait Likelihood<F: Real> {
    const HAS_THETA: bool;
    const HAS_PI: bool;
    /// Whether it is a distribution of counts: [`Likelihood::at_positive`] reads the saturated
    /// model's likelihood.
    const OF_COUNTS: bool;
    /// Whether [`Likelihood::at_zero`] gives a factor.
    const HAS_FACTOR: bool;
    /// Whether every result at x = 0 and μ = 0 is zero, as padding is.
    const VANISHES: bool;
    /// 1/θ, kept from growing without bound.
    #[inline(always)]
    fn inverse(theta: F) -> F {
        F::ONE / (theta + F::of(EPS))
    }
    /// The logarithms of a zero, where there is a θ.
    #[inline(always)]
    fn logs(_mu: F, _theta: F, _inv_theta: F) -> Logs<F> {
        Logs { log: F::ZERO, near_one: F::ZERO }
    }
    /// The exponentials of a zero: e^-|π - t| and e^-|π|.
    #[inline(always)]
    fn exponentials(_pi: F, _log: F) -> (F, F) {
        (F::ZERO, F::ZERO)
    }
    /// At x = 0, after [`Likelihood::logs`] and [`Likelihood::exponentials`].
    fn at_zero(p: Params<F>, logs: Logs<F>, exponentials: (F, F)) -> Partials<F>;
    /// A count's likelihood at a mean of x, for x ≥ 1.
    #[inline(always)]
    fn saturated(_x: F, _theta: F) -> Saturated<F> {
        Saturated { nll: F::ZERO, ln_theta: F::ZERO }
    }
    /// The same for 0 < x < 1.
    #[inline(always)]
    fn saturated_below_one(_x: F, _theta: F) -> Saturated<F> {
        Saturated { nll: F::ZERO, ln_theta: F::ZERO }
    }
    /// At another x, what it has beyond a zero of mean 0.
    fn at_positive(x: F, p: Params<F>, saturated: Saturated<F>) -> Partials<F>;
}
