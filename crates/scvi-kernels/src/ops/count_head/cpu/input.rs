//! The heads' input, in every form that products read.

use super::workspace::input_stride;
use crate::LANES;
use crate::aligned::{Aligned, aligned};
use crate::linalg::{Mat, Next, Nonzeros, Panel, matmul, transpose};
use crate::ops::count_head::{HeadDims, HeadPlan};
use crate::ops::{Rows, Sink, in_parts, scratch};
use crate::real::Real;
use crate::simd::{skips_zeros, vectorised};

/// Numbers of one task when the parts' shares of dL/dh are summed.
const SUMS: usize = 2048;
/// Hidden units of one task when the input is transposed.
const UNITS: usize = 32;
/// Cells and hidden units from which there are whole tiles to skip zeros in.
const MIN_SIZE: usize = 2 * LANES;
/// With more of the input than this not zero, products that skip zeros are no faster.
const MAX_DENSITY: f64 = 0.8;

/// The input h, cached for the stages.
#[derive(Debug, Clone)]
pub(super) struct KeptInput<F> {
    /// hᵀ: `(hidden, input_stride(cells))`
    transposed: Aligned<F>,
    /// of h, and where there are gradients of hᵀ; in use where `skip` says so
    nonzeros: [Nonzeros<F>; 2],
    skip: bool,
    /// whether dL/dh is wanted only where h is not zero
    gated: bool,
}

impl<F: Real> KeptInput<F> {
    pub(super) fn new(d: HeadDims, plan: HeadPlan) -> Self {
        let room = |wanted: bool, rows, inner| match wanted && skips_zeros() {
            true => Nonzeros::new(rows, inner),
            false => Nonzeros::new(0, 0),
        };
        Self {
            transposed: aligned(d.hidden * input_stride(d.cells)),
            nonzeros: [room(true, d.cells, d.hidden), room(plan.training, d.hidden, d.cells)],
            skip: false,
            gated: plan.gated_input,
        }
    }

    /// Numbers that a part keeps of its share of dL/dh at most.
    pub(super) fn max_dh_len(d: HeadDims, plan: HeadPlan) -> usize {
        let dots = match plan.gated_input && skips_zeros() {
            true => Nonzeros::<F>::dots_len(d.cells, d.hidden),
            false => 0,
        };
        dots.max(d.cells * d.hidden)
    }

    /// Takes h, `(cells, hidden)`. `grad` says whether gradients will be asked for.
    pub(super) fn set(&mut self, h: &[F], d: HeadDims, grad: bool) {
        let stride = input_stride(d.cells);
        let h = Mat::new(h, d.cells, d.hidden);
        let rows = Rows::new(&mut self.transposed[..d.hidden * stride], stride);
        in_parts(d.hidden, UNITS, rows, &|units, rows: Rows<F>| {
            transpose(h.columns(units), rows.data, stride);
        });
        self.skip = skips_zeros() && d.cells.min(d.hidden) >= MIN_SIZE;
        if self.skip {
            let [cells, units] = &mut self.nonzeros;
            cells.find(h);
            self.skip = cells.n_values() as f64 <= MAX_DENSITY * (d.cells * d.hidden) as f64;
            if grad && self.skip {
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
            gated: self.gated,
        }
    }
}

/// The input as products read it.
#[derive(Clone, Copy)]
pub(super) struct Input<'a, F> {
    h: Mat<'a, F>,          // (cells, hidden)
    transposed: Mat<'a, F>, // (hidden, cells)
    nonzeros: Option<&'a [Nonzeros<F>; 2]>,
    gated: bool,
}

impl<'a, F: Real> Input<'a, F> {
    /// Known in its transposed form only, hᵀ: `(hidden, cells)`.
    pub(super) fn transposed(transposed: Mat<'a, F>) -> Self {
        Self { h: transposed.t(), transposed, nonzeros: None, gated: false }
    }

