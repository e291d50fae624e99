//! Second stage: likelihood and partial derivatives of a block of genes.

use std::ops::Range;

use super::CountHead;
use super::cell_rows::CellRows;
use super::dispersion::{Columns, PxR};
use super::dropout::Pi;
use super::input::Input;
use super::layer::LayerSinks;
use super::positives::Positives;
use super::zeros::zeros;
use crate::counts::CountsBatch;
use crate::cpu::Cpu;
use crate::linalg::Next;
use crate::ops::count_head::likelihood::{Likelihood, Nb, Normal, Poisson, Zinb};
use crate::ops::count_head::{Dispersion, GeneLikelihood, HeadDims, LikelihoodPass};
use crate::ops::{Rows, Sink, in_parts, scratch};
use crate::padded;
use crate::real::Real;
use crate::simd::vectorised;

/// Genes whose factors are multiplied before a logarithm is taken: 2³² is far from overflow.
const FACTORS: usize = 32;

/// What is the same for every gene of a pass.
pub(super) struct Shared<'a, F> {
    pub(super) counts: &'a CountsBatch<F>,
    pub(super) library: &'a [F],
    pub(super) log_sum: &'a [F],
    /// of px_r
    pub(super) columns: Columns<'a>,
    /// dL/dnll of a cell
    pub(super) weight: F,
}

impl<F: Real> Shared<'_, F> {
    /// Where the counts of a block's gene stand in the minibatch's arrays by gene.
    #[inline(always)]
    pub(super) fn gene_counts(&self, block: &Block<F>, gene: usize) -> Range<usize> {
        let gene = block.first + gene;
        self.counts.gene_ptr[gene]..self.counts.gene_ptr[gene + 1]
    }
}

/// One part's genes; buffers are `(genes, cells)` or `(cells)`.
struct Part<'a, F> {
    /// first gene
    first: usize,
    scale: &'a [F],
    grad: &'a mut [F],
    nll: &'a mut [F],
    sum: &'a mut [F],
}

/// One block's genes.
pub(super) struct Block<'a, F> {
    /// first gene
    pub(super) first: usize,
    pub(super) scale: &'a [F],
    /// π in, its gradient out
    pub(super) pi: &'a mut [F],
    pub(super) grad: &'a mut [F],
    pub(super) nll: &'a mut [F],
    pub(super) sum: &'a mut [F],
}

pub(crate) fn head_likelihood_cpu<F: Real>(
    head: &mut CountHead<F>,
    pass: LikelihoodPass<'_, Cpu<F>>,
    dispersion: Dispersion<'_, Cpu<F>>,
    nll: &mut [F],
    d: HeadDims,
) {
    let stages = match (pass.likelihood, pass.grad_weight.is_some()) {
        (GeneLikelihood::Zinb, true) => all_parts::<F, Zinb, true>,
        (GeneLikelihood::Zinb, false) => all_parts::<F, Zinb, false>,
        (GeneLikelihood::Nb, true) => all_parts::<F, Nb, true>,
        (GeneLikelihood::Nb, false) => all_parts::<F, Nb, false>,
        (GeneLikelihood::Poisson, true) => all_parts::<F, Poisson, true>,
        (GeneLikelihood::Poisson, false) => all_parts::<F, Poisson, false>,
        (GeneLikelihood::Normal, true) => all_parts::<F, Normal, true>,
        (GeneLikelihood::Normal, false) => all_parts::<F, Normal, false>,
    };
    stages(head, pass, dispersion, d);
    let cells = padded(d.cells);
    let nll = &mut nll[..d.cells];
    nll.fill(F::ZERO);
    head.grad_sum[..cells].fill(F::ZERO);
    let CountHead { part_nll, part_sum, grad_sum, .. } = head;
    for (parts, sums) in [(part_nll, nll), (part_sum, &mut grad_sum[..cells])] {
        for part in parts.chunks_exact(cells).take(head.partition.n_parts) {
            sums.iter_mut().zip(part).for_each(|(sum, &v)| *sum += v);
        }
    }
}

/// Σ_g dL/d ln μ, for ln μ is a sum with the library in it.
pub(crate) fn head_library_grad_cpu<F: Real>(
    head: &CountHead<F>,
    d_library: &mut [F],
    d: HeadDims,
) {
    d_library[..d.cells].copy_from_slice(&head.grad_sum[..d.cells]);
}

