//! The pseudocount of fold changes, estimated from genes of little expression.

use super::quantile::quantile;

/// Quantile of the genes that the estimate goes by.
const QUANTILE: f64 = 0.9;
/// Least estimate, and what a group without such genes counts for.
const LEAST: f64 = 1e-10;

/// c = max(1e-10, max(e₁, e₂) / genes), where e is the 0.9-quantile, over a group's genes of little
/// expression, of their largest px_scale.
///
/// It draws the fold changes of genes that are hardly seen towards zero.
///
/// Source: scvi-tools 1.4.2, `model/base/_differential.py`, `estimate_pseudocounts_offset`.
pub(super) fn estimate(largest: &mut [Vec<f64>; 2], n_genes: usize) -> f64 {
    let of_group = |largest: &mut Vec<f64>| match largest.is_empty() {
        true => LEAST,
        false => quantile(largest, QUANTILE),
    };
    let [first, second] = largest.each_mut().map(of_group);
    LEAST.max(first.max(second) / n_genes as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_larger_quantile_over_the_genes() {
        let rising: Vec<f64> = (0..11).map(|i| f64::from(i) * 1e-3).collect();
        assert!((estimate(&mut [rising.clone(), vec![1e-5]], 20) - 9e-3 / 20.0).abs() < 1e-15);
        assert!((estimate(&mut [vec![], rising], 20) - 9e-3 / 20.0).abs() < 1e-15);
        assert_eq!(estimate(&mut [vec![], vec![]], 20), 1e-10);
    }
}
