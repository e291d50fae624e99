//! The Poisson distribution.

use rand_chacha::rand_core::Rng;
use scvi_kernels::{Real, Saturated, poisson_deviance};

use super::distribution::{Distribution, Normalized};
use super::error::{DistributionError, not_negative};
use super::numerics::{at_count, poisson_draw};

/// The largest rate that scvi-tools draws counts with: of every negative binomial, and of a
/// posterior predictive Poisson unless another `max_poisson_rate` is asked for.
///
/// Source: scvi-tools 1.4.2, `distributions/_negative_binomial.py`, `module/_vae.py`, `sample`.
pub const MAX_POISSON_RATE: f64 = 1e8;

/// Counts of mean and variance λ.
///
/// ```text
/// ln p(x) = x ln λ - λ - ln x!
/// ```
/// Source: scvi-tools 1.4.2, `distributions/_negative_binomial.py`, `Poisson`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Poisson<F> {
    rate: F,
    scale: Option<F>,
}

impl<F: Real> Poisson<F> {
    /// Counts of mean `rate`.
    ///
    /// # Errors
    /// [`DistributionError`] where `rate` is negative or not finite.
    pub fn new(rate: F) -> Result<Self, DistributionError> {
        Ok(Self { rate: not_negative("rate", rate)?, scale: None })
    }

    /// The same, with the expected share of the gene (px_scale).
    ///
    /// # Errors
    /// [`DistributionError`] where `scale` is negative or not finite.
    pub fn with_scale(self, scale: F) -> Result<Self, DistributionError> {
        Ok(Self { scale: Some(not_negative("scale", scale)?), ..self })
    }

    /// The same with its rate clipped to at most `max_poisson_rate`, as posterior predictive
    /// samples are drawn ([`MAX_POISSON_RATE`] being the default).
    ///
    /// Source: scvi-tools 1.4.2, `module/_vae.py`, `sample`.
    ///
    /// # Errors
    /// [`DistributionError`] where `max_poisson_rate` is negative or not finite.
    pub fn clipped(self, max_poisson_rate: F) -> Result<Self, DistributionError> {
        let most = not_negative("max_poisson_rate", max_poisson_rate)?;
        Ok(Self { rate: if self.rate < most { self.rate } else { most }, ..self })
    }

    /// λ.
    pub fn rate(&self) -> F {
        self.rate
    }
}

impl<F: Real> Distribution<F> for Poisson<F> {
    fn log_prob(&self, x: F) -> F {
        let rate = self.rate.to_f64();
        at_count(x, |x| {
            if x == 0.0 {
                return -rate;
            }
            // A rate of 0 gives a certain zero.
            if rate == 0.0 {
                return f64::NEG_INFINITY;
            }
            let saturated = match x < 1.0 {
                true => Saturated::poisson_below_one(x),
                false => Saturated::poisson(x),
            };
            -(saturated.nll + poisson_deviance(x, rate))
        })
    }

    fn mean(&self) -> F {
        self.rate
    }

    fn variance(&self) -> F {
        self.rate
    }

    fn normalized(&self, key: Normalized) -> Option<F> {
        match key {
            Normalized::Mu => Some(self.rate),
            Normalized::Scale => self.scale,
        }
    }

    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> F {
        F::of(poisson_draw(self.rate.to_f64(), rng))
    }
}
