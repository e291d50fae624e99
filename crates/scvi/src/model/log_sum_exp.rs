//! ln Σ exp over values that come one by one.

/// ln Σᵢ exp(xᵢ) of the values seen so far, in three numbers of memory.
///
/// With the largest value m so far it holds s = Σᵢ exp(xᵢ - m), every term at most 1, so that
/// neither huge nor tiny weights leave the range; a new maximum rescales s. After n values the
/// error is at most about n roundings of s. One a cell carries a marginal likelihood over any
/// number of samples, pass by pass:
///
/// ```text
/// ln p(x) ≈ ln (1/K) Σₖ exp(ln p(x, zₖ) - ln q(zₖ | x))
/// ```
///
/// | values | [`LogSumExp::value`] |
/// |---|---|
/// | none, or all of them -∞ | -∞ |
/// | some -∞ | that of the others |
/// | one +∞ | +∞ |
/// | one NaN | NaN, whatever follows |
///
/// ```
/// use scvi::model::LogSumExp;
///
/// let mut sum = LogSumExp::default();
/// sum.add(-1000.0);
/// sum.extend([-1001.0, -1002.0]);
/// let want = -1000.0 + (1.0 + f64::exp(-1.0) + f64::exp(-2.0)).ln();
/// assert!((sum.value() - want).abs() < 1e-12);
/// assert!((sum.log_mean() - (want - 3f64.ln())).abs() < 1e-12);
/// ```
///
/// Source: Milakov and Gimelshein 2018, "Online normalizer calculation for softmax"
/// (arXiv:1805.02867).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogSumExp {
    max: f64,
    /// Σ exp(x - max)
    sum: f64,
    count: u64,
}

impl Default for LogSumExp {
    /// Of no values.
    fn default() -> Self {
        Self { max: f64::NEG_INFINITY, sum: 0.0, count: 0 }
    }
}

impl LogSumExp {
    /// Takes one value in.
    pub fn add(&mut self, x: f64) {
        self.count += 1;
        if x == self.max {
            // Apart from what follows because infinities have no difference.
            self.sum += 1.0;
        } else if x < self.max {
            self.sum += (x - self.max).exp();
        } else {
            // A NaN comes here too, and stays in the sum.
            self.sum = self.sum * (self.max - x).exp() + 1.0;
            self.max = x;
        }
    }

    /// Values seen.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// ln Σ exp(x).
    pub fn value(&self) -> f64 {
        self.max + self.sum.ln()
    }

    /// ln of the mean of exp(x): ln Σ exp(x) - ln n; NaN where there are no values.
    pub fn log_mean(&self) -> f64 {
        self.value() - (self.count as f64).ln()
    }
}

impl Extend<f64> for LogSumExp {
    /// Takes the values of one pass in, bit-identical to one by one.
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        values.into_iter().for_each(|x| self.add(x));
    }
}

impl FromIterator<f64> for LogSumExp {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut sum = Self::default();
        sum.extend(values);
        sum
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const INF: f64 = f64::INFINITY;

    fn value(values: &[f64]) -> f64 {
        values.iter().copied().collect::<LogSumExp>().value()
    }

    /// With the maximum known beforehand, terms added from the smallest up.
    fn in_two_passes(values: &[f64]) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let max = sorted[sorted.len() - 1];
        max + sorted.iter().map(|x| (x - max).exp()).sum::<f64>().ln()
    }

    #[test]
    fn infinities_and_nan() {
        assert_eq!(value(&[]), -INF);
        assert_eq!(value(&[-INF]), -INF);
        assert_eq!(value(&[-INF, -INF]), -INF);
        assert_eq!(value(&[-INF, 3.0, -INF]), 3.0);
        assert_eq!(value(&[INF, INF, 3.0, -INF]), INF);
        assert_eq!(value(&[-INF, 3.0, INF]), INF);
        for at in 0..4 {
            let mut values = vec![2.0, -INF, INF];
            values.insert(at, f64::NAN);
            assert!(value(&values).is_nan(), "{values:?}");
            assert!(value(&[&values[..=at], &[1.0, 2.0]].concat()).is_nan());
        }
    }

    #[test]
    fn the_mean_counts_every_value() {
        let sum: LogSumExp = [4.0, -INF, 4.0, -INF].into_iter().collect();
        assert_eq!(sum.count(), 4);
        assert!((sum.log_mean() - (4.0 - 2f64.ln())).abs() < 1e-15);
        assert!(LogSumExp::default().log_mean().is_nan());
    }

    /// Weights far beyond what exp can hold, in the order that rescales most, and in reverse.
    #[test]
    fn a_million_ascending_values_lose_nothing() {
        for start in [-1e6, 0.0, 1e6] {
            let mut values: Vec<f64> =
                (0..1_000_000).map(|i| start + f64::from(i) * 1e-5).collect();
            let want = in_two_passes(&values);
            // A rounding of the value itself, and one of the sum for each value at most.
            let allowed = f64::EPSILON * want.abs() + 1e-10;
            assert!((value(&values) - want).abs() <= allowed);
            values.reverse();
            assert!((value(&values) - want).abs() <= allowed);
        }
    }

    proptest! {
        #[test]
        fn agrees_with_two_passes_in_any_order(
            mut values in prop::collection::vec(-2000.0..2000.0, 1..300),
            small in prop::collection::vec(-1.0..1.0, 0..300),
            split in any::<prop::sample::Index>(),
        ) {
            values.extend(small);
            let want = in_two_passes(&values);
            let allowed = 1e-14 * want.abs().max(values.len() as f64);
            prop_assert!((value(&values) - want).abs() <= allowed);
            // Pass by pass: bit-identical.
            let (first, second) = values.split_at(split.index(values.len()));
            let mut passes = LogSumExp::default();
            passes.extend(first.iter().copied());
            passes.extend(second.iter().copied());
            prop_assert_eq!(passes.value().to_bits(), value(&values).to_bits());
            prop_assert_eq!(passes.count(), values.len() as u64);
            values.reverse();
            prop_assert!((value(&values) - want).abs() <= allowed);
        }
    }
}
