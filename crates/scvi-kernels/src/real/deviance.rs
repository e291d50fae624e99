//! Half of the deviance: how much less likely a count is than where its mean is the count itself.

use std::hint::select_unpredictable as select;

use super::Real;

/// Half of a negative binomial's deviance at a count x, as the two positive parts of it, with
/// h(w) = w - ln(1 + w):
/// ```text
/// x ln(x/μ) - N ln(N/(θ + μ)) = x h(e/x) + θ h(-e/θ),  N = x + θ,  e = θ (μ - x)/(θ + μ)
/// ```
/// On the left large terms nearly cancel: all but (x - μ)²/2μ of x ln x where θ is huge, all but
/// ln x where it is small.
///
/// Source: Loader 2000, "Fast and accurate computation of binomial probabilities".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NbDeviance<F> {
    /// x h(e/x).
    pub of_count: F,
    /// θ h(-e/θ), and the derivative of both parts' sum by ln θ.
    pub of_theta: F,
    /// e, the derivative of that sum by ln μ.
    pub ln_mu: F,
}

impl<F: Real> NbDeviance<F> {
    /// For x, μ and θ above 0.
    #[inline(always)]
    pub fn new(x: F, mu: F, theta: F) -> Self {
        let (n, sum) = (x + theta, mu + theta);
        let (inv_x, inv_sum) = (F::ONE / x, F::ONE / sum);
        let v = (x - mu) * inv_sum;
        // In an order in which nothing overflows, and a small θ stays.
        let e = select(sum > F::ONE, -(theta * v), theta * inv_sum * (mu - x));
        let w = e * inv_x;
        let (log, near) = F::log1pmx_near_one(w, (mu * inv_sum) * (n * inv_x));
        let of_count = x * (select(near, F::ZERO, w) - log);
        let (log, near) = F::log1pmx_near_one(v, n * inv_sum);
        let of_theta = select(near, F::ZERO, -e) - theta * log;
        Self { of_count, of_theta, ln_mu: e }
    }
}

/// Half of a Poisson's deviance, x ln(x/μ) - x + μ = x h(μ/x - 1), for x and μ above 0.
#[inline(always)]
pub fn poisson_deviance<F: Real>(x: F, mu: F) -> F {
    let inv_x = F::ONE / x;
    let (ratio, w) = (mu * inv_x, (mu - x) * inv_x);
    // A smaller quotient may be none that a logarithm knows; its root always is.
    let tiny = ratio < F::of(1e-30);
    let root = mu.sqrt() * inv_x.sqrt();
    let (log, near) = F::log1pmx_near_one(w, select(tiny, root, ratio));
    let log = select(tiny, log + log, log);
    x * (select(near, F::ZERO, w) - log)
}
