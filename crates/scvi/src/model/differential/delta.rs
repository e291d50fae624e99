//! The least fold change that counts, estimated.

use super::mixture::three_means;

/// Share of the outer components' distance.
const SHARE: f64 = 0.6;
/// Least estimate.
const LEAST: f64 = 0.1;

/// δ from each gene's mean fold change: 0.6 of the mean distance from zero of the lowest and the
/// highest component of a mixture of three normal distributions, and 0.1 at least.
///
/// Source: scvi-tools 1.4.2, `model/base/_differential.py`, `estimate_delta`.
pub(super) fn estimate(mean_changes: &[f64]) -> f64 {
    let [low, _, high] = three_means(mean_changes);
    LEAST.max(SHARE * (low.abs() + high.abs()) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_share_of_the_outer_modes() {
        let wiggle = |i: usize| (i % 21) as f64 * 1e-3 - 0.01;
        let values: Vec<f64> = (0..3000).map(|i| [0.0, -2.0, 3.0][i % 3] + wiggle(i / 3)).collect();
        assert!((estimate(&values) - 0.6 * 2.5).abs() < 1e-3);
        assert_eq!(estimate(&[0.01, 0.0, -0.01, 0.02]), 0.1);
    }
}
