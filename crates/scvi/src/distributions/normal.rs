//! The normal distribution.

use std::f64::consts::TAU;

use rand_chacha::rand_core::Rng;
use rand_distr::{Distribution as _, StandardNormal};
use scvi_kernels::Real;

use super::distribution::{Distribution, Normalized};
use super::error::{DistributionError, finite, positive};

/// The normal distribution of mean `loc` and standard deviation `scale`.
///
/// ```text
/// ln p(x) = -(x - loc)²/(2 scale²) - ln scale - ln(2π)/2
/// ```
/// Source: scvi-tools 1.4.2, `distributions/_normal.py`, `Normal`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normal<F> {
    loc: F,
    scale: F,
    normal_mu: Option<F>,
}

impl<F: Real> Normal<F> {
    /// The normal distribution of mean `loc` and standard deviation `scale`.
    ///
    /// # Errors
    /// [`DistributionError`] where `loc` is not finite, or `scale` not finite and above 0.
    pub fn new(loc: F, scale: F) -> Result<Self, DistributionError> {
        Ok(Self { loc: finite("loc", loc)?, scale: positive("scale", scale)?, normal_mu: None })
    }

    /// The same, with a normalised mean: what [`Normalized::Scale`] gives.
    ///
    /// # Errors
    /// [`DistributionError`] where `normal_mu` is not finite.
    pub fn with_normal_mu(self, normal_mu: F) -> Result<Self, DistributionError> {
        Ok(Self { normal_mu: Some(finite("normal_mu", normal_mu)?), ..self })
    }

    /// Mean.
    pub fn loc(&self) -> F {
        self.loc
    }

    /// Standard deviation.
    pub fn scale(&self) -> F {
        self.scale
    }
}

impl<F: Real> Distribution<F> for Normal<F> {
    fn log_prob(&self, x: F) -> F {
        let scale = self.scale.to_f64();
        let deviate = (x.to_f64() - self.loc.to_f64()) / scale;
        F::of(-0.5 * (deviate * deviate + TAU.ln()) - scale.ln())
    }

    fn mean(&self) -> F {
        self.loc
    }

    fn variance(&self) -> F {
        self.scale * self.scale
    }

    fn normalized(&self, key: Normalized) -> Option<F> {
        match key {
            Normalized::Mu => Some(self.loc),
            Normalized::Scale => self.normal_mu,
        }
    }

    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> F {
        let deviate: f64 = StandardNormal.sample(rng);
        F::of(deviate.mul_add(self.scale.to_f64(), self.loc.to_f64()))
    }
}
