//! The chi-square distribution, and what it says of covariances of the nearest cells.

use std::f64::consts::PI;

/// P(χ² ≤ x) with `n` degrees of freedom, n ≥ 1.
///
/// The regularised gamma function P(a, x/2), a = n/2, by its series of positive terms
/// `x^a e^-x / Γ(a + 1) · (1 + x/(a+1) + x²/((a+1)(a+2)) + …)` (Abramowitz and Stegun 6.5.29).
pub(super) fn cumulative(x: f64, n: usize) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let (a, x) = (n as f64 / 2.0, x / 2.0);
    let (mut term, mut sum, mut k) = (1.0, 1.0, 1.0);
    while term > 1e-17 * sum {
        term *= x / (a + k);
        sum += term;
        k += 1.0;
    }
    (sum.ln() + a * x.ln() - x - ln_gamma_half(n + 2)).exp().min(1.0)
}

/// ln Γ(n/2), by Γ(a + 1) = a Γ(a).
fn ln_gamma_half(n: usize) -> f64 {
    let (from, first) = if n.is_multiple_of(2) { (2, 0.0) } else { (1, PI.sqrt().ln()) };
    first + (from..n).step_by(2).map(|k| (k as f64 / 2.0).ln()).sum::<f64>()
}

/// The x with P(χ² ≤ x) = `probability`, which is in (0, 1), by bisection.
pub(super) fn quantile(probability: f64, n: usize) -> f64 {
    let (mut low, mut high) = (0.0, n as f64);
    while cumulative(high, n) < probability && high < 1e6 * n as f64 {
        (low, high) = (high, 2.0 * high);
    }
    // As many halvings as there are bits.
    for _ in 0..64 {
        let middle = 0.5 * (low + high);
        match cumulative(middle, n) < probability {
            true => low = middle,
            false => high = middle,
        }
    }
    0.5 * (low + high)
}

/// What the covariance of the `share` of normal cells that are nearest to the mean is to be
/// multiplied by to be the covariance of all: α / P(χ²ₙ₊₂ ≤ q), q the α-quantile of χ²ₙ.
///
/// Source: Croux and Haesbroeck 1999, "Influence function and efficiency of the minimum covariance
/// determinant scatter matrix estimator".
pub(super) fn consistency_factor(share: f64, n: usize) -> f64 {
    if share >= 1.0 {
        return 1.0;
    }
    share / cumulative(quantile(share, n), n + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASES: [(f64, usize, f64); 6] = [
        (0.5, 1, 0.454936423119572),
        (0.975, 1, 5.023886187314888),
        (0.975, 10, 20.483177350807388),
        (0.5125, 10, 9.477107204616887),
        (0.975, 301, 350.95446698489656),
        (0.001, 3, 0.024297585815692732),
    ];
    const FACTOR: f64 = 1.0355599027699192;

    /// Of two degrees of freedom it is 1 - e^(-x/2), of four 1 - e^(-x/2) (1 + x/2).
    #[test]
    fn is_the_closed_form_of_even_degrees() {
        for x in [1e-6, 0.1, 1.0, 7.0, 40.0] {
            let e = (-x / 2.0f64).exp();
            assert!((cumulative(x, 2) - (1.0 - e)).abs() < 1e-14, "{x}");
            assert!((cumulative(x, 4) - (1.0 - e * (1.0 + x / 2.0))).abs() < 1e-14, "{x}");
        }
        assert_eq!(cumulative(0.0, 3), 0.0);
    }

    #[test]
    fn quantiles_are_those_of_tables() {
        // scipy.stats.chi2.ppf
        for (probability, n, want) in CASES {
            let found = quantile(probability, n);
            assert!((found / want - 1.0).abs() < 1e-9, "{probability} {n}: {found} for {want}");
        }
    }

    #[test]
    fn all_cells_need_no_correction_and_few_need_much() {
        assert_eq!(consistency_factor(1.0, 10), 1.0);
        // chi2.ppf and chi2.cdf of scipy
        assert!((consistency_factor(0.975, 10) - FACTOR).abs() < 1e-9);
        assert!(consistency_factor(0.5, 10) > 1.3);
    }
}
