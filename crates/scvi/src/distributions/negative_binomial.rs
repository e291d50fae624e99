//! The negative binomial distribution.

use rand_chacha::rand_core::Rng;
use rand_distr::{Distribution as _, Gamma};
use scvi_kernels::{NbDeviance, Real, Saturated};

use super::distribution::{Distribution, Normalized};
use super::error::{
    DistributionError, logits_of_finite_mean, not_negative, positive, probability_below_one,
};
use super::numerics::{EPS, at_count, poisson_draw};
use super::poisson::MAX_POISSON_RATE;

/// Counts of mean μ and variance μ + μ²/θ.
///
/// ```text
/// ln p(x) = θ ln((θ+ε)/(θ+μ+ε)) + x ln((μ+ε)/(θ+μ+ε)) + ln Γ(x+θ) - ln Γ(θ) - ln x!
/// ε = 1e-8
/// ```
/// A count is a Poisson draw whose rate is a draw w ~ Gamma(shape θ, rate θ/μ), the rate clipped at
/// [`MAX_POISSON_RATE`].
///
/// Source: scvi-tools 1.4.2, `distributions/_negative_binomial.py`, `log_nb_positive`,
/// `NegativeBinomial`; Lopez et al. 2018.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NegativeBinomial<F> {
    mu: F,
    theta: F,
    scale: Option<F>,
}

impl<F: Real> NegativeBinomial<F> {
    /// Counts of mean `mu` and inverse dispersion `theta`.
    ///
    /// # Errors
    /// [`DistributionError`] where `mu` is not finite and 0 or more, or `theta` not finite and
    /// above 0.
    pub fn new(mu: F, theta: F) -> Result<Self, DistributionError> {
        let (mu, theta) = (not_negative("mu", mu)?, positive("theta", theta)?);
        Ok(Self { mu, theta, scale: None })
    }

    /// Successes, each of probability `probs`, before `total_count` failures:
    /// μ = total_count probs/(1 - probs), θ = total_count.
    ///
    /// scvi-tools 1.4.2 takes ln probs for the logits of `probs`, so that its mean is
    /// total_count probs; its documentation, torch and this library mean the success probability.
    ///
    /// # Errors
    /// [`DistributionError`] where `total_count` is not finite and above 0, or `probs` is negative,
    /// 1 or more.
    pub fn from_probs(total_count: F, probs: F) -> Result<Self, DistributionError> {
        let theta = positive("total_count", total_count)?;
        let probs = probability_below_one("probs", probs)?;
        Self::new(theta * (probs / (F::ONE - probs)), theta)
    }

    /// The same from the logits of the probability: μ = total_count e^logits, θ = total_count.
    ///
    /// # Errors
    /// [`DistributionError`] where `total_count` is not finite and above 0, or `logits` or the mean
    /// not finite.
    pub fn from_logits(total_count: F, logits: F) -> Result<Self, DistributionError> {
        let theta = positive("total_count", total_count)?;
        // In f64, and not by Real::exp, which is bounded: an overflow is to be seen.
        let mu = F::of(theta.to_f64() * logits.to_f64().exp());
        logits_of_finite_mean("logits", logits, mu)?;
        Self::new(mu, theta)
    }

    /// The same, with the expected share of the gene (px_scale).
    ///
    /// scvi-tools fills it in by itself where counts are parameterised by their total, dividing by
    /// the sum over genes; one gene's distribution does not know that sum.
    ///
    /// # Errors
    /// [`DistributionError`] where `scale` is negative or not finite.
    pub fn with_scale(self, scale: F) -> Result<Self, DistributionError> {
        Ok(Self { scale: Some(not_negative("scale", scale)?), ..self })
    }

    /// μ.
    pub fn mu(&self) -> F {
        self.mu
    }

    /// θ, the inverse dispersion, or total count of failures.
    pub fn theta(&self) -> F {
        self.theta
    }

    /// μ and θ in f64. A θ whose square leaves the range of f64 counts as the nearest that does
    /// not.
    fn parameters(&self) -> (f64, f64) {
        (self.mu.to_f64(), self.theta.to_f64().clamp(1e-150, 1e150))
    }

    /// ln p(0) = θ ln((θ+ε)/(θ+μ+ε)), precise where θ is much larger than μ.
    pub(super) fn ln_p_zero(&self) -> f64 {
        let (mu, theta) = self.parameters();
        -theta * (mu / (theta + EPS)).ln_1p()
    }

    /// ln p(x) for x ≥ 0.
    pub(super) fn ln_p(&self, x: f64) -> f64 {
        if x == 0.0 {
            return self.ln_p_zero();
        }
        let (mu, theta) = self.parameters();
        let saturated = match x < 1.0 {
            true => Saturated::negative_binomial_below_one(x, theta),
            false => Saturated::negative_binomial(x, theta),
        };
        let deviance = NbDeviance::new(x, mu + EPS, theta);
        theta * (EPS / theta).ln_1p() - (saturated.nll + deviance.of_count + deviance.of_theta)
    }

    /// One draw in f64.
    pub(super) fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let (mu, theta) = self.parameters();
        let gamma = Gamma::new(theta, 1.0).expect("θ and 1 are positive");
        // First by θ, then times μ: their quotient may be beyond f64. Without a mean, no count.
        let rate = if mu > 0.0 { gamma.sample(rng) / theta * mu } else { 0.0 };
        poisson_draw(rate.min(MAX_POISSON_RATE), rng)
    }
}

impl<F: Real> Distribution<F> for NegativeBinomial<F> {
    fn log_prob(&self, x: F) -> F {
        at_count(x, |x| self.ln_p(x))
    }

    fn mean(&self) -> F {
        self.mu
    }

    fn variance(&self) -> F {
        let (mu, theta) = (self.mu.to_f64(), self.theta.to_f64());
        F::of(mu + mu * (mu / theta))
    }

    fn normalized(&self, key: Normalized) -> Option<F> {
        match key {
            Normalized::Mu => Some(self.mu),
            Normalized::Scale => self.scale,
        }
    }

    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> F {
        F::of(self.draw(rng))
    }
}
