//! Each statistic against its formula, over lengths about those of vectors.

use super::*;
use crate::testing::Draw;

/// Positive pairs over many orders of magnitude.
fn pairs(n: usize) -> [Vec<f32>; 2] {
    let mut draw = Draw::new(n as u64);
    [0, 1].map(|_| draw.normal(n).iter().map(|v| (2.0 * v - 9.0).exp() as f32).collect())
}

const LENGTHS: [usize; 8] = [1, 2, 15, 16, 17, 100, 256, 5003];

#[test]
fn counts_are_those_of_the_logarithms() {
    for n in LENGTHS {
        let [a, b] = pairs(n);
        let lfc = |c: f64, i: usize| (a[i] as f64 + c).log2() - (b[i] as f64 + c).log2();
        let count = |holds: &dyn Fn(usize) -> bool| (0..n).filter(|&i| holds(i)).count();
        assert_eq!(count_above(&a, &b), count(&|i| a[i] > b[i]));
        for (c, delta) in [(1e-4, 0.25), (1e-10, 0.0), (1e-5, 2.0)] {
            let want = [count(&|i| lfc(c, i) >= delta), count(&|i| lfc(c, i) < -delta)];
            assert_eq!(count_changes(&a, &b, c, delta), want, "{n} pairs, {c}, {delta}");
        }
    }
    // Equal pairs have not fallen, and at delta 0 they count as risen.
    assert_eq!(count_changes(&[1f32; 20], &[1.0; 20], 1e-10, 0.0), [20, 0]);
    assert_eq!(count_above(&[1f32; 20], &[1.0; 20]), 0);
}

#[test]
fn fold_changes_and_moments_follow_their_formulas() {
    for n in LENGTHS {
        let [a, b] = pairs(n);
        let mut out = vec![7.0; 3];
        log_fold_changes(&a, &b, 1e-7, &mut out);
        assert_eq!(out.len(), n);
        for i in 0..n {
            let want = (a[i] as f64 + 1e-7).log2() - (b[i] as f64 + 1e-7).log2();
            assert!((out[i] as f64 - want).abs() < 1e-5, "{} {want}", out[i]);
        }
        let x: Vec<f64> = out.iter().map(|&v| v as f64).collect();
        let mean = x.iter().sum::<f64>() / n as f64;
        let var = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64;
        let found = Moments::of(&out);
        assert!((found.mean - mean).abs() < 1e-12 && (found.std - var.sqrt()).abs() < 1e-12);
        assert_eq!(found.min, x.iter().copied().fold(f64::INFINITY, f64::min));
        assert_eq!(found.max, x.iter().copied().fold(f64::NEG_INFINITY, f64::max));
        assert!((sum(&out) - mean * n as f64).abs() < 1e-9);
    }
}

#[test]
fn gathers_in_the_order_asked_for() {
    let mut out = vec![0.0];
    gather(&[1f32, 2.0, 3.0], &[2, 0, 2], &mut out);
    assert_eq!(out, [3.0, 1.0, 3.0]);
    assert_eq!(largest::<f32>(&[]), f32::NEG_INFINITY);
}
