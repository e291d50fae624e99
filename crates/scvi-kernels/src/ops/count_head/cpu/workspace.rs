//! What the heads keep between stages.

use super::input::KeptInput;
use crate::aligned::{Aligned, aligned};
use crate::linalg::VECTORS;
use crate::ops::count_head::{HeadDims, HeadPlan, ScaleActivation};
use crate::real::Real;
use crate::{LANES, padded};

/// Genes of one block at most, as many as products that skip zeros take at a time: its products and
/// its slice of the weights, with their moments, fit the second-level cache.
const BLOCK: usize = VECTORS * LANES;
/// Parts at most: each has an own sum of the input's gradient.
const MAX_PARTS: usize = 32;
/// Parts at least, and how many more than are needed may be tried, for threads to get as many genes
/// each.
const EVEN: usize = 4;

/// How genes fall into parts (units of parallel work) and blocks (units of cache).
#[derive(Debug, Clone, Copy)]
pub(super) struct Partition {
    pub(super) block: usize,
    pub(super) blocks_per_part: usize,
    pub(super) n_parts: usize,
}

impl Partition {
    /// Of those of the largest blocks the one whose halves are the most even: two threads begin
    /// with a half each.
    pub(super) fn new(genes: usize) -> Self {
        let fewest = match genes.div_ceil(BLOCK) {
            0 | 1 => return Self::of_blocks(genes, 1),
            several => several.max(EVEN),
        };
        let all = (fewest..fewest + EVEN).map(|n| Self::of_blocks(genes, n));
        let larger_half = |p: &Self| {
            let first = p.n_parts / 2 * p.part_genes();
            first.max(genes - first)
        };
        // Of those that are as even, the one of the largest blocks.
        all.min_by_key(larger_half).unwrap_or_else(|| Self::of_blocks(genes, 1))
    }

    /// About `n` blocks of whole vectors.
    fn of_blocks(genes: usize, n: usize) -> Self {
        let block = genes.div_ceil(n).max(1).next_multiple_of(LANES);
        let blocks = genes.div_ceil(block).max(1);
        let blocks_per_part = blocks.div_ceil(MAX_PARTS);
        Self { block, blocks_per_part, n_parts: blocks.div_ceil(blocks_per_part) }
    }

    pub(super) fn part_genes(&self) -> usize {
        self.block * self.blocks_per_part
    }
}

/// Row length of the transposed input: cells, and a cache line more, for rows a power of two apart
/// would all fall into the same few sets of the cache.
pub(super) const fn input_stride(cells: usize) -> usize {
    padded(cells) + LANES
}

/// What the heads keep between forward, likelihood and gradient.
///
/// Rows of cells are padded to a multiple of [`crate::LANES`]; `cells` below stands for the padded
/// number.
#[derive(Debug, Clone)]
pub struct CountHead<F> {
    pub(super) partition: Partition,
    pub(super) activation: ScaleActivation,
    /// whether `part_dh` has the share of heads that the likelihood's pass has done with
    pub(super) has_dh: bool,
    pub(super) input: KeptInput<F>,
    /// exp(logit - the block's maximum), or softplus(logit): `(genes, cells)`
    pub(super) scale: Aligned<F>,
    /// π; after a likelihood with gradients dL/dπ: `(genes, cells)`, empty without zero inflation
    pub(super) pi: Aligned<F>,
    /// px_r; after a likelihood with gradients dL/dpx_r: `(genes, cells)`, empty where the
    /// dispersion is not the decoder's
    pub(super) px_r: Aligned<F>,
    /// dL/d ln μ: `(genes, cells)`, empty where no gradient is wanted
    pub(super) grad: Aligned<F>,
    /// largest logit of a block, or 0: `(blocks, cells)`
    pub(super) block_max: Aligned<F>,
    /// Σ_g exp(logit - block_max) of a block: `(blocks, cells)`
    pub(super) block_sum: Aligned<F>,
    /// ln Σ_g exp(logit), or 0: `(cells)`
    pub(super) log_sum: Aligned<F>,
    /// each part's share of the loss: `(parts, cells)`
    pub(super) part_nll: Aligned<F>,
    /// each part's share of Σ_g dL/d ln μ: `(parts, cells)`
    pub(super) part_sum: Aligned<F>,
    /// Σ_g dL/d ln μ: `(cells)`
    pub(super) grad_sum: Aligned<F>,
    /// each part's share of the input's gradient: `(parts, Input::dh_len)`
    pub(super) part_dh: Aligned<F>,
}

impl<F: Real> CountHead<F> {
    /// Buffers for up to `dims.cells` cells.
    pub(crate) fn new(dims: HeadDims, plan: HeadPlan) -> Self {
        let partition = Partition::new(dims.genes);
        let cells = padded(dims.cells);
        let blocks = partition.n_parts * partition.blocks_per_part;
        let zeros = |wanted: bool, len: usize| aligned(if wanted { len } else { 0 });
        Self {
            partition,
            activation: plan.activation,
            has_dh: false,
            input: KeptInput::new(dims, plan),
            scale: zeros(true, dims.genes * cells),
            pi: zeros(plan.zero_inflated, dims.genes * cells),
            px_r: zeros(plan.gene_cell, dims.genes * cells),
            grad: zeros(plan.training, dims.genes * cells),
            block_max: zeros(true, blocks * cells),
            block_sum: zeros(true, blocks * cells),
            log_sum: zeros(true, cells),
            part_nll: zeros(true, partition.n_parts * cells),
            part_sum: zeros(true, partition.n_parts * cells),
            grad_sum: zeros(true, cells),
            part_dh: zeros(
                plan.training,
                partition.n_parts * KeptInput::<F>::max_dh_len(dims, plan),
            ),
        }
    }
}
