//! Genes compared with those of similar mean.

use crate::preprocess::ranks::median;

/// Percentiles of the means between which bins lie: 10, 15, ..., 100.
const PERCENTILES: std::ops::RangeInclusive<usize> = 2..=20;
/// The median absolute deviation of a standard normal variable.
const NORMAL_DEVIATION: f64 = 0.674_489_750_196_081_7;

/// (d - median) / (MAD / 0.674…) of each dispersion d, with the median and the median absolute deviation
/// of the dispersions in its bin.
pub(super) fn normalized_dispersions(means: &[f64], dispersions: &[f64]) -> Vec<f64> {
    let mut bounds = bounds(means);
    bounds.dedup();
    // The bin of a mean: above one bound, and not above the next.
    let bin = |mean: f64| bounds.partition_point(|&bound| bound < mean);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); bounds.len() + 1];
    for (gene, &mean) in means.iter().enumerate() {
        members[bin(mean)].push(gene);
    }
    let mut normalized = vec![f64::NAN; means.len()];
    for genes in members {
        let middle = median(genes.iter().map(|&gene| dispersions[gene]).collect());
        let distance = |&gene: &usize| (dispersions[gene] - middle).abs() / NORMAL_DEVIATION;
        let deviation = median(genes.iter().map(distance).collect());
        for &gene in &genes {
            normalized[gene] = (dispersions[gene] - middle) / deviation;
        }
    }
    normalized
}

/// Whether two bounds of bins are the same.
pub(super) fn are_bounds_equal(means: &[f64]) -> bool {
    bounds(means).windows(2).any(|pair| pair[0] == pair[1])
}

/// Bounds of the bins, none of them below the one before.
fn bounds(means: &[f64]) -> Vec<f64> {
    let mut sorted = means.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return Vec::new() };
    let percentile = |fives: usize| {
        let place = last as f64 * (fives as f64 * 5.0 / 100.0);
        let (below, share) = (place.floor() as usize, place.fract());
        let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
        // numpy interpolates from the nearer end.
        if share < 0.5 { low + (high - low) * share } else { high - (high - low) * (1.0 - share) }
    };
    PERCENTILES.map(percentile).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.percentile([0, 1, 4, 9, ...], [10, 15, 55, 100])`, and the bins of `pandas.cut`.
    #[test]
    fn bounds_are_percentiles() {
        let means: Vec<f64> = (0..30).map(|i| f64::from(i * i)).collect();
        let bounds = bounds(&means);
        let near = |i: usize, want: f64| assert!((bounds[i] - want).abs() < 1e-9, "{}", bounds[i]);
        near(0, 8.5);
        near(1, 19.15);
        near(9, 254.45);
        near(18, 841.0);
        assert_eq!(bounds.len(), 19);
        assert!(!are_bounds_equal(&means) && !are_bounds_equal(&[]));
        assert!(are_bounds_equal(&[1.0; 30]));
    }

    #[test]
    fn a_bin_of_equal_dispersions_says_nothing() {
        let means: Vec<f64> = (0..40).map(f64::from).collect();
        let normalized = normalized_dispersions(&means, &[2.0; 40]);
        assert!(normalized.iter().all(|value| value.is_nan()));
        assert!(normalized_dispersions(&[], &[]).is_empty());
    }
}
