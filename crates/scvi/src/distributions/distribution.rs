//! What every distribution can do.

use rand_chacha::rand_core::Rng;
use scvi_kernels::Real;

/// Which normalised expression is meant, under scvi-tools' names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Normalized {
    /// "mu": the distribution's own mean parameter, in counts; zero inflation is left out.
    Mu,
    /// "scale": the expected share of a gene, as it was given with `with_scale` (of a normal
    /// distribution, `with_normal_mu`).
    Scale,
}

/// A distribution of one number.
///
/// Source: scvi-tools 1.4.2, `distributions/_negative_binomial.py`, `distributions/_normal.py`.
pub trait Distribution<F: Real> {
    /// ln p(x), in nats.
    ///
    /// Γ functions carry the distributions of counts over to fractions. Below 0 and at infinity a
    /// count has probability 0, hence minus infinity; of NaN the result is NaN.
    fn log_prob(&self, x: F) -> F;

    /// E\[x\].
    fn mean(&self) -> F;

    /// E\[(x - E\[x\])²\].
    fn variance(&self) -> F;

    /// Normalised expression (`get_normalized`); `None` where the scale was not given.
    fn normalized(&self, key: Normalized) -> Option<F>;

    /// One draw. It is made in f64: the same noise gives both number types the same count, but for
    /// the rounding of their parameters.
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> F;
}
