//! One head's layer over a block of genes: the product with its bias, and its gradients.

use super::workspace::input_stride;
use super::zeros::lane_sum;
use crate::cpu::Cpu;
use crate::linalg::{Mat, matmul};
use crate::ops::count_head::{HeadDims, HeadLayer, HeadLayerSinks};
use crate::ops::{Sink, Split};
use crate::padded;
use crate::real::Real;
use crate::simd::vectorised;

/// A layer as every part reads it.
#[derive(Clone, Copy)]
pub(super) struct Layer<'a, F> {
    weight: &'a [F],       // (genes, hidden)
    bias: Option<&'a [F]>, // (genes)
}

impl<'a, F: Real> Layer<'a, F> {
    pub(super) fn new(layer: HeadLayer<'a, Cpu<F>>) -> Self {
        Self { weight: layer.weight, bias: layer.bias.map(|b| &b[..]) }
    }

    /// rows = W h + b of the genes from `first` on, then `finish` on what is still in cache.
    pub(super) fn logits(
        &self,
        input: &[F], // (hidden, input_stride(cells))
        first: usize,
        rows: &mut [F], // (genes of the block, cells)
        d: HeadDims,
        finish: impl FnOnce(&mut [F]),
    ) {
        let stride = padded(d.cells);
        let genes = rows.len() / stride;
        let weight = Mat::new(&self.weight[first * d.hidden..], genes, d.hidden);
        let input = Mat::strided(input, d.hidden, d.cells, input_stride(d.cells));
        matmul(weight, input, rows, stride, F::ZERO);
        let bias = self.bias.map(|b| &b[first..first + genes]);
        vectorised(
            #[inline(always)]
            || {
                add_bias(rows, bias, d.cells);
                finish(rows);
            },
        );
    }
}

/// Adds each gene's bias, and clears the padding, which a larger minibatch may have used.
#[inline(always)]
fn add_bias<F: Real>(rows: &mut [F], bias: Option<&[F]>, cells: usize) {
    let rows = rows.chunks_exact_mut(padded(cells));
    match bias {
        None => rows.for_each(|row| row[cells..].fill(F::ZERO)),
        Some(bias) => {
            for (row, &b) in rows.zip(bias) {
                row[cells..].fill(F::ZERO);
                row.iter_mut().for_each(|v| *v += b);
            }
        }
    }
}

/// Where a part's gradients of a layer go.
pub(super) struct LayerSinks<'a, F> {
    weight: Sink<'a, F>,
    bias: Option<Sink<'a, F>>,
}

impl<'a, F: Real> LayerSinks<'a, F> {
    /// Falls into parts of `part` genes.
    pub(super) fn new(sinks: HeadLayerSinks<'a, Cpu<F>>, part: usize, d: HeadDims) -> Self {
        Self {
            weight: Sink::new(sinks.weight, d.genes * d.hidden, part * d.hidden),
            bias: sinks.bias.map(|b| Sink::new(b, d.genes, part)),
        }
    }

    /// How much memory [`LayerSinks::backward`] wants.
    pub(super) fn memory(block: usize, d: HeadDims) -> usize {
        block * (d.hidden + 1)
    }

    /// A block's share of dh, then its weights and biases.
    pub(super) fn backward(
        &mut self,
        rows: &[F], // dL/d(W h + b): (genes of the block, cells)
        first: usize,
        h: &[F],      // (cells, hidden)
        dh: &mut [F], // (cells, hidden)
        memory: &mut [F],
        d: HeadDims,
    ) {
        let stride = padded(d.cells);
        let genes = rows.len() / stride;
        let d_logits = Mat::strided(rows, genes, d.cells, stride);
        let weight = Mat::new(&self.weight.value()[first * d.hidden..], genes, d.hidden);
        matmul(d_logits.t(), weight, dh, d.hidden, F::ONE);
        let (dw, db) = memory.split_at_mut(genes * d.hidden);
        matmul(d_logits, Mat::new(h, d.cells, d.hidden), dw, d.hidden, F::ZERO);
        self.weight.take(first * d.hidden, dw);
        if let Some(bias) = &mut self.bias {
            let db = &mut db[..genes];
            for (db, row) in db.iter_mut().zip(rows.chunks_exact(stride)) {
                *db = lane_sum(row);
            }
            bias.take(first, db);
        }
    }
}

impl<F: Real> Split for LayerSinks<'_, F> {
    fn split(self, mid: usize) -> (Self, Self) {
        let (weight, weight2) = self.weight.split(mid);
        let (bias, bias2) = self.bias.split(mid);
        (Self { weight, bias }, Self { weight: weight2, bias: bias2 })
    }
}
