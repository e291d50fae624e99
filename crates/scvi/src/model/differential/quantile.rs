//! Medians and quantiles, as numpy defines them.

/// The median, the mean of the middle two of an even number; reorders `values`.
///
/// NaN where there are none.
pub(super) fn median(values: &mut [f32]) -> f64 {
    let n = values.len();
    if n == 0 {
        return f64::NAN;
    }
    let (below, &mut upper, _) = values.select_nth_unstable_by(n / 2, f32::total_cmp);
    if n % 2 == 1 {
        return f64::from(upper);
    }
    let lower = below.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    (f64::from(lower) + f64::from(upper)) / 2.0
}

/// The q-quantile, linear between the two nearest; sorts `values`.
///
/// NaN where there are none.
pub(super) fn quantile(values: &mut [f64], q: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else { return f64::NAN };
    let at = q * last as f64;
    let low = values[at.floor() as usize];
    low + (values[at.ceil() as usize] - low) * at.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_the_middle_of_the_sorted_values() {
        for n in 1..40u32 {
            let mut values: Vec<f32> = (0..n).map(|i| ((i * 37 % 11) as f32).sin()).collect();
            let mut sorted = values.clone();
            sorted.sort_by(f32::total_cmp);
            let n = n as usize;
            let want = (f64::from(sorted[(n - 1) / 2]) + f64::from(sorted[n / 2])) / 2.0;
            assert_eq!(median(&mut values), want, "{n}");
        }
        assert!(median(&mut []).is_nan());
    }

    #[test]
    fn quantiles_are_numpys() {
        // np.quantile([3, 1, 2, 10], 0.9) and of one value
        assert!((quantile(&mut [3.0, 1.0, 2.0, 10.0], 0.9) - 7.9).abs() < 1e-12);
        assert_eq!(quantile(&mut [4.0], 0.9), 4.0);
        assert_eq!(quantile(&mut [1.0, 2.0], 0.0), 1.0);
    }
}
