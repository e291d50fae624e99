//! A mixture of normal distributions over one number, fitted by expectation maximisation.

/// Mean share of responsibilities that every component keeps, so that none can vanish.
const TINY: f64 = 10.0 * f64::EPSILON;
/// Added to every variance, as scikit-learn's `reg_covar`.
const MIN_VAR: f64 = 1e-6;
/// Change of the mean log-likelihood at which the fit has converged.
const TOLERANCE: f64 = 1e-3;
const MAX_STEPS: usize = 100;

/// Where k-means starts: its outer centres lie at these quantiles and their mirror images. The best
/// of all starts is kept, so that neither the bulk of the values nor their tails decide alone.
const STARTS: [f64; 4] = [0.0, 0.01, 0.05, 1.0 / 6.0];

/// One normal distribution of a mixture of three.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Component {
    weight: f64,
    mean: f64,
    var: f64,
}

/// Means of the three normal distributions whose mixture fits `values` best, in rising order.
///
/// As scikit-learn's `GaussianMixture(n_components=3)` with its defaults: expectation maximisation
/// from the clusters of k-means until the mean log-likelihood moves by less than 1e-3. Its random
/// start is replaced by fixed ones: the same values give the same means.
///
/// NaN where there are no values.
pub(super) fn three_means(values: &[f64]) -> [f64; 3] {
    if values.is_empty() {
        return [f64::NAN; 3];
    }
    let mut mixture = clusters(values);
    let mut before = f64::NEG_INFINITY;
    for _ in 0..MAX_STEPS {
        let (next, log_likelihood) = step(values, &mixture);
        mixture = next;
        if (log_likelihood - before).abs() < TOLERANCE {
            break;
        }
        before = log_likelihood;
    }
    let mut means = mixture.map(|component| component.mean);
    means.sort_by(f64::total_cmp);
    means
}

/// One step: each value's responsibilities under the old mixture, and the mixture that follows.
/// Also the mean log-likelihood of the old one.
fn step(values: &[f64], mixture: &[Component; 3]) -> ([Component; 3], f64) {
    let mut sums = Sums::default();
    let mut log_likelihood = 0.0;
    for &x in values {
        let logs = mixture.map(|Component { weight, mean, var }| {
            weight.ln()
                - 0.5 * (std::f64::consts::TAU * var).ln()
                - (x - mean).powi(2) / (2.0 * var)
        });
        let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let terms = logs.map(|log| (log - largest).exp());
        let total: f64 = terms.iter().sum();
        log_likelihood += largest + total.ln();
        sums.add(x, terms.map(|term| term / total));
    }
    (sums.mixture(values.len()), log_likelihood / values.len() as f64)
}

/// Weighted sums of 1, x and x², about a centre that keeps them precise, for each component.
#[derive(Default)]
struct Sums {
    moments: [[f64; 3]; 3],
}

impl Sums {
    fn add(&mut self, x: f64, responsibilities: [f64; 3]) {
        for (moments, r) in self.moments.iter_mut().zip(responsibilities) {
            for (moment, power) in moments.iter_mut().zip([1.0, x, x * x]) {
                *moment += r * power;
            }
        }
    }

    fn mixture(&self, n: usize) -> [Component; 3] {
        self.moments.map(|[count, sum, squares]| {
            let count = count + TINY;
            let mean = sum / count;
            let var = (squares / count - mean * mean).max(0.0) + MIN_VAR;
            Component { weight: count / n as f64, mean, var }
        })
    }
}

/// The mixture of k-means' clusters: of each start's the one of least squares.
fn clusters(values: &[f64]) -> [Component; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |q: f64| sorted[(q * (sorted.len() - 1) as f64).round() as usize];
    let starts = STARTS.map(|q| k_means(&sorted, [at(q), at(0.5), at(1.0 - q)]));
    let best = starts.into_iter().reduce(|a, b| if b.1 < a.1 { b } else { a });
    let centres = best.map_or([at(0.5); 3], |(centres, _)| centres);
    let mut sums = Sums::default();
    for &x in &sorted {
        let mut one = [0.0; 3];
        one[nearest(x, &centres)] = 1.0;
        sums.add(x, one);
    }
    sums.mixture(sorted.len())
}

/// Centres that no further step of k-means moves much, and the squares that they leave.
fn k_means(values: &[f64], mut centres: [f64; 3]) -> ([f64; 3], f64) {
    let mut left = f64::INFINITY;
    for _ in 0..MAX_STEPS {
        let mut sums = [[0.0; 2]; 3];
        let mut squares = 0.0;
        for &x in values {
            let k = nearest(x, &centres);
            squares += (x - centres[k]).powi(2);
            sums[k][0] += 1.0;
            sums[k][1] += x;
        }
        for (centre, [n, sum]) in centres.iter_mut().zip(sums) {
            *centre = if n > 0.0 { sum / n } else { *centre };
        }
        if squares >= left * (1.0 - 1e-9) {
            break;
        }
        left = squares;
    }
    (centres, left)
}

fn nearest(x: f64, centres: &[f64; 3]) -> usize {
    let far = |k: usize| (x - centres[k]).abs();
    (1..3).fold(0, |best, k| if far(k) < far(best) { k } else { best })
}

#[cfg(test)]
mod tests {
    use scvi_kernels::Philox;

    use super::*;

    /// `n` draws about each mean.
    fn draws(n: u32, components: [(f64, f64); 3]) -> Vec<f64> {
        let philox = Philox::new(1);
        let draw = |(k, (mean, std)): (usize, (f64, f64))| {
            (0..n).map(move |i| mean + std * philox.normal_pair(k as u32, 0, i, 0)[0])
        };
        components.into_iter().enumerate().flat_map(draw).collect()
    }

    #[test]
    fn finds_the_means_of_separate_components() {
        let want = [-3.0, 0.2, 2.0];
        let values = draws(2000, [(0.2, 0.1), (-3.0, 0.3), (2.0, 0.2)]);
        for (found, want) in three_means(&values).iter().zip(want) {
            assert!((found - want).abs() < 0.03, "{found} {want}");
        }
    }

    /// The likelihood of a mixture never falls from one step to the next.
    #[test]
    fn every_step_raises_the_likelihood() {
        let values = draws(500, [(0.0, 0.5), (0.4, 0.2), (1.5, 1.0)]);
        let mut mixture = clusters(&values);
        let mut before = f64::NEG_INFINITY;
        for _ in 0..30 {
            let (next, log_likelihood) = step(&values, &mixture);
            assert!(log_likelihood >= before - 1e-9, "{log_likelihood} {before}");
            assert!((next.iter().map(|c| c.weight).sum::<f64>() - 1.0).abs() < 1e-9);
            (mixture, before) = (next, log_likelihood);
        }
    }

    #[test]
    fn few_or_equal_values_have_means() {
        assert!(three_means(&[]).iter().all(|m| m.is_nan()));
        assert!(three_means(&[2.0; 9]).iter().any(|m| (m - 2.0).abs() < 1e-9));
        assert!(three_means(&[1.0]).iter().all(|m| m.is_finite()));
    }
}
