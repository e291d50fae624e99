//! From weights to samples that are drawn again.

use crate::model::log_sum_exp::LogSumExp;

/// Weights that sum to 1.
pub(in crate::model) fn shares(mut log_weights: Vec<f64>, truncation: bool) -> Vec<f64> {
    if truncation {
        let mean: LogSumExp = log_weights.iter().copied().collect();
        let mean = mean.log_mean();
        log_weights.iter_mut().for_each(|weight| *weight = weight.max(mean));
    }
    let total: LogSumExp = log_weights.iter().copied().collect();
    let total = total.value();
    log_weights.into_iter().map(|weight| (weight - total).exp()).collect()
}

/// As many places again, each by its weight.
pub(in crate::model) fn draw_again(
    places: &[u32],
    weights: &[f64],
    uniform: impl Fn(u32) -> f64,
) -> Vec<u32> {
    let mut sum = 0.0;
    let cumulative: Vec<f64> = weights
        .iter()
        .map(|weight| {
            sum += weight;
            sum
        })
        .collect();
    let draw = |k: u32| {
        let u = uniform(k) * sum;
        places[cumulative.partition_point(|&upper| upper <= u).min(places.len() - 1)]
    };
    (0..places.len() as u32).map(draw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_the_weights_and_truncation_raises_the_small() {
        let logs = [-1000.0, -1000.0 + 3f64.ln(), -2000.0].to_vec();
        let found = shares(logs.clone(), false);
        assert!((found[0] - 0.25).abs() < 1e-12 && (found[1] - 0.75).abs() < 1e-12);
        assert_eq!(found[2], 0.0);
        // The mean of 1, 3 and 0 is 4/3.
        let found = shares(logs, true);
        let total = 4.0 / 3.0 + 3.0 + 4.0 / 3.0;
        assert!(
            (found[0] - 4.0 / 3.0 / total).abs() < 1e-12 && (found[2] - found[0]).abs() < 1e-12
        );
    }

    #[test]
    fn places_are_drawn_by_their_weights() {
        let places: Vec<u32> = (100..104).collect();
        let uniform = |k: u32| [0.0, 0.19, 0.21, 0.99][k as usize];
        assert_eq!(draw_again(&places, &[0.2, 0.5, 0.0, 0.3], uniform), [100, 100, 101, 103]);
    }
}