fn all_parts<F: Real, L: Likelihood<F>, const GRAD: bool>(
    head: &mut CountHead<F>,
    pass: LikelihoodPass<'_, Cpu<F>>,
    dispersion: Dispersion<'_, Cpu<F>>,
    d: HeadDims,
) {
    let p = head.partition;
    let (cells, part) = (padded(d.cells), p.part_genes());
    let (px_r, columns) = match dispersion {
        Dispersion::None => {
            assert!(!L::HAS_THETA, "{:?} needs a dispersion", pass.likelihood);
            (PxR::None, Columns::One)
        }
        Dispersion::Table { px_r, groups, n_groups } => {
            let sink = Sink::new(px_r, d.genes * n_groups, part * n_groups);
            let groups = groups.map(|g| Columns::Groups { of: &g[..d.cells], n: n_groups });
            (PxR::Table(sink), groups.unwrap_or(Columns::One))
        }
        Dispersion::FromDecoder => {
            let rows = Rows::new(&mut head.px_r[..d.genes * cells], part * cells);
            (PxR::Head(rows), Columns::Cells(cells))
        }
    };
    let shared = Shared {
        counts: pass.counts,
        library: &pass.library[..d.cells],
        log_sum: &head.log_sum[..d.cells],
        columns,
        weight: pass.grad_weight.unwrap_or(F::ZERO),
    };
    let (pi, input) = match pass.dropout {
        _ if !L::HAS_PI => (Pi::None, None),
        None => {
            let rows = Rows::new(&mut head.pi[..d.genes * cells], part * cells);
            (Pi::Kept(rows), None)
        }
        Some(step) => {
            assert!(GRAD, "a layer's step needs gradients");
            head.has_dh = true;
            let layer = LayerSinks::new(step.sinks, part, d);
            let input = head.input.view(step.input, d);
            let dh = Rows::new(&mut head.part_dh, input.dh_len());
            (Pi::Formed { layer, dh }, Some(input))
        }
    };
    let (scale, block_max) = (&head.scale, &head.block_max);
    let state = (
        (Rows::new(&mut head.grad[..if GRAD { d.genes * cells } else { 0 }], part * cells), pi),
        Rows::new(&mut head.part_nll, cells),
        Rows::new(&mut head.part_sum, cells),
        px_r,
    );
    in_parts(p.n_parts, 1, state, &|range, ((grad, pi), nll, sum, px_r)| {
        let first = range.start * part;
        let part = Part {
            first,
            scale: &scale[first * cells..d.genes.min(first + part) * cells],
            grad: grad.data,
            nll: &mut nll.data[..cells],
            sum: &mut sum.data[..cells],
        };
        let max = &block_max[range.start * p.blocks_per_part * cells..];
        one_part::<F, L, GRAD>(&shared, part, (pi, input), px_r, max, p.block, d);
    });
}

fn one_part<F: Real, L: Likelihood<F>, const GRAD: bool>(
    shared: &Shared<F>,
    part: Part<F>,
    (mut pi, input): (Pi<F>, Option<Input<F>>),
    mut px_r: PxR<F>,
    block_max: &[F],
    block: usize,
    d: HeadDims,
) {
    part.nll.fill(F::ZERO);
    part.sum.fill(F::ZERO);
    pi.start(input);
    let cells = padded(d.cells);
    let [groups, table] = shared.columns.memory(block);
    let sizes = [CellRows::<F>::len(cells), groups, table, Positives::<F>::len(cells)];
    scratch(sizes.iter().sum::<usize>() + pi.memory(block, d), |memory| {
        let (rows, rest) = memory.split_at_mut(sizes[0]);
        let (group_theta, rest) = rest.split_at_mut(groups);
        let (table, rest) = rest.split_at_mut(table);
        let (positives, layer_memory) = rest.split_at_mut(sizes[3]);
        let mut rows = CellRows::new(rows, cells);
        let mut positives = Positives::new(positives, cells);
        let all = part.scale.len() / cells;
        for (k, start) in (0..all).step_by(block).enumerate() {
            let genes = start..(start + block).min(all);
            let at = genes.start * cells..genes.end * cells;
            let max = &block_max[k * cells..][..cells];
            let grad = if GRAD { &mut part.grad[at.clone()] } else { &mut [] };
            let next = Next::new().and(&part.scale[at.clone()]);
            pi.block(genes.clone(), input, layer_memory, next, d, |pi| {
                let mut block = Block {
                    first: part.first + start,
                    scale: &part.scale[at],
                    pi,
                    grad,
                    nll: &mut *part.nll,
                    sum: &mut *part.sum,
                };
                vectorised(
                    #[inline(always)]
                    || {
                        rows.set_factors(shared, max);
                        px_r.block::<GRAD>(
                            genes,
                            shared.columns.len(),
                            table,
                            #[inline(always)]
                            |px_r| {
                                one_block::<F, L, GRAD>(
                                    shared,
                                    &mut block,
                                    &mut rows,
                                    &mut positives,
                                    group_theta,
                                    px_r,
                                );
                            },
                        );
                    },
                );
            });
        }
    });
}

/// Genes of one block: zeros gene by gene, the other counts gathered over genes.
#[inline(always)]
fn one_block<F: Real, L: Likelihood<F>, const GRAD: bool>(
    shared: &Shared<F>,
    block: &mut Block<F>,
    rows: &mut CellRows<F>,
    positives: &mut Positives<F>,
    group_theta: &mut [F],
    px_r: &mut [F], // px_r in, its gradient out: (genes, columns)
) {
    let (cells, columns) = (block.nll.len(), shared.columns.len());
    let genes = block.scale.len() / cells;
    let mut gathered = 0;
    for gene in 0..genes {
        if !positives.has_room(shared.gene_counts(block, gene).len()) {
            let d_px_r = &mut px_r[gathered * columns..];
            positives.finish::<L, GRAD>(shared, block, gathered..gene, d_px_r);
            gathered = gene;
        }
        let px_r = &mut px_r[gene * columns..][..columns];
        if L::HAS_THETA {
            rows.set_theta::<L>(shared.columns, px_r, group_theta);
        }
        rows.set_mean(&block.scale[gene * cells..][..cells]);
        positives.gather::<L>(shared, block, gene, rows);
        zeros::<F, L, GRAD>(shared, block, gene, rows);
        if L::HAS_FACTOR && (gene % FACTORS == FACTORS - 1 || gene == genes - 1) {
            rows.take_factors(block.nll);
        }
        if GRAD && L::HAS_THETA {
            shared.columns.put_gradient(rows.d_theta, px_r);
        }
    }
    let d_px_r = &mut px_r[gathered * columns..];
    positives.finish::<L, GRAD>(shared, block, gathered..genes, d_px_r);
}
