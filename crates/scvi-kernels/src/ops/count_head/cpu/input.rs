//! The heads' input, in every form that products read.

use super::workspace::input_stride;
use crate::LANES;
use crate::linalg::{Mat, Nonzeros, matmul, transpose};
use crate::ops::count_head::{HeadDims, HeadPlan};
use crate::ops::{Rows, in_parts};
use crate::real::Real;
use crate::simd::skips_zeros;

/// Hidden units of one task when the input is transposed.
const UNITS: usize = 32;
/// Cells and hidden units from which there are whole tiles to skip zeros in.
const MIN_SIZE: usize = 2 * LANES;
/// With more of the input than this not zero, products that skip zeros are no faster.
const MAX_DENSITY: f64 = 0.8;

/// What is kept of the input h for the stages.
#[derive(Debug, Clone)]
pub(super) struct KeptInput<F> {
    /// hᵀ: `(hidden, input_stride(cells))`
    transposed: Vec<F>,
    /// of h, and where there are gradients of hᵀ; in use where `skip` says so
    nonzeros: [Nonzeros<F>; 2],
    skip: bool,
}

impl<F: Real> KeptInput<F> {
    pub(super) fn new(d: HeadDims, plan: HeadPlan) -> Self {
        let room = |wanted: bool, rows, inner| match wanted && skips_zeros() {
            true => Nonzeros::new(rows, inner),
            false => Nonzeros::new(0, 0),
        };
        Self {
            transposed: vec![F::ZERO; d.hidden * input_stride(d.cells)],
            nonzeros: [room(true, d.cells, d.hidden), room(plan.training, d.hidden, d.cells)],
            skip: false,
        }
    }

    /// Takes h, `(cells, hidden)`. `grad` says whether gradients will be asked for.
    pub(super) fn set(&mut self, h: &[F], d: HeadDims, grad: bool) {
        let stride = input_stride(d.cells);
        let h = Mat::new(h, d.cells, d.hidden);
        let rows = Rows::new(&mut self.transposed[..d.hidden * stride], stride);
        in_parts(d.hidden, UNITS, rows, &|units, rows: Rows<F>| {
            transpose(h.columns(units), rows.data, stride);
        });
        let density = h.nonzeros() as f64 / (d.cells * d.hidden).max(1) as f64;
        let wide = d.cells.min(d.hidden) >= MIN_SIZE;
        self.skip = skips_zeros() && wide && density <= MAX_DENSITY;
        if self.skip {
            let [cells, units] = &mut self.nonzeros;
            cells.find(h);
            if grad {
                units.find(Mat::strided(&self.transposed, d.hidden, d.cells, stride));
            }
        }
    }

    /// For products; `h` is what was set.
    pub(super) fn view<'a>(&'a self, h: &'a [F], d: HeadDims) -> Input<'a, F> {
        Input {
            h: Mat::new(h, d.cells, d.hidden),
            transposed: Mat::strided(&self.transposed, d.hidden, d.cells, input_stride(d.cells)),
            nonzeros: self.skip.then_some(&self.nonzeros),
        }
    }
}

/// The input as products read it.
#[derive(Clone, Copy)]
pub(super) struct Input<'a, F> {
    h: Mat<'a, F>,          // (cells, hidden)
    transposed: Mat<'a, F>, // (hidden, cells)
    nonzeros: Option<&'a [Nonzeros<F>; 2]>,
}

impl<'a, F: Real> Input<'a, F> {
    /// Known in its transposed form only, hᵀ: `(hidden, cells)`.
    pub(super) fn transposed(transposed: Mat<'a, F>) -> Self {
        Self { h: transposed.t(), transposed, nonzeros: None }
    }

    /// `logits = W hᵀ`: `(genes, cells)`, rows `stride` apart. What will be needed `ahead` may be
    /// fetched meanwhile, here and below.
    pub(super) fn logits(self, weight: Mat<F>, logits: &mut [F], stride: usize, ahead: [&[F]; 2]) {
        match self.nonzeros {
            Some([cells, _]) => cells.product(weight, logits, stride, ahead),
            None => matmul(weight, self.transposed, logits, stride, F::ZERO),
        }
    }

    /// `dw = dL/d(logits) h`: `(genes, hidden)`.
    pub(super) fn weight_gradient(
        self,
        d_logits: Mat<F>,
        dw: &mut [F],
        hidden: usize,
        ahead: [&[F]; 2],
    ) {
        match self.nonzeros {
            Some([_, units]) => units.product(d_logits, dw, hidden, ahead),
            None => matmul(d_logits, self.h, dw, hidden, F::ZERO),
        }
    }
}
