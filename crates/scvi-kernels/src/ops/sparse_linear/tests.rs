use crate::testing::{
    Draw, Mode, Parameter, assert_near, buf, cast, check_gradient, check_sinks, dense, dot, full,
    same_in_every_pool,
};
use crate::{Aligned, CountsBatch, Cpu, CsrRows, LinearOps, Real};

/// Cells, genes, outputs: around the blocks of 16 cells, 64 and 1,024 genes.
const SHAPES: [[usize; 3]; 10] = [
    [1, 1, 1],
    [2, 3, 5],
    [15, 63, 2],
    [16, 64, 7],
    [17, 65, 16],
    [33, 127, 1],
    [40, 300, 3],
    [5, 1023, 4],
    [18, 1025, 3],
    [3, 2100, 17],
];

fn load<F: Real>(rows: &CsrRows, genes: usize, log: bool) -> CountsBatch<F> {
    let mut batch = CountsBatch::new(rows.n_cells(), rows.counts.len(), genes, true);
    batch.load(rows, log);
    batch
}

fn forward(x: &CountsBatch<f64>, w: &[f64], bias: &[f64]) -> Aligned<f64> {
    let mut y = full(x.n_cells() * bias.len(), f64::NAN);
    Cpu::new().sparse_linear(x, &buf(w), Some(&buf(bias)), &mut y, bias.len());
    y
}

#[test]
fn no_bias_is_a_bias_of_zeros() {
    for [cells, genes, n_out] in SHAPES {
        let mut draw = Draw::new(5);
        let batch = load::<f64>(&draw.counts(cells, genes, 0.2, 9.0), genes, true);
        let w = buf(&draw.normal(genes * n_out));
        let mut y = full(cells * n_out, f64::NAN);
        Cpu::new().sparse_linear(&batch, &w, None, &mut y, n_out);
        assert_eq!(y, forward(&batch, &w, &vec![0.0; n_out]));
    }
}

#[test]
fn is_the_naive_dense_product() {
    for [cells, genes, n_out] in SHAPES {
        for (log, density) in [(true, 0.08), (false, 0.7)] {
            let mut draw = Draw::new(1);
            let rows = draw.counts(cells, genes, density, 9.0);
            let (w, bias) = (draw.normal(genes * n_out), draw.normal(n_out));
            let see = |x: f64| if log { x.ln_1p() } else { x };
            let x: Vec<f64> = dense(&rows, genes).into_iter().map(see).collect();
            let mut want = Vec::new();
            for row in x.chunks(genes) {
                for j in 0..n_out {
                    let terms = row.iter().enumerate().map(|(g, x)| x * w[g * n_out + j]);
                    want.push(bias[j] + terms.sum::<f64>());
                }
            }
            let batch = load(&rows, genes, log);
            let name = format!("{cells} {genes} {n_out}");
            assert_near(&name, &forward(&batch, &w, &bias), &want, 1e-13);
        }
    }
}

#[test]
fn the_gradient_agrees_with_differences() {
    for [cells, genes, n_out] in SHAPES {
        let mut draw = Draw::new(2);
        let rows = draw.counts(cells, genes, 0.2, 9.0);
        let batch = load::<f64>(&rows, genes, true);
        let (w, bias) = (draw.normal(genes * n_out), draw.normal(n_out));
        let dy = buf(&draw.normal(cells * n_out));
        let mut dw = Parameter::new(&w);
        dw.grad.fill(f64::NAN);
        Cpu::new().sparse_linear_grad(&batch, &dy, n_out, dw.sink(Mode::Store));
        let name = format!("{cells} {genes} {n_out}");
        check_gradient(&name, &w, &dw.grad, |w| dot(&dy, &forward(&batch, w, &bias)));
    }
}

#[test]
fn rows_of_any_width_agree_in_single_precision() {
    let (cells, genes) = (21, 600);
    for n_out in [16, 64, 112, 128, 213] {
        let mut draw = Draw::new(6);
        let rows = draw.counts(cells, genes, 0.2, 9.0);
        // Rounded once, so that both precisions begin with the same numbers.
        let mut numbers = |n: usize| buf(&cast::<f32>(&draw.normal(n)));
        let (w, bias, dy) = (numbers(genes * n_out), numbers(n_out), numbers(cells * n_out));
        let x = dense(&rows, genes);
        let (mut y_want, mut dw_want) = (Vec::new(), vec![0.0; genes * n_out]);
        for (cell, x) in x.chunks(genes).enumerate() {
            for j in 0..n_out {
                let terms = x.iter().enumerate().map(|(g, x)| x * w[g * n_out + j].to_f64());
                y_want.push(bias[j].to_f64() + terms.sum::<f64>());
                for (g, x) in x.iter().enumerate() {
                    dw_want[g * n_out + j] += x * dy[cell * n_out + j].to_f64();
                }
            }
        }
        let batch = load::<f32>(&rows, genes, false);
        let mut y = full(cells * n_out, f32::NAN);
        Cpu::new().sparse_linear(&batch, &w, Some(&bias), &mut y, n_out);
        let mut dw = Parameter::<f32>::new(&vec![0.0; genes * n_out]);
        Cpu::new().sparse_linear_grad(&batch, &dy, n_out, dw.sink(Mode::Store));
        for (what, got, want) in [("y", y, y_want), ("dw", dw.grad, dw_want)] {
            let got: Vec<f64> = got.iter().map(|v| v.to_f64()).collect();
            assert_near(&format!("{what} {n_out}"), &got, &want, 1e-6);
        }
    }
}

#[test]
fn every_sink_gets_the_same_gradient() {
    let mut draw = Draw::new(3);
    // At this density some genes have no count at all: they take part in Adam too.
    let batch = load::<f32>(&draw.counts(15, 131, 0.02, 9.0), 131, true);
    let dy = buf(&cast::<f32>(&draw.normal(15 * 5)));
    check_sinks(&[Parameter::new(&draw.normal(131 * 5))], |p, mode| {
        Cpu::new().sparse_linear_grad(&batch, &dy, 5, p[0].sink(mode));
        Vec::new()
    });
}

#[test]
fn threads_do_not_show() {
    let mut draw = Draw::new(4);
    let batch = load::<f32>(&draw.counts(67, 1100, 0.1, 50.0), 1100, true);
    let w = buf(&cast::<f32>(&draw.normal(1100 * 9)));
    let dy = buf(&cast::<f32>(&draw.normal(67 * 9)));
    same_in_every_pool(|| {
        let mut y = full(67 * 9, 0.0);
        Cpu::new().sparse_linear(&batch, &w, Some(&full(9, 0.5)), &mut y, 9);
        let mut dw = Parameter::<f32>::new(&[0.0; 1100 * 9]);
        Cpu::new().sparse_linear_grad(&batch, &dy, 9, dw.sink(Mode::Store));
        [&y[..], &dw.grad].concat()
    });
}
