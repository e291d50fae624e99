//! Functions the distributions share, in f64.

use rand_chacha::rand_core::Rng;
use rand_distr::Distribution as _;
use scvi_kernels::Real;

/// ε of scvi-tools' likelihoods.
pub(super) const EPS: f64 = 1e-8;

/// `ln_p(x)` on the support of counts and between them; see
/// [`Distribution::log_prob`](super::Distribution::log_prob) for what is beside it.
pub(super) fn at_count<F: Real>(x: F, ln_p: impl FnOnce(f64) -> f64) -> F {
    let x = x.to_f64();
    F::of(if x.is_nan() {
        x
    } else if x < 0.0 || x.is_infinite() {
        f64::NEG_INFINITY
    } else {
        ln_p(x)
    })
}

/// σ(x) = 1/(1 + e^-x), precise where it is small.
pub(super) fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// ln(1 + eˣ) without overflow.
pub(super) fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// A Poisson count. Rates above what the generator takes, 1.8e19, count as that.
pub(super) fn poisson_draw<R: Rng + ?Sized>(rate: f64, rng: &mut R) -> f64 {
    let rate = rate.min(rand_distr::Poisson::<f64>::MAX_LAMBDA);
    // A rate of 0 is refused there, and has but one outcome.
    rand_distr::Poisson::new(rate).map_or(0.0, |poisson| poisson.sample(rng))
}

/// A uniform number in [0, 1) with 53 bits.
pub(super) fn uniform<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    (rng.next_u64() >> 11) as f64 * 2f64.powi(-53)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sigmoid_and_softplus_are_precise_far_out() {
        for x in [-700.0, -40.0, -1.0, 0.0, 1.0, 40.0, 700.0] {
            let e = f64::exp(-f64::abs(x));
            let share = if x < 0.0 { e / (1.0 + e) } else { 1.0 / (1.0 + e) };
            assert!((sigmoid(x) / share - 1.0).abs() < 1e-15, "σ({x})");
            // softplus(x) = -ln σ(-x)
            assert!((softplus(x) - softplus(-x) - x).abs() <= 1e-15 * x.abs(), "softplus({x})");
        }
        assert_eq!(softplus(-40.0), (-40f64).exp());
        assert_eq!((sigmoid(-1e9), sigmoid(1e9)), (0.0, 1.0));
    }
}
