//! Prior of an inferred library.

use std::io;

use super::{CountSource, totals};

/// Moments of the log library of each batch's cells, ln Σ_g x.
///
/// Mean and variance (over cells, not cells less one) of the cells with counts. A batch without
/// cells has 0 and 1, as in scvi-tools; so has the variance of one whose cells are all of one size,
/// where scvi-tools has 0 and no prior at all.
///
/// Source: scvi-tools 1.4.2, `model/_utils.py`, `_init_library_size`.
#[derive(Debug, Clone, PartialEq)]
pub struct LibraryPrior {
    /// Means: `(batches)`.
    pub log_means: Vec<f64>,
    /// Variances: `(batches)`.
    pub log_vars: Vec<f64>,
}

impl LibraryPrior {
    /// From the counts and the batch code of each cell, each code below `n_batch`.
    ///
    /// # Errors
    /// Where the counts cannot be read.
    pub fn of(counts: &dyn CountSource, batch: &[u32], n_batch: usize) -> io::Result<Self> {
        let mut sums = vec![Sums::default(); n_batch];
        for (total, &batch) in totals(counts)?.into_iter().zip(batch) {
            if total > 0.0 {
                sums[batch as usize].add(total.ln());
            }
        }
        Ok(Self {
            log_means: sums.iter().map(|s| s.mean).collect(),
            log_vars: sums.iter().map(Sums::variance).collect(),
        })
    }
}

/// Mean and sum of squared deviations, updated value by value (Welford 1962).
#[derive(Clone, Default)]
struct Sums {
    n: f64,
    mean: f64,
    squares: f64,
}

impl Sums {
    fn add(&mut self, value: f64) {
        self.n += 1.0;
        let delta = value - self.mean;
        self.mean += delta / self.n;
        self.squares += delta * (value - self.mean);
    }

    fn variance(&self) -> f64 {
        if self.squares > 0.0 { self.squares / self.n } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::CsrMatrix;

    #[test]
    fn moments_of_each_batch() {
        let totals = [3.0f32, 8.0, 5.0, 0.0];
        let (indptr, indices) = (vec![0, 1, 2, 3, 3], vec![0, 1, 0]);
        let counts = CsrMatrix::new(2, indptr, indices, totals[..3].to_vec()).unwrap();
        let prior = LibraryPrior::of(&counts, &[0, 0, 2, 0], 3).unwrap();
        let logs = [3f64.ln(), 8f64.ln()];
        let mean = (logs[0] + logs[1]) / 2.0;
        let variance = logs.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 2.0;
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-14, "{a} {b}");
        near(prior.log_means[0], mean);
        near(prior.log_vars[0], variance);
        near(prior.log_means[2], 5f64.ln());
        assert_eq!((prior.log_means[1], &prior.log_vars[1..]), (0.0, &[1.0, 1.0][..]));
    }
}
