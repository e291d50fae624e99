//! The saturated model: a count's own likelihood where its mean is the count itself.

use std::hint::select_unpredictable as select;

use super::Real;

/// -ln p(x) at μ = x, in which no large terms cancel: ln x! and the Γ functions of a negative
/// binomial are huge where counts are, and what is left of them is not.
///
/// With Stirling's remainder S and N = x + θ:
/// ```text
/// Poisson             ln x! - x ln x + x = ln(2πx)/2 + S(x)
/// negative binomial   ln(2πx)/2 + S(x) + ln(N/θ)/2 + S(θ) - S(N)
/// S(θ) = S(θ + 1) + (θ + 1/2) ln(1 + 1/θ) - 1, for θ < 1
/// ```
/// Every term is positive. For another mean, half of the deviance is added:
/// [`NbDeviance`](super::NbDeviance), [`poisson_deviance`](super::poisson_deviance).
///
/// Source: Loader 2000, "Fast and accurate computation of binomial probabilities".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Saturated<F> {
    /// -ln p(x | μ = x, θ).
    pub nll: F,
    /// Its derivative by ln θ, θ (S'(θ) - S'(N)) - x/2N.
    pub ln_theta: F,
}

impl<F: Real> Saturated<F> {
    /// Of a Poisson distribution, for x ≥ 1.
    #[inline(always)]
    pub fn poisson(x: F) -> Self {
        let nll = F::HALF * (x.ln() + ln_tau()) + F::stirling(x).0;
        Self { nll, ln_theta: F::ZERO }
    }

    /// Of a Poisson distribution, for 0 < x < 1: x (1 - ln x) + ln Γ(1 + x).
    #[inline(always)]
    pub fn poisson_below_one(x: F) -> Self {
        let nll = x * (F::ONE - x.ln() + F::ln_gamma_1p_over(x));
        Self { nll, ln_theta: F::ZERO }
    }

    /// Of a negative binomial, for x ≥ 1.
    #[inline(always)]
    pub fn negative_binomial(x: F, theta: F) -> Self {
        let n = x + theta;
        let shifted = theta < F::ONE;
        let a = select(shifted, theta + F::ONE, theta);
        let (inv_a, inv_theta) = (F::ONE / a, F::ONE / theta);
        let (sa, dsa) = F::stirling(a);
        let (sn, dsn) = F::stirling(n);
        let log = (F::ONE + inv_theta).ln();
        // ln(N/θ)/2 is ln(N/(θ + 1))/2 and this logarithm's half.
        let shift = (theta + F::ONE) * log - F::ONE;
        let ratio = F::HALF * (n * inv_a).ln() + (sa - sn) + select(shifted, shift, F::ZERO);
        let shift = F::HALF * theta.mul_add(inv_a, F::ONE) - theta * log;
        let slope = F::HALF * (x / n) + theta * (dsn - dsa) + select(shifted, shift, F::ZERO);
        Self { nll: Self::poisson(x).nll + ratio, ln_theta: -slope }
    }

    /// Of a negative binomial, for 0 < x < 1: every term is a product of a small x, so that none
    /// costs digits.
    #[inline(always)]
    pub fn negative_binomial_below_one(x: F, theta: F) -> Self {
        let n = x + theta;
        let shifted = theta < F::ONE;
        let a = select(shifted, theta + F::ONE, theta);
        let (s, ds) = F::stirling_difference(a, x);
        let per_theta = x / theta;
        // S(θ) - S(N) beyond S(θ + 1) - S(N + 1).
        let log = F::ln_1p(per_theta / (n + F::ONE));
        let shift = (theta + F::HALF) * log - x * F::ln_1p(F::ONE / n);
        let ratio = F::HALF * F::ln_1p(per_theta) + s + select(shifted, shift, F::ZERO);
        let half = F::HALF * (x / n);
        let shift = half + F::HALF * (theta * x / (a * (n + F::ONE))) - theta * log;
        let slope = half + theta * ds + select(shifted, shift, F::ZERO);
        Self { nll: Self::poisson_below_one(x).nll + ratio, ln_theta: -slope }
    }
}

/// ln 2π.
#[inline(always)]
fn ln_tau<F: Real>() -> F {
    F::of(1.837_877_066_409_345_5)
}
