//! `scvi.distributions`: the distributions of counts that models predict, one number at a time.
//!
//! | Type | Parameters | scvi-tools |
//! |---|---|---|
//! | [`NegativeBinomial`] | μ, θ (or total count with probabilities or logits) | `NegativeBinomial` |
//! | [`ZeroInflatedNegativeBinomial`] | μ, θ, logits of zero inflation | `ZeroInflatedNegativeBinomial` |
//! | [`Poisson`] | rate | `Poisson` |
//! | [`Normal`] | location, scale | `Normal` |
//!
//! This is the readable statement of the formulas that training evaluates in vectors
//! ([`scvi_kernels::ops::count_head`]). Parameters and results have the caller's number type;
//! in between everything is computed in f64. Written down plainly, a log-probability is a small
//! difference of terms as large as counts; it is computed as the sum of two positive terms, the
//! count's own ([`scvi_kernels::Saturated`]) and half of the deviance.
//!
//! [`sample_matrix`] draws a matrix of cells by genes, each number from noise of its own.
//!
//! ```
//! use scvi::distributions::{Distribution, NegativeBinomial, NoiseRng};
//!
//! let nb = NegativeBinomial::new(3.0, 0.8)?;
//! let zinb = nb.zero_inflated(-1.0)?;
//! assert!(zinb.log_prob(0.0) > nb.log_prob(0.0));
//! assert!(zinb.mean() < nb.mean());
//! // Two distributions meet the same noise: a zero-inflated count is the other, or 0.
//! let count = zinb.sample(&mut NoiseRng::new(7, 0, 12, 345));
//! assert!(count == 0.0 || count == nb.sample(&mut NoiseRng::new(7, 0, 12, 345)));
//! # Ok::<(), scvi::distributions::DistributionError>(())
//! ```
//!
//! Source: scvi-tools 1.4.2, `distributions/_negative_binomial.py`, `distributions/_normal.py`.

mod distribution;
mod error;
mod matrix;
mod negative_binomial;
mod noise;
mod normal;
mod numerics;
mod poisson;
mod zero_inflated;

pub use distribution::{Distribution, Normalized};
pub use error::DistributionError;
pub use matrix::{SampleError, SampleNoise, sample_matrix};
pub use negative_binomial::NegativeBinomial;
pub use noise::NoiseRng;
pub use normal::Normal;
pub use poisson::{MAX_POISSON_RATE, Poisson};
pub use rand_chacha::rand_core::Rng;
pub use zero_inflated::ZeroInflatedNegativeBinomial;
