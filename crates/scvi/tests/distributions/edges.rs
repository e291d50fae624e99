//! The ends of what parameters and counts may be, and beyond.

use std::fmt::Debug;

use scvi::Real;
use scvi::distributions::{
    Distribution, DistributionError, NegativeBinomial, NoiseRng, Normal, Normalized, Poisson,
    ZeroInflatedNegativeBinomial,
};

use crate::{nb, poisson, zinb};

#[test]
fn the_edges_are_finite() {
    fn check<F: Real>(mus: &[f64], thetas: &[f64]) {
        for &mu in mus {
            let poisson = Poisson::new(F::of(mu)).unwrap();
            assert!(poisson.log_prob(F::ZERO).to_f64().is_finite(), "{mu}");
            for &theta in thetas {
                for zi_logits in [-1e4, -80.0, 0.0, 80.0, 1e4] {
                    let [mu, theta, zi] = [mu, theta, zi_logits].map(F::of);
                    let zinb = ZeroInflatedNegativeBinomial::new(mu, theta, zi).unwrap();
                    for x in [0.0, 1e-9, 0.5, 1.0, 3.0, 1e6].map(F::of) {
                        let found = [zinb.log_prob(x), zinb.nb().log_prob(x)];
                        let finite = found.iter().all(|v| v.to_f64().is_finite());
                        assert!(finite, "{found:?} {mu} {theta} {zi} {x}");
                    }
                    let found = zinb.sample(&mut NoiseRng::new(0, 0, 0, 0));
                    assert!(found.to_f64().is_finite(), "{mu} {theta} {zi}");
                }
            }
        }
    }
    check::<f32>(&[0.0, 1e-38, 1.0, 1e10], &[1e-38, 1e-10, 1.0, 1e10, 3e38]);
    check::<f64>(&[0.0, 1e-300, 1.0, 1e10], &[1e-300, 1e-10, 1.0, 1e10, 1e300]);
}

#[test]
fn beside_the_support_there_is_nothing() {
    let (zinb, poisson) = (zinb(2.0, 1.0, 0.0), poisson(0.0));
    for x in [-1.0, -1e-300, f64::INFINITY, f64::NEG_INFINITY] {
        let found = [zinb.log_prob(x), zinb.nb().log_prob(x), poisson.log_prob(x)];
        assert_eq!(found, [f64::NEG_INFINITY; 3], "{x}");
    }
    assert!(zinb.log_prob(f64::NAN).is_nan() && poisson.log_prob(f64::NAN).is_nan());
    // Zero inflation takes what is nearly 0 for a zero.
    assert_eq!(zinb.log_prob(0.9e-8), zinb.log_prob(0.0));
    assert!(zinb.log_prob(1.1e-8) < zinb.log_prob(0.0) - 0.1);
    // A rate of 0 is a certain zero.
    assert_eq!((poisson.log_prob(0.0), poisson.log_prob(1.0)), (0.0, f64::NEG_INFINITY));
}

#[test]
fn normalised_expression_is_what_was_given() {
    let [mu, scale] = [Normalized::Mu, Normalized::Scale];
    let nb = nb(3.0, 1.0);
    assert_eq!((nb.normalized(mu), nb.normalized(scale)), (Some(3.0), None));
    let nb = nb.with_scale(0.25).unwrap();
    // Zero inflation does not show in it.
    let zinb = nb.zero_inflated(2.0).unwrap();
    assert_eq!((zinb.normalized(mu), zinb.normalized(scale)), (Some(3.0), Some(0.25)));
    let poisson = poisson(3.0).with_scale(0.5).unwrap();
    assert_eq!((poisson.normalized(mu), poisson.normalized(scale)), (Some(3.0), Some(0.5)));
    let normal = Normal::new(-3.0, 2.0).unwrap().with_normal_mu(-0.5).unwrap();
    assert_eq!((normal.normalized(mu), normal.normalized(scale)), (Some(-3.0), Some(-0.5)));
}

#[test]
fn an_illegal_parameter_is_named() {
    fn name<T: Debug>(made: Result<T, DistributionError>) -> &'static str {
        let DistributionError::OutOfRange { parameter, .. } = made.unwrap_err() else {
            panic!("another error")
        };
        parameter
    }
    let nb = nb(1.0, 1.0);
    let (nan, inf) = (f64::NAN, f64::INFINITY);
    for bad in [nan, inf, -inf, -1.0] {
        assert_eq!(name(NegativeBinomial::new(bad, 1.0)), "mu");
        assert_eq!(name(NegativeBinomial::new(1.0, bad)), "theta");
        assert_eq!(name(ZeroInflatedNegativeBinomial::new(bad, 1.0, 0.0)), "mu");
        assert_eq!(name(ZeroInflatedNegativeBinomial::new(1.0, bad, 0.0)), "theta");
        assert_eq!(name(NegativeBinomial::from_probs(bad, 0.5)), "total_count");
        assert_eq!(name(NegativeBinomial::from_logits(bad, 0.5)), "total_count");
        assert_eq!(name(NegativeBinomial::from_probs(1.0, bad)), "probs");
        assert_eq!(name(nb.with_scale(bad)), "scale");
        assert_eq!(name(nb.zero_inflated(0.0).unwrap().with_scale(bad)), "scale");
        assert_eq!(name(Poisson::new(bad)), "rate");
        assert_eq!(name(poisson(1.0).with_scale(bad)), "scale");
        assert_eq!(name(poisson(1.0).clipped(bad)), "max_poisson_rate");
        assert_eq!(name(Normal::new(0.0, bad)), "scale");
    }
    for bad in [nan, inf, -inf] {
        assert_eq!(name(nb.zero_inflated(bad)), "zi_logits");
        assert_eq!(name(NegativeBinomial::from_logits(1.0, bad)), "logits");
        assert_eq!(name(Normal::new(bad, 1.0)), "loc");
        assert_eq!(name(Normal::new(0.0, 1.0).unwrap().with_normal_mu(bad)), "normal_mu");
    }
    assert_eq!(name(NegativeBinomial::new(1.0, 0.0)), "theta");
    assert_eq!(name(NegativeBinomial::from_probs(1.0, 1.0)), "probs");
    // Finite in f64, but its mean is not in f32.
    assert_eq!(name(NegativeBinomial::from_logits(1.0f32, 100.0)), "logits");
    let text = NegativeBinomial::new(-2.5, 1.0).unwrap_err().to_string();
    assert_eq!(text, "mu is -2.5; it must be finite and 0 or more");
}
