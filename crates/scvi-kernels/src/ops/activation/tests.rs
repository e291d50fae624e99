use super::Activation;
use crate::testing::{Draw, assert_near, buf, cast, check_gradient, dot, full};
use crate::{Aligned, Cpu, NormOps};

const ALL: [Activation; 8] = [
    Activation::Relu,
    Activation::LeakyRelu,
    Activation::Elu,
    Activation::Gelu,
    Activation::Silu,
    Activation::Tanh,
    Activation::Softplus,
    Activation::Identity,
];

const X: [f64; 6] = [-3.5, -0.25, 0.0, 0.5, 4.0, 25.0];

/// Values and derivatives at `X`, by torch 2.15 (`torch.nn`, default arguments, f64), in the order
/// of `ALL`.
const TORCH: [[[f64; 6]; 2]; 8] = [
    [[0.0, 0.0, 0.0, 0.5, 4.0, 25.0], [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]],
    [[-0.035, -0.0025, 0.0, 0.5, 4.0, 25.0], [0.01, 0.01, 0.01, 1.0, 1.0, 1.0]],
    [
        [-0.9698026165776815, -0.22119921692859512, 0.0, 0.5, 4.0, 25.0],
        [0.0301973834223185, 0.7788007830714049, 1.0, 1.0, 1.0, 1.0],
    ],
    [
        [
            -0.0008142017766243903,
            -0.10032341857926907,
            0.0,
            0.34573123063700656,
            3.9998733150326675,
            25.0,
        ],
        [
            -0.0028217603536246205,
            0.304626645116364,
            0.5,
            0.8674951246561629,
            1.0005036496612265,
            1.0,
        ],
    ],
    [
        [
            -0.10259280762974712,
            -0.10945587477855048,
            0.0,
            0.3112296656009273,
            3.928055160151634,
            24.9999999996528,
        ],
        [
            -0.07027335282771814,
            0.37628997842980233,
            0.5,
            0.7399611873026519,
            1.0526646148910728,
            1.000000000333312,
        ],
    ],
    [
        [
            -0.9981778976111987,
            -0.24491866240370913,
            0.0,
            0.46211715726000974,
            0.999329299739067,
            1.0,
        ],
        [
            0.0036408847204873578,
            0.940014848806378,
            1.0,
            0.7864477329659274,
            0.0013409506830259165,
            0.0,
        ],
    ],
    [
        [
            0.029750418272620566,
            0.5759394198788436,
            std::f64::consts::LN_2,
            0.9740769841801067,
            4.0181499279178094,
            25.0,
        ],
        [
            0.029312230751356316,
            0.4378234991142019,
            0.5,
            0.6224593312018546,
            0.9820137900379085,
            1.0,
        ],
    ],
    [X, [1.0; 6]],
];

#[test]
fn values_and_derivatives_are_torchs() {
    for (activation, [values, slopes]) in ALL.into_iter().zip(TORCH) {
        let (mut x, mut gate) = (buf(&X), full(6, f64::NAN));
        Cpu::new().activate(&mut x, activation, None, &mut gate, 6);
        for i in 0..6 {
            // torch's own error: for SiLU at 25 it subtracts the logistic function from 1.
            let near = |got: f64, want: f64| (got - want).abs() < 1e-15 * (1.0 + want.abs());
            assert!(near(x[i], values[i]), "{activation:?}({}): {}", X[i], x[i]);
            assert!(near(gate[i], slopes[i]), "{activation:?}'({}): {}", X[i], gate[i]);
        }
    }
}

#[test]
fn single_precision_follows_double_precision() {
    let x: Vec<f64> = (-3000..3000).map(|i| (i as f32 * 0.01 + 0.0013) as f64).collect();
    let n = x.len();
    for activation in ALL {
        let (mut y, mut gate) = (buf(&x), full(n, f64::NAN));
        Cpu::new().activate(&mut y, activation, None, &mut gate, n);
        let (mut y32, mut gate32) = (buf(&cast::<f32>(&x)), full(n, f32::NAN));
        Cpu::new().activate(&mut y32, activation, None, &mut gate32, n);
        for i in 0..n {
            let near = |got: f32, want: f64| (got as f64 - want).abs() < 3e-7 * (1.0 + want.abs());
            assert!(near(y32[i], y[i]), "{activation:?}({}): {} {}", x[i], y32[i], y[i]);
            assert!(near(gate32[i], gate[i]), "{activation:?}'({}): {}", x[i], gate32[i]);
        }
    }
}

/// Numbers that no small step carries over the kink at zero.
fn off_the_kink(draw: &mut Draw, n: usize) -> Vec<f64> {
    draw.normal(n).into_iter().map(|v| v + 0.1 * v.signum()).collect()
}

#[test]
fn drops_and_keeps_the_derivative() {
    let cpu = Cpu::<f64>::new();
    for n in [1, 2, 15, 16, 17, 40 * 7] {
        let mut draw = Draw::new(n as u64);
        let x = off_the_kink(&mut draw, n);
        let factors: Vec<f64> =
            (0..n).map(|_| if draw.within(0.0, 1.0) < 0.3 { 0.0 } else { 1.0 / 0.7 }).collect();
        let (factors, dy) = (buf(&factors), draw.normal(n));
        for activation in ALL {
            let forward = |x: &[f64], dropout| {
                // A buffer may be longer than a call needs: the rest is not touched.
                let (mut y, mut gate) = (buf(x), full(n + 3, 9.0));
                y.push(-5.0);
                cpu.activate(&mut y, activation, dropout, &mut gate, n);
                assert_eq!((y.pop(), &gate[n..]), (Some(-5.0), &[9.0; 3][..]));
                (y, gate)
            };
            let kept = forward(&x, None).0;
            for dropout in [None, Some(&factors)] {
                let (y, gate) = forward(&x, dropout);
                let want: Vec<f64> = (0..n)
                    .map(|i| kept[i] * dropout.map_or(1.0, |m: &Aligned<f64>| m[i]))
                    .collect();
                assert_near("y", &y, &want, 1e-15);
                let mut dx = buf(&dy);
                cpu.gate_grad(&mut dx, &gate, n);
                let name = format!("{activation:?}");
                check_gradient(&name, &x, &dx, |x| dot(&dy, &forward(x, dropout).0));
            }
        }
    }
}

#[test]
fn the_smallest_number_is_positive_and_zero_is_not() {
    let (mut x, mut gate) = (buf(&[0.0f32, -0.0, f32::MIN_POSITIVE]), full(3, 9.0));
    Cpu::new().activate(&mut x, Activation::Relu, None, &mut gate, 3);
    assert_eq!(gate[..], [0.0, 0.0, 1.0]);
    assert_eq!(x[..], [0.0, 0.0, f32::MIN_POSITIVE]);
}

#[test]
fn what_is_no_number_stays_none() {
    for activation in ALL {
        let (mut x, mut gate) = (full(17, f32::NAN), full(17, 0.0));
        Cpu::new().activate(&mut x, activation, None, &mut gate, 17);
        assert!(x.iter().all(|v| v.is_nan()), "{activation:?}");
    }
}
