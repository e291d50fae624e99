//! Which points lie far out, by a covariance that far points do not move.

use scvi_kernels::Philox;

use super::super::quantile::quantile;
use super::chi_square;
use super::minimum_covariance::{Ellipsoid, Points, minimum_covariance, support};

/// Share of the points that are taken for outliers, whether they lie far out or not.
const CONTAMINATION: f64 = 0.1;
/// Share of normal points that the final covariance is taken of.
const REWEIGHTED: f64 = 0.975;

/// Whether each point is among the nine tenths of the least Mahalanobis distance: `(points)`.
///
/// Mean and covariance are the minimum covariance determinant's, made consistent for normal points,
/// and then those of the points within its 97.5 % ellipsoid. The set does not change under affine
/// maps of the points. `None` where there is no such covariance: with p + 1 points or fewer, and
/// where the points lie in a plane or have no coordinates.
///
/// Source: scikit-learn 1.9.1, `covariance/_elliptic_envelope.py`, `EllipticEnvelope` with its
/// defaults.
pub(super) fn inliers(points: &Points, philox: Philox) -> Option<Vec<bool>> {
    if points.p == 0 {
        return None;
    }
    let (n, p) = (points.len(), points.p);
    let raw = minimum_covariance(points, philox)?;
    let everyone: Vec<u32> = (0..n as u32).collect();
    let factor = chi_square::consistency_factor(support(n, p) as f64 / n as f64, p);
    let largest = factor * chi_square::quantile(REWEIGHTED, p);
    let distances = raw.distances(points, &everyone);
    let near: Vec<u32> =
        everyone.iter().copied().filter(|&point| distances[point as usize] < largest).collect();
    // Its own factor would scale all distances alike.
    let distances = Ellipsoid::of(points, &near)?.distances(points, &everyone);
    let nearness: Vec<f64> = distances.iter().map(|distance| -distance).collect();
    let least = quantile(&mut nearness.clone(), CONTAMINATION);
    Some(nearness.iter().map(|&nearness| nearness >= least).collect())
}
