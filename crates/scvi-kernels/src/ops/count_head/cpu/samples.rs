//! px_scale of more samples than could be held beside all genes: the softmax's sums first, with
//! which any gene can then be had for itself.

use super::activation::Activate;
use super::input::Input;
use super::layer::{Layer, Logits};
use super::workspace::{Partition, input_stride};
use crate::aligned::{Aligned, aligned};
use crate::cpu::Cpu;
use crate::linalg::{Mat, matmul};
use crate::ops::count_head::{HeadDims, HeadLayer, ScaleActivation};
use crate::ops::{Rows, in_parts, scratch};
use crate::padded;
use crate::real::Real;
use crate::simd::vectorised;

/// Samples of one task: with a block of genes their logits fit the second-level cache.
const SAMPLES: usize = 512;

/// What the heads read of some samples, with ln Σ_g exp(logit) of each.
#[derive(Debug, Clone)]
pub struct CountSamples<F> {
    /// h transposed: `(hidden, input_stride(samples))`
    input: Aligned<F>,
    /// `(samples)`, padded
    log_sums: Aligned<F>,
}

impl<F: Real> CountSamples<F> {
    /// Takes `(samples, hidden)`, and sums over all genes.
    pub(crate) fn new(
        hidden: &[F],
        layer: HeadLayer<'_, Cpu<F>>,
        activation: ScaleActivation,
        d: HeadDims,
    ) -> Self {
        let stride = input_stride(d.cells);
        let mut input = aligned(d.hidden * stride);
        for (i, sample) in hidden.chunks_exact(d.hidden).enumerate() {
            for (j, &h) in sample.iter().enumerate() {
                input[j * stride + i] = h;
            }
        }
        let mut log_sums = aligned(padded(d.cells));
        head_log_sums(&input, layer, activation, &mut log_sums, d);
        Self { input, log_sums }
    }

    /// Numbers between the rows of two genes.
    pub(crate) fn stride(&self) -> usize {
        self.log_sums.len()
    }
}

/// ln Σ_g exp(logit) of each sample, or 0 for the softplus: `(samples)`.
fn head_log_sums<F: Real>(
    input: &[F], // (hidden, input_stride(samples))
    layer: HeadLayer<'_, Cpu<F>>,
    activation: ScaleActivation,
    log_sums: &mut [F],
    d: HeadDims,
) {
    let layer = Layer::eval(layer, d);
    let input = Mat::strided(input, d.hidden, d.cells, input_stride(d.cells));
    let block_genes = Partition::new(d.genes).block;
    let blocks = d.genes.div_ceil(block_genes);
    let log_sums = Rows::new(&mut log_sums[..d.cells], 1);
    in_parts(d.cells, SAMPLES, log_sums, &|samples, log_sums| {
        let input = Input::transposed(input.columns(samples.clone()));
        let cells = padded(samples.len());
        scratch((block_genes + 2 * blocks + 1) * cells, |memory| {
            let (rows, rest) = memory.split_at_mut(block_genes * cells);
            let (max, rest) = rest.split_at_mut(blocks * cells); // (blocks, samples)
            let (sum, all) = rest.split_at_mut(blocks * cells); // (blocks, samples), (samples)
            for block in 0..blocks {
                let (first, at) = (block * block_genes, block * cells..(block + 1) * cells);
                let genes = (d.genes - first).min(block_genes);
                let finish =
                    Activate { activation, max: &mut max[at.clone()], sum: &mut sum[at], cells };
                let logits = Logits::eval(&mut rows[..genes * cells]);
                let tile = HeadDims { cells: samples.len(), genes, ..d };
                layer.forward(input, first, block_genes, logits, tile, finish);
            }
            activation.log_sums(max, sum, all);
            log_sums.data.copy_from_slice(&all[..samples.len()]);
        });
    });
}

/// px_scale of the listed genes on the calling thread: `(genes, samples)`, samples padded.
pub(crate) fn head_scale_rows_cpu<F: Real>(
    samples: &CountSamples<F>,
    layer: HeadLayer<'_, Cpu<F>>,
    activation: ScaleActivation,
    genes: &[u32],
    out: &mut [F],
    d: HeadDims,
) {
    let CountSamples { input, log_sums } = samples;
    let layer = Layer::eval(layer, d);
    let stride = samples.stride();
    let input = Mat::strided(input, d.hidden, d.cells, input_stride(d.cells));
    let out = &mut out[..genes.len() * stride];
    scratch(genes.len() * d.hidden, |weights| {
        layer.gather(genes, weights, d);
        matmul(Mat::new(weights, genes.len(), d.hidden), input, out, stride, F::ZERO);
    });
    vectorised(
        #[inline(always)]
        || {
            for (row, &gene) in out.chunks_exact_mut(stride).zip(genes) {
                layer.finish_row(row, [gene as usize; 2], &mut None, d.cells);
                activation.apply(row, &log_sums[..stride]);
            }
        },
    );
}
