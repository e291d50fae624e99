//! One head's layer over a part of genes: the product with its bias, the normalisation, and their
//! gradients.

use super::input::Input;
use super::lanes::lane_sum;
use super::norm::{Moments, Norm, NormSinks};
use crate::cpu::Cpu;
use crate::linalg::{Mat, Next};
use crate::ops::count_head::{HeadDims, HeadLayer, HeadLayerSinks, WeightBlocks};
use crate::ops::{Rows, Sink, Split, scratch};
use crate::padded;
use crate::real::Real;
use crate::simd::vectorised;

/// A layer as every part reads it.
#[derive(Clone, Copy)]
pub(super) struct Layer<'a, F> {
    weight: &'a [F],       // as WeightBlocks has it
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

    /// In evaluation mode, where nothing but logits is written.
    pub(super) fn eval(layer: HeadLayer<'a, Cpu<F>>, d: HeadDims) -> Self {
        let (layer, Logits { moments, .. }) =
            Self::new(layer, &mut [], d.genes, HeadDims { cells: 0, ..d });
        assert!(moments.is_none(), "a layer in evaluation mode");
        layer
    }

    /// Logits of a part whose first gene is `first`, block by block, and what `finish` makes of them
    /// while they are in cache.
    pub(super) fn forward(
        &self,
        input: Input<F>,
        first: usize,
        block: usize,
        logits: Logits<F>,
        d: HeadDims,
        mut finish: impl Finish<F>,
    ) {
        let stride = padded(d.cells);
        let Logits { rows, mut moments } = logits;
        for (k, rows) in rows.data.chunks_mut(block * stride).enumerate() {
            let local = k * block;
            let weight =
                &self.weight[(first + local) * d.hidden..][..rows.len() / stride * d.hidden];
            let next = Next::new().and(rows).and_after(weight);
            self.product(input, first + local, rows, next, d);
            vectorised(
                #[inline(always)]
                || {
                    finish.start(k);
                    for (local, row) in (local..).zip(rows.chunks_exact_mut(stride)) {
                        self.finish_row(row, [first + local, local], &mut moments, d.cells);
                        finish.row(k, row);
                    }
                    finish.block(k, rows);
                },
            );
        }
    }

    /// Rows of products of a block of genes, whose first is given.
    fn product(&self, input: Input<F>, first: usize, rows: &mut [F], next: Next<F>, d: HeadDims) {
        let stride = padded(d.cells);
        let genes = rows.len() / stride;
        let weight = &self.weight[first * d.hidden..][..genes * d.hidden];
        input.logits(Mat::new(weight, d.hidden, genes), rows, stride, next);
    }
}

impl<F: Real> Layer<'_, F> {
    /// Turns a row of products into logits of a gene, whose numbers among all and within its part
    /// are given.
    #[inline(always)]
    pub(super) fn finish_row(
        &self,
        row: &mut [F],
        [gene, local]: [usize; 2],
        moments: &mut Option<Moments<F>>,
        cells: usize,
    ) {
        // A larger minibatch may have used the padding.
        row[cells..].fill(F::ZERO);
        if let Some(bias) = self.bias {
            let bias = bias[gene];
            row.iter_mut().for_each(|v| *v += bias);
        }
        if let Some(norm) = self.norm {
            norm.apply(row, gene, local, moments, cells);
        }
    }

    /// The weights of the listed genes: `(genes, hidden)`.
    pub(super) fn gather(&self, genes: &[u32], weights: &mut [F], d: HeadDims) {
        let blocks = WeightBlocks::new(d.genes, d.hidden);
        for (row, &gene) in weights.chunks_exact_mut(d.hidden).zip(genes) {
            blocks.gene(self.weight, gene as usize).zip(row).for_each(|(&w, to)| *to = w);
        }
    }
}

/// What is made of a block's logits; every method is `#[inline(always)]`.
pub(super) trait Finish<F> {
    /// Before a block.
    #[inline(always)]
    fn start(&mut self, _block: usize) {}
    /// After a gene's row.
    #[inline(always)]
    fn row(&mut self, _block: usize, _row: &[F]) {}
    /// After all rows of a block.
    #[inline(always)]
    fn block(&mut self, _block: usize, _rows: &mut [F]) {}
}

