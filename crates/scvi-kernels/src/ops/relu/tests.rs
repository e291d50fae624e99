use crate::testing::{Draw, check_gradient, dot};
use crate::{Backend, Cpu};

/// Numbers that no small step carries over the kink at zero.
fn off_the_kink(draw: &mut Draw, n: usize) -> Vec<f64> {
    draw.normal(n).into_iter().map(|v| v + 0.1 * v.signum()).collect()
}

#[test]
fn rectifies_and_drops_and_keeps_the_derivative() {
    let cpu = Cpu::<f64>::new();
    for n in [1, 2, 15, 16, 17, 40 * 7] {
        let mut draw = Draw::new(n as u64);
        let x = off_the_kink(&mut draw, n);
        let factors: Vec<f64> =
            (0..n).map(|_| if draw.within(0.0, 1.0) < 0.3 { 0.0 } else { 1.0 / 0.7 }).collect();
        for dropout in [None, Some(&factors)] {
            let forward = |x: &[f64]| {
                // A buffer may be longer than a call needs: the rest is not touched.
                let (mut y, mut gate) = (x.to_vec(), vec![9.0; n + 3]);
                y.push(-5.0);
                cpu.relu(&mut y, dropout, &mut gate, n);
                assert_eq!((y.pop(), &gate[n..]), (Some(-5.0), &[9.0; 3][..]));
                (y, gate)
            };
            let (y, gate) = forward(&x);
            for i in 0..n {
                assert_eq!(y[i], x[i].max(0.0) * dropout.map_or(1.0, |m| m[i]));
            }
            let dy = draw.normal(n);
            let mut dx = dy.clone();
            cpu.relu_grad(&mut dx, &gate, n);
            check_gradient("x", &x, &dx, |x| dot(&dy, &forward(x).0));
        }
    }
}

#[test]
fn the_derivative_at_zero_is_zero() {
    let (mut x, mut gate) = (vec![0.0f32, -0.0, f32::MIN_POSITIVE], vec![9.0; 3]);
    Cpu::new().relu(&mut x, None, &mut gate, 3);
    assert_eq!(gate, [0.0, 0.0, 1.0]);
    assert_eq!(x, [0.0, 0.0, f32::MIN_POSITIVE]);
}
