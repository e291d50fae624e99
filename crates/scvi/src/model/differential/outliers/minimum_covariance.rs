//! The minimum covariance determinant: the half of the cells whose covariance has the least one.

use rayon::prelude::*;
use scvi_kernels::{Philox, Stream};

use super::cholesky::Cholesky;

/// Cells above which the search starts on random subsets.
const FEW_CELLS: usize = 500;
/// Cells of a subset, about, and most subsets.
const SUBSET: usize = 300;
const MAX_SUBSETS: usize = 5;
/// Random starts with few cells, and with more of all subsets together.
const FEW_STARTS: usize = 30;
const MANY_STARTS: usize = 500;
/// Estimates that go on from one stage to the next, of each subset.
const N_BEST: usize = 10;
/// Steps of a first look, and at most.
const FIRST_STEPS: usize = 2;
const MAX_STEPS: usize = 30;

/// Points of p coordinates.
pub(super) struct Points {
    pub(super) values: Vec<f64>, // (points, p)
    pub(super) p: usize,
}

impl Points {
    pub(super) fn len(&self) -> usize {
        self.values.len() / self.p
    }

    fn row(&self, point: u32) -> &[f64] {
        &self.values[point as usize * self.p..][..self.p]
    }
}

/// Mean and covariance of some points.
#[derive(Debug, Clone)]
pub(super) struct Ellipsoid {
    mean: Vec<f64>,
    covariance: Cholesky,
    ln_determinant: f64,
}

impl Ellipsoid {
    /// `None` where the points lie in a plane.
    pub(super) fn of(points: &Points, some: &[u32]) -> Option<Self> {
        let p = points.p;
        let n = some.len() as f64;
        let mut mean = vec![0.0; p];
        for &point in some {
            mean.iter_mut().zip(points.row(point)).for_each(|(sum, x)| *sum += x);
        }
        mean.iter_mut().for_each(|sum| *sum /= n);
        let mut covariance = vec![0.0; p * p]; // (p, p), the diagonal and below
        let mut centred = vec![0.0; p];
        for &point in some {
            let pairs = points.row(point).iter().zip(&mean);
            centred.iter_mut().zip(pairs).for_each(|(out, (x, mean))| *out = x - mean);
            for (i, row) in covariance.chunks_exact_mut(p).enumerate() {
                let x = centred[i];
                row[..=i].iter_mut().zip(&centred).for_each(|(sum, y)| *sum += x * y);
            }
        }
        covariance.iter_mut().for_each(|sum| *sum /= n);
        let covariance = Cholesky::new(covariance, p)?;
        let ln_determinant = covariance.ln_determinant();
        Some(Self { mean, covariance, ln_determinant })
    }

    /// Squared Mahalanobis distances `(x - mean)ᵀ covariance⁻¹ (x - mean)`, one for each of `some`.
    pub(super) fn distances(&self, points: &Points, some: &[u32]) -> Vec<f64> {
        let mut centred = vec![0.0; points.p];
        let distance = |&point: &u32| {
            let pairs = points.row(point).iter().zip(&self.mean);
            centred.iter_mut().zip(pairs).for_each(|(out, (x, mean))| *out = x - mean);
            self.covariance.squared_length(&mut centred)
        };
        some.iter().map(distance).collect()
    }

    /// Takes the mean and covariance of the `h` points nearest to it, again and again, as long as
    /// that lessens the determinant, which it never raises. `None` where it comes to a plane.
    fn steps(mut self, points: &Points, among: &[u32], h: usize, most: usize) -> Option<Self> {
        for _ in 0..most {
            let next = Self::of(points, &self.nearest(points, among, h))?;
            if next.ln_determinant >= self.ln_determinant {
                break;
            }
            self = next;
        }
        Some(self)
    }