/// The logits stay what they are.
impl<F> Finish<F> for () {}

impl<'a, F> Logits<'a, F> {
    /// Of a layer in evaluation mode: `rows` is `(genes, cells)`.
    pub(super) fn eval(rows: &'a mut [F]) -> Self {
        let width = rows.len();
        Self { rows: Rows::new(rows, width), moments: None }
    }
}

impl<F: Real> Split for Logits<'_, F> {
    fn split(self, mid: usize) -> (Self, Self) {
        let (rows, rows2) = self.rows.split(mid);
        let (moments, moments2) = self.moments.split(mid);
        (Self { rows, moments }, Self { rows: rows2, moments: moments2 })
    }
}

/// Where the gradients of a part's layer go.
pub(super) struct LayerSinks<'a, F> {
    weight: Sink<'a, F>,
    bias: Option<Sink<'a, F>>,
    norm: Option<NormSinks<'a, F>>,
}

impl<'a, F: Real> LayerSinks<'a, F> {
    /// All falls into parts of `part` genes.
    pub(super) fn new(sinks: HeadLayerSinks<'a, Cpu<F>>, part: usize, d: HeadDims) -> Self {
        Self {
            weight: Sink::new(sinks.weight, d.genes * d.hidden, part * d.hidden),
            bias: sinks.bias.map(|b| Sink::new(b, d.genes, part)),
            norm: sinks.norm.map(|norm| NormSinks::new(norm, part, d)),
        }
    }

    /// Logits of a block of the part's genes, whose first is given, where the layer is not
    /// normalised.
    pub(super) fn logits(
        &self,
        input: Input<F>,
        first: usize,
        rows: &mut [F],
        next: Next<F>,
        d: HeadDims,
    ) {
        assert!(self.norm.is_none(), "a layer without normalisation");
        let bias = self.bias.as_ref().map(Sink::value);
        let layer = Layer { weight: self.weight.value(), bias, norm: None };
        layer.product(input, first, rows, next, d);
        vectorised(
            #[inline(always)]
            || {
                for (gene, row) in (first..).zip(rows.chunks_exact_mut(padded(d.cells))) {
                    layer.finish_row(row, [gene; 2], &mut None, d.cells);
                }
            },
        );
    }

    /// Every gradient of a block of the part's genes, whose first is given and whose logits'
    /// gradient is in `rows`: that of the normalisation, the share of dh, and those of weights and
    /// biases.
    pub(super) fn backward(
        &mut self,
        first: usize,
        rows: &mut [F], // (genes, cells)
        input: Input<F>,
        dh: &mut [F], // (input.dh_len)
        next: Next<F>,
        d: HeadDims,
    ) {
        let stride = padded(d.cells);
        let genes = rows.len() / stride;
        scratch(2 * genes, |memory| {
            let (db, d_gamma) = memory.split_at_mut(genes);
            vectorised(
                #[inline(always)]
                || {
                    for (k, row) in rows.chunks_exact_mut(stride).enumerate() {
                        db[k] = lane_sum(row);
                        if let Some(norm) = &self.norm {
                            d_gamma[k] = norm.gradient(row, first + k, db[k], d.cells);
                        }
                    }
                },
            );
            if let Some(norm) = &mut self.norm {
                norm.take(first, d_gamma, db);
                // What is normalised loses its mean, and with it all that a bias does.
                db.fill(F::ZERO);
            }
            if let Some(bias) = &mut self.bias {
                bias.take(first, db);
            }
        });
        let d_logits = Mat::strided(rows, genes, d.cells, stride);
        input.gradients(d_logits, &mut self.weight, first * d.hidden, dh, next);
    }
}

impl<F: Real> Split for LayerSinks<'_, F> {
    fn split(self, mid: usize) -> (Self, Self) {
        let (weight, weight2) = self.weight.split(mid);
        let (bias, bias2) = self.bias.split(mid);
        let (norm, norm2) = self.norm.split(mid);
        (Self { weight, bias, norm }, Self { weight: weight2, bias: bias2, norm: norm2 })
    }
}