    /// `logits = W hᵀ`: `(genes, cells)`, rows `stride` apart, with `weight` a block's Wᵀ. What is
    /// `next` may be fetched meanwhile, here and below.
    pub(super) fn logits(
        self,
        weight: Mat<F>, // (hidden, genes)
        logits: &mut [F],
        stride: usize,
        next: Next<F>,
    ) {
        match self.nonzeros {
            Some([cells, _]) => {
                cells.product_transposed(Panel::new(weight), logits, stride, next);
            }
            None => matmul(weight.t(), self.transposed, logits, stride, F::ZERO),
        }
    }

    /// Adds the share of dL/dh of a block, whose first number among the weights is given, to `dh`,
    /// as [`Input::finish`] takes it; then `weight` takes `dWᵀ = hᵀ dL/d(logits)ᵀ`.
    pub(super) fn gradients(
        self,
        d_logits: Mat<F>, // (genes, cells)
        weight: &mut Sink<F>,
        first: usize,
        dh: &mut [F],
        next: Next<F>,
    ) {
        let ([genes, _], [_, hidden]) = (d_logits.size(), self.h.size());
        let at = first..first + genes * hidden;
        let Some([cells, units]) = self.nonzeros else {
            self.add_dense(d_logits, Mat::new(&weight.value()[at], hidden, genes), dh);
            return scratch(genes * hidden, |dw| {
                matmul(self.h.t(), d_logits.t(), dw, genes, F::ZERO);
                weight.take(first, dw);
            });
        };
        scratch(Panel::len(d_logits.t()), |memory| {
            let d_logits_panel = Panel::transposed(d_logits, memory);
            let value = &weight.value()[at.clone()];
            let [m, v] = weight.moments(at);
            let then = Next::new().and(m).and(v).and_after(value);
            let value = Mat::new(value, hidden, genes);
            match self.gated {
                true => cells.add_dots(d_logits_panel, Panel::new(value), dh, next),
                false => self.add_dense(d_logits, value, dh),
            }
            units.product(d_logits_panel, then, |unit, sums| {
                let mut first = first + unit * genes;
                for sums in sums.slices() {
                    weight.take(first, sums);
                    first += sums.len();
                }
            });
        });
    }

    /// `dh += dL/d(logits) W`: `(cells, hidden)`.
    fn add_dense(self, d_logits: Mat<F>, weight: Mat<F>, dh: &mut [F]) {
        let [hidden, genes] = weight.size();
        // The library reads rows of genes faster than it puts them in order.
        scratch(genes * hidden, |rows| {
            transpose(weight, rows, hidden);
            matmul(d_logits.t(), Mat::new(rows, genes, hidden), dh, hidden, F::ONE);
        });
    }

    /// The dots' lists, where dL/dh is a number for each.
    fn dots(self) -> Option<&'a Nonzeros<F>> {
        self.nonzeros.filter(|_| self.gated).map(|[cells, _]| cells)
    }

    /// Numbers that a part keeps of its share of dL/dh.
    pub(super) fn dh_len(self) -> usize {
        let [cells, hidden] = self.h.size();
        match self.dots() {
            Some(_) => Nonzeros::<F>::dots_len(cells, hidden),
            None => cells * hidden,
        }
    }

    /// `dh`, `(cells, hidden)`, from the parts' shares, summed in their order.
    pub(super) fn finish(self, shares: &[F], dh: &mut [F]) {
        match self.dots() {
            Some(cells) => scratch(self.dh_len(), |dots| {
                sum_shares(shares, dots);
                cells.spread(dots, dh);
            }),
            None => sum_shares(shares, &mut dh[..self.dh_len()]),
        }
    }
}

/// Sums rows as long as `sum`, in their order.
fn sum_shares<F: Real>(shares: &[F], sum: &mut [F]) {
    let len = sum.len();
    in_parts(len, SUMS, Rows::new(sum, 1), &|range, sum: Rows<F>| {
        sum.data.fill(F::ZERO);
        vectorised(
            #[inline(always)]
            || {
                for share in shares.chunks_exact(len) {
                    for (sum, &v) in sum.data.iter_mut().zip(&share[range.clone()]) {
                        *sum += v;
                    }
                }
            },
        );
    });
}
