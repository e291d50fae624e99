//! Negative log-likelihoods of one value and their partial derivatives.

mod negative_binomial;
mod normal;
mod poisson;

pub(super) use negative_binomial::{Nb, Zinb};
pub(super) use normal::Normal;
pub(super) use poisson::Poisson;

use crate::real::Real;

/// ε of scvi-tools' likelihoods.
const EPS: f64 = 1e-8;

/// -ln p(x) without the ln x! term of counts, and its derivatives.
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

/// ln(1 + μ/(θ+ε)) = ln((θ+μ+ε)/(θ+ε)), precise where θ is much larger than μ.
#[inline(always)]
fn log_ratio<F: Real>(mu: F, inv_theta: F) -> F {
    F::ln_1p(mu * inv_theta)
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
    /// Whether [`Likelihood::at_positive`] reads the Γ functions.
    const HAS_GAMMAS: bool;
    /// Whether [`Likelihood::at_zero`] gives a factor.
    const HAS_FACTOR: bool;
    /// Whether every result at x = 0 and μ = 0 is zero, as padding is.
    const VANISHES: bool;
    /// 1/θ, kept from growing without bound.
    #[inline(always)]
    fn inverse(theta: F) -> F {
        F::ONE / (theta + F::of(EPS))
    }
    /// The logarithm of a zero: t = θ ln((θ+ε)/(θ+μ+ε)) of a negative binomial.
    #[inline(always)]
    fn log(mu: F, theta: F, inv_theta: F) -> F {
        -theta * log_ratio(mu, inv_theta)
    }
    /// The exponentials of a zero: e^-|π - t| and e^-|π|.
    #[inline(always)]
    fn exponentials(_pi: F, _log: F) -> (F, F) {
        (F::ZERO, F::ZERO)
    }
    /// At x = 0, after [`Likelihood::log`] and [`Likelihood::exponentials`].
    fn at_zero(p: Params<F>, log: F, exponentials: (F, F)) -> Partials<F>;
    /// At another x, what it has beyond a zero of mean 0, after [`Real::ln_gamma_ratio`].
    fn at_positive(x: F, p: Params<F>, gammas: (F, F)) -> Partials<F>;
}
