//! Which genes are called at a target rate of false discoveries.

/// Calls the most probable genes as long as the expected share of false ones stays within
/// `target`; `probabilities` fall.
///
/// ```text
/// d = number of k with (1/k) Σ_{i≤k} (1 - p_i) ≤ target;  the first d are called
/// ```
///
/// Source: scvi-tools 1.4.2, `model/base/_de_core.py`, `_fdr_de_prediction`.
pub(super) fn calls(probabilities: &[f64], target: f64) -> Vec<bool> {
    let mut false_ones = 0.0;
    let is_within = |(k, p): (usize, &f64)| {
        false_ones += 1.0 - p;
        false_ones / (k + 1) as f64 <= target
    };
    let called = probabilities.iter().enumerate().map(is_within).filter(|&within| within).count();
    (0..probabilities.len()).map(|k| k < called).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expected_share_of_false_calls_stays_within_the_target() {
        let called = calls(&[1.0, 0.98, 0.9, 0.5, 0.1], 0.05);
        assert_eq!(called, [true, true, true, false, false]); // means 0, 0.01, 0.04, 0.155
        assert_eq!(calls(&[0.5], 0.05), [false]);
        assert_eq!(calls(&[1.0, 1.0], 0.0), [true, true]);
        assert!(calls(&[], 0.05).is_empty());
    }
}
