//! Against the formulas, over sizes around the parts that threads take.

use crate::testing::same_in_every_pool;
use crate::{Cpu, Device, OptimizerOps};

const SIZES: [usize; 6] = [1, 7, 8, 1000, 1 << 14, (1 << 15) + 5];

fn numbers(n: usize) -> Vec<f64> {
    (0..n).map(|i| ((i * 37 % 101) as f64 - 50.0) / 7.0).collect()
}

/// Both parameters' gradients after clipping by their common norm.
fn clipped(sizes: [usize; 2], max_norm: f64) -> [Vec<f64>; 2] {
    let b = Cpu::<f64>::new();
    let mut sum = b.zeros(1);
    let mut grads = sizes.map(|n| {
        let mut grad = b.zeros(n);
        b.upload(&mut grad, &numbers(n));
        grad
    });
    for (i, grad) in grads.iter().enumerate() {
        b.sum_of_squares(grad, sizes[i], &mut sum, i > 0);
    }
    for (grad, n) in grads.iter_mut().zip(sizes) {
        b.clip_by_norm(grad, n, &sum, max_norm);
    }
    let [x, y] = grads;
    [b.download(&x, sizes[0]), b.download(&y, sizes[1])]
}

#[test]
fn the_norm_of_all_gradients_is_bounded() {
    for n in SIZES {
        let whole: Vec<f64> = [numbers(n), numbers(5)].concat();
        let norm = whole.iter().map(|g| g * g).sum::<f64>().sqrt();
        for max_norm in [0.5 * norm, 2.0 * norm] {
            let factor = (max_norm / (norm + 1e-6)).min(1.0);
            let got = clipped([n, 5], max_norm).concat();
            for (got, g) in got.iter().zip(&whole) {
                assert!((got - g * factor).abs() <= 1e-13 * g.abs(), "{got}, not {}", g * factor);
            }
        }
    }
}

#[test]
fn a_norm_below_the_bound_changes_no_bit() {
    assert_eq!(clipped([1000, 5], 1e9), [numbers(1000), numbers(5)]);
}

#[test]
fn every_number_is_bounded() {
    let b = Cpu::<f32>::new();
    for n in SIZES {
        let given: Vec<f32> = numbers(n).iter().map(|&g| g as f32).collect();
        let mut grad = b.zeros(n);
        b.upload(&mut grad, &given);
        b.clip_by_value(&mut grad, n, 1.5);
        let want: Vec<f32> = given.iter().map(|g| g.clamp(-1.5, 1.5)).collect();
        assert_eq!(b.download(&grad, n), want);
    }
}

#[test]
fn threads_do_not_show() {
    let b = Cpu::<f32>::new();
    let n = (1 << 16) + 3;
    let given: Vec<f32> = numbers(n).iter().map(|&g| g as f32).collect();
    same_in_every_pool(|| {
        let (mut grad, mut sum) = (b.zeros(n), b.zeros(1));
        b.upload(&mut grad, &given);
        b.sum_of_squares(&grad, n, &mut sum, false);
        b.clip_by_norm(&mut grad, n, &sum, 3.0);
        [b.download(&sum, 1), b.download(&grad, n)].concat()
    });
}
