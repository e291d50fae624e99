use super::LinearDims;
use crate::testing::{
    Draw, Mode, Parameter, assert_near, buf, cast, check_gradient, check_sinks, dot, full,
};
use crate::{Aligned, Cpu, LinearOps};

const SHAPES: [[usize; 3]; 8] = [
    [1, 1, 1],
    [2, 3, 1],
    [5, 1, 7],
    [15, 4, 9],
    [16, 10, 3],
    [17, 33, 18],
    [40, 7, 2],
    [3, 128, 127],
];

fn forward(x: &[f64], w: &[f64], bias: &[f64], d: LinearDims) -> Aligned<f64> {
    let mut y = full(d.cells * d.n_out, f64::NAN);
    Cpu::new().linear(&buf(x), &buf(w), Some(&buf(bias)), &mut y, d, false);
    y
}

#[test]
fn is_the_naive_product() {
    for [cells, n_in, n_out] in SHAPES {
        let d = LinearDims { cells, n_in, n_out };
        let mut draw = Draw::new(1);
        let (x, w) = (draw.normal(cells * n_in), draw.normal(n_in * n_out));
        let bias = draw.normal(n_out);
        let mut want = Vec::new();
        for c in 0..cells {
            for j in 0..n_out {
                let terms = (0..n_in).map(|i| x[c * n_in + i] * w[i * n_out + j]);
                want.push(bias[j] + terms.sum::<f64>());
            }
        }
        assert_near(&format!("{d:?}"), &forward(&x, &w, &bias, d), &want, 1e-13);
    }
}

#[test]
fn starts_from_nothing_a_bias_or_what_is_there() {
    for [cells, n_in, n_out] in SHAPES {
        let d = LinearDims { cells, n_in, n_out };
        let mut draw = Draw::new(4);
        let (x, w) = (buf(&draw.normal(cells * n_in)), buf(&draw.normal(n_in * n_out)));
        let (bias, before) = (buf(&draw.normal(n_out)), buf(&draw.normal(cells * n_out)));
        let product = forward(&x, &w, &vec![0.0; n_out], d);
        for with_bias in [false, true] {
            for accumulate in [false, true] {
                // What is not accumulated must not be read.
                let mut y = if accumulate { before.clone() } else { full(before.len(), f64::NAN) };
                let b = with_bias.then_some(&bias);
                Cpu::new().linear(&x, &w, b, &mut y, d, accumulate);
                let want: Vec<f64> = (0..y.len())
                    .map(|i| {
                        let b = if with_bias { bias[i % n_out] } else { 0.0 };
                        product[i] + b + if accumulate { before[i] } else { 0.0 }
                    })
                    .collect();
                assert_near(&format!("{d:?} {with_bias} {accumulate}"), &y, &want, 1e-13);
            }
        }
    }
}

#[test]
fn gradients_agree_with_differences() {
    let cpu = Cpu::<f64>::new();
    for [cells, n_in, n_out] in SHAPES {
        let d = LinearDims { cells, n_in, n_out };
        let mut draw = Draw::new(2);
        let (x, dy) = (buf(&draw.normal(cells * n_in)), buf(&draw.normal(cells * n_out)));
        let (w, bias) = (buf(&draw.normal(n_in * n_out)), draw.normal(n_out));
        let loss = |x: &[f64], w: &[f64], bias: &[f64]| dot(&dy, &forward(x, w, bias, d));

        let mut dx = full(x.len(), f64::NAN);
        cpu.linear_grad_input(&dy, &w, &mut dx, d, false);
        check_gradient("x", &x, &dx, |x| loss(x, &w, &bias));
        let before = draw.normal(x.len());
        let mut sum = buf(&before);
        cpu.linear_grad_input(&dy, &w, &mut sum, d, true);
        let want: Vec<f64> = before.iter().zip(&dx[..]).map(|(a, b)| a + b).collect();
        assert_near("an accumulated input", &sum, &want, 1e-13);

        let mut dw = Parameter::new(&w);
        cpu.linear_grad_weight(&x, &dy, d, dw.sink(Mode::Store));
        check_gradient("weight", &w, &dw.grad, |w| loss(&x, w, &bias));
        let mut db = Parameter::new(&bias);
        cpu.bias_grad(&dy, d, db.sink(Mode::Store));
        check_gradient("bias", &bias, &db.grad, |bias| loss(&x, &w, bias));
    }
}

#[test]
fn a_bias_over_no_cells_has_an_exact_zero() {
    let mut bias = Parameter::<f64>::new(&[1.0, 2.0]);
    bias.grad.fill(f64::NAN);
    let d = LinearDims { cells: 0, n_in: 3, n_out: 2 };
    Cpu::new().bias_grad(&full(8, 7.0), d, bias.sink(Mode::Store));
    assert_eq!(bias.grad[..], [0.0, 0.0]);
}

#[test]
fn every_sink_gets_the_same_gradient() {
    let d = LinearDims { cells: 15, n_in: 19, n_out: 5 };
    let mut draw = Draw::new(3);
    let x = buf(&cast::<f32>(&draw.normal(15 * 19)));
    let dy = buf(&cast::<f32>(&draw.normal(15 * 5)));
    let parameters = [Parameter::new(&draw.normal(19 * 5)), Parameter::new(&draw.normal(5))];
    check_sinks(&parameters, |p, mode| {
        let [w, bias] = p else { unreachable!() };
        Cpu::new().linear_grad_weight(&x, &dy, d, w.sink(mode));
        Cpu::new().bias_grad(&dy, d, bias.sink(mode));
        Vec::new()
    });
}
