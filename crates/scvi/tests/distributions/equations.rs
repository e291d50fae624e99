//! What follows from the equations: sums over all counts, and limits.

use std::fmt::Debug;

use scvi::distributions::{Distribution, NegativeBinomial, NoiseRng};

use crate::{assert_close, expectation, nb, poisson, zinb};

/// ε = 1e-8 in the likelihood makes the sum (1 + ε/θ)^θ instead of 1, and nothing else may.
#[test]
fn probabilities_sum_to_one() {
    for theta in [0.3, 1.0, 4.5, 1e3, 1e7] {
        let with_eps = (theta * f64::ln_1p(1e-8 / theta)).exp();
        for mu in [1e-6, 0.2, 3.0, 80.0] {
            let sum = expectation(&nb(mu, theta), |_| 1.0);
            assert_close(sum, with_eps, 1e-11, (mu, theta));
            for zi_logits in [-5.0, 0.0, 3.0] {
                let zinb = zinb(mu, theta, zi_logits);
                let inflated = zinb.zi_probs();
                let sum = expectation(&zinb, |_| 1.0);
                let want = inflated + (1.0 - inflated) * with_eps;
                assert_close(sum, want, 1e-11, (mu, theta, zi_logits));
            }
        }
    }
    for rate in [0.0, 1e-6, 0.2, 3.0, 80.0] {
        assert_close(expectation(&poisson(rate), |_| 1.0), 1.0, 1e-12, rate);
    }
}

#[test]
fn mean_and_variance_are_those_of_the_probabilities() {
    fn check(distribution: &(impl Distribution<f64> + Debug)) {
        let mean = expectation(distribution, |x| x);
        // ε is 1e-8, beside a smallest mean of 0.2.
        assert_close(distribution.mean(), mean, 1e-6, distribution);
        let variance = expectation(distribution, |x| (x - mean).powi(2));
        assert_close(distribution.variance(), variance, 1e-6, distribution);
    }
    for mu in [0.2, 3.0, 80.0] {
        check(&poisson(mu));
        for theta in [0.3, 4.5, 1e3] {
            check(&nb(mu, theta));
            for zi_logits in [-5.0, 0.0, 3.0] {
                check(&zinb(mu, theta, zi_logits));
            }
        }
    }
}

#[test]
fn without_inflation_it_is_the_negative_binomial() {
    for (mu, theta) in [(1e-6, 1.0), (0.4, 0.1), (3.0, 2.0), (500.0, 30.0), (2.0, 1e8)] {
        let (zinb, nb) = (zinb(mu, theta, -800.0), nb(mu, theta));
        for x in [0.0, 1.0, 2.0, 17.0, 900.0] {
            assert_close(zinb.log_prob(x), nb.log_prob(x), 1e-12, (mu, theta, x));
        }
        assert_close(zinb.mean(), nb.mean(), 1e-15, (mu, theta));
        assert_close(zinb.variance(), nb.variance(), 1e-15, (mu, theta));
        for cell in 0..200 {
            let noise = || NoiseRng::new(1, 0, cell, 0);
            assert_eq!(zinb.sample(&mut noise()), nb.sample(&mut noise()));
        }
    }
}

#[test]
fn parameterisations_agree() {
    for theta in [0.01f64, 0.7, 5.0, 300.0] {
        for mu in [1e-3, 0.5, 12.0, 4e3] {
            let by_mean = nb(mu, theta);
            let by_probs = NegativeBinomial::from_probs(theta, mu / (mu + theta)).unwrap();
            let by_logits = NegativeBinomial::from_logits(theta, (mu / theta).ln()).unwrap();
            for other in [by_probs, by_logits] {
                assert_eq!(other.theta(), theta);
                assert_close(other.mu(), mu, 1e-11, theta);
                for x in [0.0, 1.0, 9.0, 2000.0] {
                    assert_close(other.log_prob(x), by_mean.log_prob(x), 1e-9, (mu, theta, x));
                    let [a, b] = [other, by_mean].map(|nb| nb.zero_inflated(0.5).unwrap());
                    assert_close(a.log_prob(x), b.log_prob(x), 1e-9, (mu, theta, x));
                }
            }
        }
    }
}

/// To first order in 1/θ, ln NB(x) - ln Poisson(x) = ((x - μ)² - x)/(2θ).
#[test]
fn a_large_theta_leaves_the_poisson() {
    for theta in [1e5, 1e7, 1e9, 1e300] {
        for mu in [0.5, 7.5, 30.0] {
            for x in 0..60 {
                let x = f64::from(x);
                let found = nb(mu, theta).log_prob(x) - poisson(mu).log_prob(x);
                let first = ((x - mu) * (x - mu) - x) / (2.0 * theta);
                // What is left: the next order, ε, and rounding.
                let allowed = (x + mu).powi(3) / (theta * theta) + (1.0 + x / mu) * 2e-8 + 1e-12;
                assert!((found - first).abs() <= allowed, "{theta} {mu} {x}: {found:e} {first:e}");
            }
            assert_close(nb(mu, theta).variance(), poisson(mu).variance(), 1e-3, (mu, theta));
        }
    }
}
