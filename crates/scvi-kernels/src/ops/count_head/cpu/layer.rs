//! One head's layer over a part of genes: the product with its bias, the normalisation, and their
//! gradients.

use super::lanes::lane_sum;
use super::norm::{Moments, Norm, NormSinks};
use super::workspace::input_stride;
use crate::cpu::Cpu;
use crate::linalg::{Mat, matmul};
use crate::ops::count_head::{HeadDims, HeadLayer, HeadLayerSinks};
use crate::ops::{Rows, Sink, Split};
use crate::padded;
use crate::real::Real;
use crate::simd::vectorised;

/// A layer as every part reads it.
#[derive(Clone, Copy)]
pub(super) struct Layer<'a, F> {
    weight: &'a [F],       // (genes, hidden)
    bias: Option<&'a [F]>, // (genes)
    norm: Option<Norm<'a, F>>,
}

/// What a part of genes writes of a layer's forward pass.
pub(super) struct Logits<'a, F> {
    rows: Rows<'a, F>, // (genes, cells)
    moments: Option<Moments<'a, F>>,
}

impl<'a, F: Real> Layer<'a, F> {
    /// With the front of `rows` for its logits; both fall into parts of `part` genes.
    pub(super) fn new(
        layer: HeadLayer<'a, Cpu<F>>,
        rows: &'a mut [F],
        part: usize,
        d: HeadDims,
    ) -> (Self, Logits<'a, F>) {
        let stride = padded(d.cells);
        let (norm, moments) = layer.norm.map(|norm| Norm::new(norm, part, d)).unzip();
        let rows = Rows::new(&mut rows[..d.genes * stride], part * stride);
        let layer = Self { weight: layer.weight, bias: layer.bias.map(|b| &b[..]), norm };
        (layer, Logits { rows, moments: moments.flatten() })
    }

    /// Logits of a part whose first gene is `first`, block by block, then `finish` on the block's
    /// number and rows while they are in cache.
    pub(super) fn forward(
        &self,
        input: &[F], // (hidden, input_stride(cells))
        first: usize,
        block: usize,
        logits: Logits<F>,
        d: HeadDims,
        mut finish: impl FnMut(usize, &mut [F]),
    ) {
        let stride = padded(d.cells);
        let input = Mat::strided(input, d.hidden, d.cells, input_stride(d.cells));
        let Logits { rows, mut moments } = logits;
        for (k, rows) in rows.data.chunks_mut(block * stride).enumerate() {
            let (genes, local) = (rows.len() / stride, k * block);
            let first = first + local;
            let weight = Mat::new(&self.weight[first * d.hidden..], genes, d.hidden);
            matmul(weight, input, rows, stride, F::ZERO);
            vectorised(
                #[inline(always)]
                || {
                    add_bias(rows, self.bias.map(|b| &b[first..first + genes]), d.cells);
                    if let Some(norm) = self.norm {
                        norm.apply(rows, first, local, &mut moments, d.cells);
                    }
                    finish(k, rows);
                },
            );
        }
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

impl<F: Real> Split for Logits<'_, F> {
    fn split(self, mid: usize) -> (Self, Self) {
        let (rows, rows2) = self.rows.split(mid);
        let (moments, moments2) = self.moments.split(mid);
        (Self { rows, moments }, Self { rows: rows2, moments: moments2 })
    }
}

/// A part's gradient of the logits, and where its layer's gradients go.
pub(super) struct LayerSinks<'a, F> {
    rows: Rows<'a, F>, // (genes, cells)
    weight: Sink<'a, F>,
    bias: Option<Sink<'a, F>>,
    norm: Option<NormSinks<'a, F>>,
}

impl<'a, F: Real> LayerSinks<'a, F> {
    /// With the gradient in the front of `rows`; all falls into parts of `part` genes.
    pub(super) fn new(
        sinks: HeadLayerSinks<'a, Cpu<F>>,
        rows: &'a mut [F],
        part: usize,
        d: HeadDims,
    ) -> Self {
        let stride = padded(d.cells);
        Self {
            rows: Rows::new(&mut rows[..d.genes * stride], part * stride),
            weight: Sink::new(sinks.weight, d.genes * d.hidden, part * d.hidden),
            bias: sinks.bias.map(|b| Sink::new(b, d.genes, part)),
            norm: sinks.norm.map(|norm| NormSinks::new(norm, part, d)),
        }
    }

    /// How much memory [`LayerSinks::backward`] wants.
    pub(super) fn memory(block: usize, d: HeadDims) -> usize {
        block * (d.hidden + 2)
    }

    /// Every gradient of a part, block by block: `prepare` turns the block's number and rows into
    /// the gradient of the logits, then come the normalisation, the part's share of dh, and the
    /// weights and biases.
    pub(super) fn backward(
        mut self,
        h: &[F],      // (cells, hidden)
        dh: &mut [F], // (cells, hidden)
        memory: &mut [F],
        block: usize,
        d: HeadDims,
        mut prepare: impl FnMut(usize, &mut [F]),
    ) {
        let stride = padded(d.cells);
        let h = Mat::new(h, d.cells, d.hidden);
        for (k, rows) in self.rows.data.chunks_mut(block * stride).enumerate() {
            let (genes, first) = (rows.len() / stride, k * block);
            let (dw, per_gene) = memory.split_at_mut(genes * d.hidden);
            let (a, b) = per_gene.split_at_mut(block);
            vectorised(
                #[inline(always)]
                || {
                    prepare(k, rows);
                    if let Some(norm) = &mut self.norm {
                        norm.gradient(rows, first, (&mut *a, &mut *b), d.cells);
                    }
                },
            );
            let d_logits = Mat::strided(rows, genes, d.cells, stride);
            let weight = Mat::new(&self.weight.value()[first * d.hidden..], genes, d.hidden);
            matmul(d_logits.t(), weight, dh, d.hidden, F::ONE);
            matmul(d_logits, h, dw, d.hidden, F::ZERO);
            self.weight.take(first * d.hidden, dw);
            if let Some(bias) = &mut self.bias {
                let db = &mut a[..genes];
                match self.norm {
                    // What is normalised loses its mean, and with it all that a bias does.
                    Some(_) => db.fill(F::ZERO),
                    None => {
                        for (db, row) in db.iter_mut().zip(rows.chunks_exact(stride)) {
                            *db = lane_sum(row);
                        }
                    }
                }
                bias.take(first, db);
            }
        }
    }
}

impl<F: Real> Split for LayerSinks<'_, F> {
    fn split(self, mid: usize) -> (Self, Self) {
        let (rows, rows2) = self.rows.split(mid);
        let (weight, weight2) = self.weight.split(mid);
        let (bias, bias2) = self.bias.split(mid);
        let (norm, norm2) = self.norm.split(mid);
        (
            Self { rows, weight, bias, norm },
            Self { rows: rows2, weight: weight2, bias: bias2, norm: norm2 },
        )
    }
}
