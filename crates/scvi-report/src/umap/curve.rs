//! How close cells are in the plane, by their distance.

use crate::AnalysisError;

/// 1/(1 + a d^2b), fitted to 1 up to `min_dist` and exp(-(d - min_dist)/spread) beyond.
///
/// Source: umap-learn 0.5.12, `umap_.py`, `find_ab_params`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Curve {
    pub(super) a: f64,
    pub(super) b: f64,
}

/// Distances at which the curve is fitted.
const POINTS: u32 = 300;

impl Curve {
    /// # Errors
    /// [`AnalysisError::Option`] where there is no such curve.
    pub(super) fn fit(spread: f64, min_dist: f64) -> Result<Self, AnalysisError> {
        let error = |name, value: f64, expected| AnalysisError::Option {
            name,
            value: value.to_string(),
            expected,
        };
        if !(0.01..=100.0).contains(&spread) {
            return Err(error("spread", spread, "a number from 0.01 to 100"));
        }
        if !(0.0..=spread).contains(&min_dist) {
            return Err(error("min_dist", min_dist, "a number from 0 to spread"));
        }
        let points: Vec<(f64, f64)> = (0..POINTS)
            .map(|i| {
                let d = 3.0 * spread * f64::from(i) / f64::from(POINTS - 1);
                (d, if d < min_dist { 1.0 } else { (-(d - min_dist) / spread).exp() })
            })
            .collect();
        Ok(Self { a: 1.0, b: 1.0 }.least_squares(&points))
    }

    /// The nearest minimum of the sum of squares (Levenberg and Marquardt), from here.
    fn least_squares(mut self, points: &[(f64, f64)]) -> Self {
        let mut damping = 1e-3;
        let mut loss = self.loss(points);
        for _ in 0..500 {
            let next = self.damped_step(points, damping);
            let next_loss = next.loss(points);
            // written so that NaN is no step
            if next.a > 0.0 && next.b > 0.0 && next_loss <= loss {
                let settled = loss - next_loss <= 1e-15 * loss;
                (self, loss, damping) = (next, next_loss, damping * 0.3);
                if settled {
                    break;
                }
            } else {
                damping *= 4.0;
            }
        }
        self
    }

    fn loss(self, points: &[(f64, f64)]) -> f64 {
        points.iter().map(|&(d, y)| (self.at(d) - y).powi(2)).sum()
    }

    fn at(self, d: f64) -> f64 {
        1.0 / (1.0 + self.a * d.powf(2.0 * self.b))
    }

    /// One step of damped least squares: (JᵀJ + λ diag JᵀJ) δ = -Jᵀr.
    fn damped_step(self, points: &[(f64, f64)], damping: f64) -> Self {
        let (mut aa, mut ab, mut bb, mut ra, mut rb) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for &(d, y) in points.iter().filter(|(d, _)| *d > 0.0) {
            let (power, value) = (d.powf(2.0 * self.b), self.at(d));
            let by_a = -value * value * power;
            let by_b = by_a * self.a * 2.0 * d.ln();
            let residual = value - y;
            aa += by_a * by_a;
            ab += by_a * by_b;
            bb += by_b * by_b;
            ra += by_a * residual;
            rb += by_b * residual;
        }
        let (aa, bb) = (aa * (1.0 + damping), bb * (1.0 + damping));
        let determinant = aa * bb - ab * ab;
        Self {
            a: self.a - (bb * ra - ab * rb) / determinant,
            b: self.b - (aa * rb - ab * ra) / determinant,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `find_ab_params` of umap-learn 0.5.12.
    #[test]
    fn agrees_with_umap_learn() {
        for (spread, min_dist, a, b) in [
            (1.0, 0.5, 0.583_030_020_341, 1.334_166_992_431),
            (1.0, 0.1, 1.576_943_460_270, 0.895_060_877_852),
            (1.0, 0.0, 1.932_808_397_343, 0.790_494_973_223),
            (2.0, 0.3, 0.379_494_688_631, 0.948_815_219_441),
        ] {
            let curve = Curve::fit(spread, min_dist).unwrap();
            assert!((curve.a / a - 1.0).abs() < 1e-5, "a of {spread}, {min_dist}: {}", curve.a);
            assert!((curve.b / b - 1.0).abs() < 1e-5, "b of {spread}, {min_dist}: {}", curve.b);
        }
    }

    #[test]
    fn refuses_what_no_curve_fits() {
        for (spread, min_dist) in [(0.0, 0.0), (f64::NAN, 0.5), (1.0, 2.0), (1.0, -0.1)] {
            assert!(Curve::fit(spread, min_dist).is_err(), "{spread}, {min_dist}");
        }
    }
}
