//! Highest-density intervals of samples.

/// The narrowest interval that holds `⌊level n⌋ + 1` of the sorted samples; of several the first.
///
/// It is a highest-density interval where the density has one mode. `level` is in (0, 1).
///
/// Source: scvi-tools 1.4.2, `model/base/_differential.py`, `credible_intervals`, after ArviZ.
pub(super) fn narrowest(sorted: &[f32], level: f64) -> [f64; 2] {
    let inner = (level * sorted.len() as f64).floor() as usize;
    let ends = sorted.iter().zip(sorted.get(inner..).unwrap_or_default());
    let width = |&(low, high): &(&f32, &f32)| high - low;
    // A NaN is no narrower than anything.
    let narrowest = ends.reduce(|best, next| if width(&next) < width(&best) { next } else { best });
    narrowest.map_or([f64::NAN; 2], |(&low, &high)| [f64::from(low), f64::from(high)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_the_narrowest_of_all() {
        let sorted: Vec<f32> = (0..101).map(|i| ((i - 50) as f32 / 20.0).powi(3)).collect();
        for level in [0.1, 0.5, 0.94] {
            let [low, high] = narrowest(&sorted, level);
            let inside = sorted.iter().filter(|&&v| f64::from(v) >= low && f64::from(v) <= high);
            let inside = inside.count();
            assert_eq!(inside, (level * 101.0).floor() as usize + 1);
            for window in sorted.windows(inside) {
                assert!(f64::from(window[inside - 1]) - f64::from(window[0]) >= high - low - 1e-6);
            }
        }
    }

    #[test]
    fn of_few_samples() {
        assert_eq!(narrowest(&[2.0], 0.9), [2.0, 2.0]);
        assert_eq!(narrowest(&[1.0, 2.0], 0.5), [1.0, 2.0]);
        assert!(narrowest(&[], 0.5)[0].is_nan());
    }
}
