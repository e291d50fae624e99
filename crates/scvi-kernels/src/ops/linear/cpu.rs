//! Dense layers of a few hundred features: a matrix product each, in a few parts.

use super::LinearDims;
use crate::linalg::{Mat, matmul};
use crate::ops::{Rows, Sink, in_parts, scratch};
use crate::real::Real;
use crate::simd::vectorised;

/// Cells, or inputs, of one task.
const PART: usize = 64;

pub(crate) fn linear_cpu<F: Real>(
    x: &[F],
    w: &[F],
    bias: Option<&[F]>,
    y: &mut [F],
    d: LinearDims,
    accumulate: bool,
) {
    let (x, w) = (Mat::new(x, d.cells, d.n_in), Mat::new(w, d.n_in, d.n_out));
    let keep = if accumulate || bias.is_some() { F::ONE } else { F::ZERO };
    let y = Rows::new(&mut y[..d.cells * d.n_out], d.n_out);
    in_parts(d.cells, PART, y, &|cells, y: Rows<F>| {
        if let Some(bias) = bias {
            for row in y.data.chunks_exact_mut(d.n_out) {
                if accumulate {
                    row.iter_mut().zip(bias).for_each(|(y, &b)| *y += b);
                } else {
                    row.copy_from_slice(&bias[..d.n_out]);
                }
            }
        }
        matmul(x.rows(cells), w, y.data, d.n_out, keep);
    });
}

pub(crate) fn linear_grad_input_cpu<F: Real>(
    dy: &[F],
    w: &[F],
    dx: &mut [F],
    d: LinearDims,
    accumulate: bool,
) {
    let (dy, w) = (Mat::new(dy, d.cells, d.n_out), Mat::new(w, d.n_in, d.n_out));
    let keep = if accumulate { F::ONE } else { F::ZERO };
    let dx = Rows::new(&mut dx[..d.cells * d.n_in], d.n_in);
    in_parts(d.cells, PART, dx, &|cells, dx: Rows<F>| {
        matmul(dy.rows(cells), w.t(), dx.data, d.n_in, keep);
    });
}

pub(crate) fn linear_grad_weight_cpu<F: Real>(x: &[F], dy: &[F], d: LinearDims, w: Sink<'_, F>) {
    let (x, dy) = (Mat::new(x, d.cells, d.n_in), Mat::new(dy, d.cells, d.n_out));
    in_parts(d.n_in, PART, w, &|inputs, mut w: Sink<F>| {
        scratch(inputs.len() * d.n_out, |grad| {
            matmul(x.columns(inputs).t(), dy, grad, d.n_out, F::ZERO);
            w.take(0, grad);
        });
    });
}

pub(crate) fn bias_grad_cpu<F: Real>(dy: &[F], d: LinearDims, mut bias: Sink<'_, F>) {
    scratch(d.n_out, |grad| {
        grad.fill(F::ZERO);
        vectorised(
            #[inline(always)]
            || {
                for row in dy[..d.cells * d.n_out].chunks_exact(d.n_out) {
                    for (sum, &v) in grad.iter_mut().zip(row) {
                        *sum += v;
                    }
                }
            },
        );
        bias.take(0, grad);
    });
}