    /// The `h` nearest points, the first of those equally near, in their order.
    fn nearest(&self, points: &Points, among: &[u32], h: usize) -> Vec<u32> {
        let distances = self.distances(points, among);
        let mut places: Vec<u32> = (0..among.len() as u32).collect();
        if h < places.len() {
            let distance = |place: u32| distances[place as usize];
            places.select_nth_unstable_by(h, |&a, &b| {
                distance(a).total_cmp(&distance(b)).then(a.cmp(&b))
            });
            places.truncate(h);
            places.sort_unstable();
        }
        places.into_iter().map(|place| among[place as usize]).collect()
    }
}

/// Points of which the covariance is taken: the least number that no smaller one can outvote.
pub(super) fn support(n: usize, p: usize) -> usize {
    (n + p + 1).div_ceil(2).min(n)
}

/// Mean and covariance of the `support` points whose covariance has the least determinant that the
/// search finds: from random halves, by two steps each, then the best of them until nothing
/// changes. With more than 500 points it starts on up to five random subsets of about 300, and goes
/// on with what they found in all of these together, before it takes every point.
///
/// Halves are what scikit-learn starts from, and Rousseeuw and Van Driessen from p + 1 points: of
/// points in several clusters a half finds what is common to them, a few points find one cluster.
/// The subsets are at most five as in the paper; scikit-learn makes one of every 300 points.
///
/// `None` with p + 1 points or fewer, and where the points lie in a plane. **Memory**: 20 bytes a
/// point for each estimate at work, of which there is one a thread.
///
/// Source: Rousseeuw and Van Driessen 1999, "A fast algorithm for the minimum covariance
/// determinant estimator"; scikit-learn 1.9.1, `covariance/_robust_covariance.py`, `fast_mcd`.
pub(super) fn minimum_covariance(points: &Points, philox: Philox) -> Option<Ellipsoid> {
    let n = points.len();
    if n <= points.p + 1 {
        return None;
    }
    let h = support(n, points.p);
    let share = |size: usize| (size * h).div_ceil(n);
    let starts = |among: &[u32], draws: std::ops::Range<usize>| {
        let from = |draw: usize| {
            let mut half = among.to_vec();
            philox.shuffle(Stream::Outliers, draw as u32, &mut half);
            half.truncate(share(among.len()));
            let start = Ellipsoid::of(points, &half)?;
            start.steps(points, among, share(among.len()), FIRST_STEPS)
        };
        best(draws.into_par_iter().map(from).collect(), N_BEST)
    };
    let converged = |among: &[u32], estimates: Vec<Ellipsoid>, n_best: usize| {
        let on = |estimate: Ellipsoid| {
            let h = share(among.len());
            // Determinants of other points are not to be compared with.
            let start = Ellipsoid::of(points, &estimate.nearest(points, among, h))?;
            start.steps(points, among, h, MAX_STEPS)
        };
        best(estimates.into_par_iter().map(on).collect(), n_best)
    };
    let everyone: Vec<u32> = (0..n as u32).collect();
    let estimates = if n <= FEW_CELLS {
        starts(&everyone, 1..1 + FEW_STARTS)
    } else {
        let n_subsets = (n / SUBSET).min(MAX_SUBSETS);
        let mut merged = philox.permutation(Stream::Outliers, 0, n);
        merged.truncate(SUBSET * MAX_SUBSETS);
        let n_starts = MANY_STARTS / n_subsets;
        let subsets = merged.chunks_exact(merged.len() / n_subsets).take(n_subsets).enumerate();
        let of = |(k, subset)| starts(subset, 1 + k * n_starts..1 + (k + 1) * n_starts);
        let estimates = subsets.flat_map(of).collect();
        converged(&merged, estimates, N_BEST)
    };
    converged(&everyone, estimates, 1).pop()
}

/// The estimates of the least determinants, the first of equal ones.
fn best(estimates: Vec<Option<Ellipsoid>>, n: usize) -> Vec<Ellipsoid> {
    let mut estimates: Vec<Ellipsoid> = estimates.into_iter().flatten().collect();
    estimates.sort_by(|a, b| a.ln_determinant.total_cmp(&b.ln_determinant));
    estimates.truncate(n);
    estimates
}
