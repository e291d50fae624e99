//! Local regression of degree 2 on one variable, as `loess` of Cleveland's `dloess` computes it.
//!
//! At some vertices a parabola is fitted to the nearest share `span` of all points; between two
//! vertices the fit is the cubic that has their values and slopes.
//!
//! Source: Cleveland and Grosse 1991, "Computational methods for local regression"; netlib `dloess`,
//! which scikit-misc calls with its defaults.

mod cells;
mod local_fit;

use cells::vertices;
use local_fit::local_fit;

/// Points that a parabola needs in its neighbourhood.
const MIN_POINTS: usize = 4;

/// Fewest points of which a share `span` is enough for a parabola.
pub(super) fn fewest_points(span: f64) -> usize {
    let mut n = (MIN_POINTS as f64 / span) as usize;
    while neighbours(n, span) < MIN_POINTS {
        n += 1;
    }
    n
}

/// Points of a neighbourhood.
fn neighbours(n: usize, span: f64) -> usize {
    ((n as f64 * span).floor() as usize).min(n)
}

/// The fit at every point.
///
/// # Panics
/// If there are fewer points than [`fewest_points`].
pub(super) fn loess(x: &[f64], y: &[f64], span: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..x.len()).collect();
    order.sort_by(|&a, &b| x[a].total_cmp(&x[b]));
    let sorted = |of: &[f64]| order.iter().map(|&i| of[i]).collect::<Vec<_>>();
    let (xs, ys) = (sorted(x), sorted(y));
    let q = neighbours(xs.len(), span);
    assert!(q >= MIN_POINTS, "{q} points in a neighbourhood");
    let vertices = vertices(&xs, span);
    let fits: Vec<[f64; 2]> = vertices.iter().map(|&v| local_fit(&xs, &ys, v, q)).collect();
    let mut fitted = vec![0.0; xs.len()];
    for (&i, &x) in order.iter().zip(&xs) {
        let k = vertices.partition_point(|&v| v <= x).clamp(1, vertices.len() - 1);
        fitted[i] = between([vertices[k - 1], vertices[k]], [fits[k - 1], fits[k]], x);
    }
    fitted
}

/// The cubic with the values and slopes of two vertices.
fn between([low, high]: [f64; 2], [a, b]: [[f64; 2]; 2], x: f64) -> f64 {
    let h = high - low;
    let t = (x - low) / h;
    let s = 1.0 - t;
    (1.0 + 2.0 * t) * s * s * a[0] + t * s * s * h * a[1] + t * t * (3.0 - 2.0 * t) * b[0]
        - t * t * s * h * b[1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parabola_is_its_own_fit() {
        let x: Vec<f64> = (0..200).map(|i| (i * 37 % 200) as f64 / 50.0 - 1.0).collect();
        let f = |x: f64| 0.5 - 2.0 * x + 0.75 * x * x;
        let y: Vec<f64> = x.iter().map(|&x| f(x)).collect();
        for (x, fitted) in x.iter().zip(loess(&x, &y, 0.3)) {
            assert!((fitted - f(*x)).abs() < 1e-9, "{fitted} at {x}");
        }
    }

    /// `skmisc.loess.loess(x, y, span=0.3, degree=2)` of the same points (scikit-misc 0.5): many
    /// share their x, as genes of few counts share their mean.
    #[test]
    fn noise_is_smoothed_as_dloess_smooths_it() {
        for (n, divisor, every, wanted) in [(100, 100, 12, FEW), (300, 700, 37, TIES)] {
            let place = |i: usize| (1.0 + ((i * 37 % n).pow(2) / divisor) as f64).sqrt();
            let x: Vec<f64> = (0..n).map(place).collect();
            let y: Vec<f64> = (0..n).map(|i| (i * 7919 % 101) as f64 / 50.0 - 1.0).collect();
            let fitted = loess(&x, &y, 0.3);
            for (found, want) in fitted.iter().step_by(every).zip(wanted) {
                assert!((found - want).abs() < 1e-8, "{n} points: {found}, not {want}");
            }
        }
    }

    #[test]
    fn as_many_points_as_needed_are_enough() {
        for span in [0.1, 0.3, 0.75, 1.0] {
            let n = fewest_points(span);
            assert!(neighbours(n, span) >= MIN_POINTS && neighbours(n - 1, span) < MIN_POINTS);
        }
        assert_eq!(fewest_points(0.3), 14);
    }

    #[test]
    fn points_of_one_x_do_not_divide_by_zero() {
        let fitted = loess(&[1.0; 20], &[2.0; 20], 0.3);
        assert!(fitted.iter().all(|v| (v - 2.0).abs() < 1e-9), "{fitted:?}");
    }

    const FEW: [f64; 9] = [
        -0.199516665,
        0.076440768,
        0.030128582,
        0.086165126,
        0.010629732,
        -0.121586124,
        0.008794761,
        -0.199516665,
        -0.08540062,
    ];
    const TIES: [f64; 9] = [
        -0.086794857,
        -0.061276562,
        0.027918984,
        0.019068893,
        0.018121711,
        0.084058944,
        0.047875978,
        -0.003116761,
        -0.080245685,
    ];
}
