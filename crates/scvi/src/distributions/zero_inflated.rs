//! The zero-inflated negative binomial distribution.

use std::f64::consts::LN_2;

use rand_chacha::rand_core::Rng;
use scvi_kernels::Real;

use super::distribution::{Distribution, Normalized};
use super::error::{DistributionError, finite};
use super::negative_binomial::NegativeBinomial;
use super::numerics::{EPS, at_count, sigmoid, softplus, uniform};

/// A zero with probability σ(π), else a negative binomial count.
///
/// ```text
/// ln p(0) = softplus(ln NB(0) - π) - softplus(-π)      π = zi_logits
/// ln p(x) = ln NB(x) - softplus(π)                      x > 0
/// E[x]    = (1 - σ(π)) μ
/// Var[x]  = (1 - σ(π)) μ (1 + μ (σ(π) + 1/θ))
/// ```
/// As in scvi-tools, a count below 1e-8 is a zero.
///
/// Source: scvi-tools 1.4.2, `distributions/_negative_binomial.py`, `log_zinb_positive`,
/// `ZeroInflatedNegativeBinomial`; Lopez et al. 2018.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ZeroInflatedNegativeBinomial<F> {
    nb: NegativeBinomial<F>,
    zi_logits: F,
}

impl<F: Real> ZeroInflatedNegativeBinomial<F> {
    /// Counts of [`NegativeBinomial::new`], zero with probability σ(`zi_logits`).
    ///
    /// # Errors
    /// [`DistributionError`] where `mu` is not finite and 0 or more, `theta` not finite and above
    /// 0, or `zi_logits` not finite.
    pub fn new(mu: F, theta: F, zi_logits: F) -> Result<Self, DistributionError> {
        Self::inflate(NegativeBinomial::new(mu, theta)?, zi_logits)
    }

    /// The other parameterisations come through [`NegativeBinomial::zero_inflated`].
    pub(super) fn inflate(
        nb: NegativeBinomial<F>,
        zi_logits: F,
    ) -> Result<Self, DistributionError> {
        Ok(Self { nb, zi_logits: finite("zi_logits", zi_logits)? })
    }

    /// The same, with the expected share of the gene (px_scale).
    ///
    /// # Errors
    /// [`DistributionError`] where `scale` is negative or not finite.
    pub fn with_scale(self, scale: F) -> Result<Self, DistributionError> {
        Ok(Self { nb: self.nb.with_scale(scale)?, ..self })
    }

    /// The counts before zero inflation: μ and θ are theirs.
    pub fn nb(&self) -> &NegativeBinomial<F> {
        &self.nb
    }

    /// π, the logits of zero inflation.
    pub fn zi_logits(&self) -> F {
        self.zi_logits
    }

    /// σ(π), the probability of a zero beside the counts' own.
    pub fn zi_probs(&self) -> F {
        F::of(sigmoid(self.zi_logits.to_f64()))
    }

    /// ln p(0) = ln(1 - σ(-π)(1 - NB(0))).
    ///
    /// So it is precise while NB(0) is near 1; the difference of [the type's
    /// equation](Self) is where it is not.
    fn ln_p_zero(&self) -> f64 {
        let (pi, own) = (self.zi_logits.to_f64(), self.nb.ln_p_zero());
        if own > -LN_2 {
            (sigmoid(-pi) * own.exp_m1()).ln_1p()
        } else {
            softplus(own - pi) - softplus(-pi)
        }
    }
}

impl<F: Real> NegativeBinomial<F> {
    /// The same, but a zero with probability σ(`zi_logits`).
    ///
    /// # Errors
    /// [`DistributionError`] where `zi_logits` is not finite.
    pub fn zero_inflated(
        self,
        zi_logits: F,
    ) -> Result<ZeroInflatedNegativeBinomial<F>, DistributionError> {
        ZeroInflatedNegativeBinomial::inflate(self, zi_logits)
    }
}

impl<F: Real> Distribution<F> for ZeroInflatedNegativeBinomial<F> {
    fn log_prob(&self, x: F) -> F {
        at_count(x, |x| {
            if x < EPS {
                self.ln_p_zero()
            } else {
                self.nb.ln_p(x) - softplus(self.zi_logits.to_f64())
            }
        })
    }

    fn mean(&self) -> F {
        F::of(sigmoid(-self.zi_logits.to_f64()) * self.nb.mu().to_f64())
    }

    fn variance(&self) -> F {
        let (mu, theta) = (self.nb.mu().to_f64(), self.nb.theta().to_f64());
        let pi = self.zi_logits.to_f64();
        F::of(sigmoid(-pi) * mu * (1.0 + mu * sigmoid(pi) + mu / theta))
    }

    fn normalized(&self, key: Normalized) -> Option<F> {
        self.nb.normalized(key)
    }

    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> F {
        let count = self.nb.draw(rng);
        // Most counts are zero already, and need no second number.
        let dropped = count > 0.0 && uniform(rng) < sigmoid(self.zi_logits.to_f64());
        F::of(if dropped { 0.0 } else { count })
    }
}
