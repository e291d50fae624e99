//! Against scikit-learn (`reference/differential.py`), and on points whose outliers are known.

use scvi_kernels::{Philox, Stream};

use super::super::tests::Fixture;
use super::elliptic_envelope::inliers;
use super::minimum_covariance::Points;

fn philox() -> Philox {
    Philox::new(0)
}

/// Normal points, every tenth moved far away: `(n, p)`.
fn planted(n: usize, p: usize) -> Points {
    let normal = |point: usize, k: usize| philox().normal_pair(99, 0, point as u32, k as u32)[0];
    let row = |point: usize| {
        let moved = if point.is_multiple_of(10) { 30.0 } else { 0.0 };
        let shared = normal(point, p);
        (0..p).map(move |k| moved + normal(point, k) + shared)
    };
    Points { values: (0..n).flat_map(row).collect(), p }
}

fn found(points: &Points) -> Vec<bool> {
    inliers(points, philox()).unwrap()
}

/// With few points, with subsets, and with more points than are in the subsets.
#[test]
fn planted_outliers_are_found() {
    for (n, p) in [(200, 5), (900, 10), (2000, 2), (60, 1), (1000, 40)] {
        let want: Vec<bool> = (0..n).map(|point: usize| !point.is_multiple_of(10)).collect();
        assert_eq!(found(&planted(n, p)), want, "{n} {p}");
    }
}

/// Both searches end at the same covariance, from other starts.
#[test]
fn inliers_are_those_of_scikit_learn() {
    let fixture = Fixture::read();
    for case in ["separated", "normal", "clusters"] {
        let (values, p) = fixture.numbers(&format!("outliers/{case}"), f32::from_le_bytes);
        let want = fixture.doubles(&format!("outliers/{case}/is_inlier"));
        let points = Points { values: values.into_iter().map(f64::from).collect(), p };
        let want: Vec<bool> = want.iter().map(|&kept| kept == 1.0).collect();
        assert!(found(&points) == want, "{case}");
    }
}

#[test]
fn affine_maps_change_nothing() {
    for (n, p) in [(300, 4), (1700, 3)] {
        let normal = |k: usize| philox().normal_pair(98, 0, k as u32, 0)[0];
        // Skewed, so that the border runs through the points.
        let mut points = planted(n, p);
        points.values.iter_mut().for_each(|x| *x = (0.1 * *x).exp());
        let map = |row: &[f64]| {
            let of = |i: usize| {
                let sum: f64 = row.iter().enumerate().map(|(j, x)| normal(i * p + j) * x).sum();
                1000.0f64.powi(i as i32) * (sum + 5.0)
            };
            (0..p).map(of).collect::<Vec<_>>()
        };
        let mapped = points.values.chunks_exact(p).flat_map(map).collect();
        assert_eq!(found(&points), found(&Points { values: mapped, p }));
    }
}

#[test]
fn threads_change_nothing() {
    let points = planted(1600, 3);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| found(&points))
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn points_without_a_covariance_have_no_outliers() {
    let few = planted(6, 5);
    assert!(inliers(&few, philox()).is_none());
    assert!(inliers(&planted(7, 5), philox()).is_some());
    // The third coordinate is the sum of the others.
    let row = |point: u32| {
        let [a, b] = philox().normal_pair(Stream::Latent as u32, 0, point, 0);
        [a, b, a + b].map(|x| f64::from(x as f32))
    };
    for n in [100, 800] {
        let plane = Points { values: (0..n).flat_map(row).collect(), p: 3 };
        assert!(inliers(&plane, philox()).is_none(), "{n}");
    }
    assert!(inliers(&Points { values: vec![f64::NAN; 80], p: 2 }, philox()).is_none());
    assert!(inliers(&Points { values: Vec::new(), p: 0 }, philox()).is_none());
}
