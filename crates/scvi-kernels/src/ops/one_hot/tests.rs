use crate::ops::linear::LinearDims;
use crate::testing::{
    Draw, Mode, Parameter, assert_near, buf, cast, check_gradient, check_sinks, dot,
};
use crate::{Cpu, LinearOps};

/// Cells, rows a cell, outputs.
const SHAPES: [(usize, usize, usize); 9] = [
    (1, 1, 1),
    (40, 1, 2),
    (1, 2, 3),
    (15, 2, 7),
    (33, 2, 16),
    (2, 3, 5),
    (1, 3, 17),
    (40, 3, 15),
    (17, 5, 33),
];

/// Row numbers of covariates with 1, 2, 3 ... categories, offsets included, and all categories.
fn rows(draw: &mut Draw, cells: usize, covariates: usize) -> (Vec<u32>, usize) {
    let first = |k: usize| k * (k + 1) / 2;
    let mut rows = Vec::new();
    for _ in 0..cells {
        rows.extend((0..covariates).map(|k| (first(k) + draw.below(k + 1)) as u32));
    }
    (rows, first(covariates))
}

#[test]
fn adds_the_product_with_the_one_hot_matrix() {
    for (cells, covariates, n_out) in SHAPES {
        let d = LinearDims { cells, n_in: covariates, n_out };
        let mut draw = Draw::new(1);
        let (rows, categories) = rows(&mut draw, cells, covariates);
        let (w, start) = (draw.normal(categories * n_out), draw.normal(cells * n_out));
        let forward = |w: &[f64]| {
            let mut y = buf(&start);
            Cpu::new().one_hot(&rows, &buf(w), &mut y, d);
            y
        };
        let mut want = start.clone();
        for c in 0..cells {
            let hot = |r: usize| rows[c * covariates..][..covariates].contains(&(r as u32));
            for r in (0..categories).filter(|&r| hot(r)) {
                for j in 0..n_out {
                    want[c * n_out + j] += w[r * n_out + j];
                }
            }
        }
        assert_near(&format!("{d:?}"), &forward(&w), &want, 1e-14);
        // A minibatch uses the front of its buffers.
        let (mut longer, mut y) = (rows.clone(), buf(&[&start[..], &[9.0]].concat()));
        longer.push(u32::MAX);
        Cpu::new().one_hot(&longer, &buf(&w), &mut y, d);
        assert_eq!(y[..], [&forward(&w)[..], &[9.0]].concat());

        let dy = buf(&draw.normal(cells * n_out));
        let mut dw = Parameter::new(&w);
        Cpu::new().one_hot_grad(&rows, &dy, d, dw.sink(Mode::Store));
        check_gradient(&format!("{d:?}"), &w, &dw.grad, |w| dot(&dy, &forward(w)));
    }
}

#[test]
fn a_row_that_no_cell_names_has_no_gradient_and_still_decays() {
    let mut draw = Draw::new(2);
    let d = LinearDims { cells: 3, n_in: 2, n_out: 3 };
    let dy = buf(&cast::<f32>(&draw.normal(9)));
    let names = vec![0, 3, 0, 4, 0, 3];
    let mut w = Parameter::<f32>::new(&draw.normal(18));
    Cpu::new().one_hot_grad(&names, &dy, d, w.sink(Mode::Store));
    for unnamed in [1, 2, 5] {
        assert_eq!(w.grad[unnamed * 3..][..3], [0.0; 3]);
    }
    check_sinks(&[w], |p, mode| {
        Cpu::new().one_hot_grad(&names, &dy, d, p[0].sink(mode));
        Vec::new()
    });
}
