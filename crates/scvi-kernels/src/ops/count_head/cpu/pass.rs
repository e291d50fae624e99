//! Second stage: likelihood and partial derivatives of a block of genes.

use super::CountHead;
use super::cell_rows::CellRows;
use super::positives::Positives;
use super::zeros::zeros;
use crate::counts::CountsBatch;
use crate::cpu::Cpu;
use crate::ops::count_head::likelihood::{Likelihood, Nb, Poisson, Zinb};
use crate::ops::count_head::{Dispersion, GeneLikelihood, HeadDims, LikelihoodPass};
use crate::ops::{Rows, Sink, in_parts, scratch};
use crate::padded;
use crate::real::Real;
use crate::simd::vectorised;

/// What is the same for every gene of a pass.
pub(super) struct Shared<'a, F> {
    pub(super) counts: &'a CountsBatch<F>,
    pub(super) library: &'a [F],
    pub(super) log_sum: &'a [F],
    pub(super) groups: Option<&'a [u32]>,
    pub(super) n_groups: usize,
    /// dL/dnll of a cell
    pub(super) weight: F,
}

impl<F: Real> Shared<'_, F> {
    /// Where the counts of a part's gene stand in the minibatch's arrays by gene.
    #[inline(always)]
    pub(super) fn gene_counts(&self, part: &Part<F>, gene: usize) -> std::ops::Range<usize> {
        let gene = part.first + gene;
        self.counts.gene_ptr[gene]..self.counts.gene_ptr[gene + 1]
    }

    /// The column of the dispersion table that a cell uses.
    #[inline(always)]
    pub(super) fn group(&self, cell: usize) -> usize {
        self.groups.map_or(0, |g| g[cell] as usize)
    }
}

/// One part's genes; buffers are `(genes, cells)` or `(cells)`.
pub(super) struct Part<'a, F> {
    /// first gene
    pub(super) first: usize,
    pub(super) scale: &'a mut [F],
    pub(super) pi: &'a mut [F],
    pub(super) grad: &'a mut [F],
    pub(super) nll: &'a mut [F],
    pub(super) sum: &'a mut [F],
    pub(super) px_r: Option<Sink<'a, F>>,
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
    };
    let constants = &pass.counts.ln_factorials;
    stages(head, &pass, dispersion, d);
    let cells = padded(d.cells);
    for c in 0..d.cells {
        nll[c] = (0..head.partition.n_parts).map(|p| head.part_nll[p * cells + c]).sum::<F>();
        nll[c] += constants[c];
    }
    for c in 0..cells {
        head.grad_sum[c] = (0..head.partition.n_parts).map(|p| head.part_sum[p * cells + c]).sum();
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
    pass: &LikelihoodPass<'_, Cpu<F>>,
    dispersion: Dispersion<'_, Cpu<F>>,
    d: HeadDims,
) {
    let p = head.partition;
    let (cells, part) = (padded(d.cells), p.part_genes());
    let (px_r, groups, n_groups) = match dispersion {
        Dispersion::None => (None, None, 1),
        Dispersion::Table { px_r, groups, n_groups } => {
            let sink = Sink::new(px_r, d.genes * n_groups, part * n_groups);
            (Some(sink), groups.map(|g| &g[..d.cells]), n_groups)
        }
    };
    let shared = Shared {
        counts: pass.counts,
        library: &pass.library[..d.cells],
        log_sum: &head.log_sum[..d.cells],
        groups,
        n_groups,
        weight: pass.grad_weight.unwrap_or(F::ZERO),
    };
    let used = |v: bool| if v { d.genes * cells } else { 0 };
    let block_max = &head.block_max;
    let state = (
        (
            Rows::new(&mut head.scale[..used(true)], part * cells),
            Rows::new(&mut head.pi[..used(L::HAS_PI)], part * cells),
            Rows::new(&mut head.grad[..used(GRAD)], part * cells),
        ),
        Rows::new(&mut head.part_nll, cells),
        Rows::new(&mut head.part_sum, cells),
        px_r,
    );
    in_parts(p.n_parts, 1, state, &|range, ((scale, pi, grad), nll, sum, px_r)| {
        let part = Part {
            first: range.start * part,
            scale: scale.data,
            pi: pi.data,
            grad: grad.data,
            nll: &mut nll.data[..cells],
            sum: &mut sum.data[..cells],
            px_r,
        };
        let max = &block_max[range.start * p.blocks_per_part * cells..];
        one_part::<F, L, GRAD>(&shared, part, max, p.block, cells);
    });
}

fn one_part<F: Real, L: Likelihood<F>, const GRAD: bool>(
    shared: &Shared<F>,
    mut part: Part<F>,
    block_max: &[F],
    block: usize,
    cells: usize,
) {
    part.nll.fill(F::ZERO);
    part.sum.fill(F::ZERO);
    let table = block * shared.n_groups;
    let len = CellRows::<F>::len(cells) + shared.n_groups + table + Positives::<F>::len(cells);
    scratch(len, |memory| {
        let (rows, rest) = memory.split_at_mut(CellRows::<F>::len(cells));
        let (group_theta, rest) = rest.split_at_mut(shared.n_groups);
        let (d_px_r, rest) = rest.split_at_mut(table);
        let mut rows = CellRows::new(rows, cells);
        let mut positives = Positives::new(rest, cells);
        vectorised(
            #[inline(always)]
            || {
                let genes = part.scale.len() / cells;
                for start in (0..genes).step_by(block) {
                    let end = (start + block).min(genes);
                    rows.set_factors(shared, &block_max[start / block * cells..][..cells]);
                    let d_px_r = &mut d_px_r[..(end - start) * shared.n_groups];
                    d_px_r.fill(F::ZERO);
                    one_block::<F, L, GRAD>(
                        shared,
                        &mut part,
                        start..end,
                        &mut rows,
                        &mut positives,
                        group_theta,
                        d_px_r,
                    );
                    if GRAD && let Some(px_r) = &mut part.px_r {
                        px_r.take(start * shared.n_groups, d_px_r);
                    }
                }
            },
        );
    });
}

/// Genes of one block: zeros gene by gene, the other counts gathered over genes.
#[inline(always)]
fn one_block<F: Real, L: Likelihood<F>, const GRAD: bool>(
    shared: &Shared<F>,
    part: &mut Part<F>,
    genes: std::ops::Range<usize>,
    rows: &mut CellRows<F>,
    positives: &mut Positives<F>,
    group_theta: &mut [F],
    d_px_r: &mut [F], // (genes, n_groups)
) {
    let groups = shared.n_groups;
    let mut gathered = genes.start;
    for gene in genes.clone() {
        if !positives.has_room(shared.gene_counts(part, gene).len()) {
            let d_px_r = &mut d_px_r[(gathered - genes.start) * groups..];
            positives.finish::<L, GRAD>(shared, part, gathered..gene, d_px_r);
            gathered = gene;
        }
        if L::HAS_THETA {
            rows.set_theta(shared, part, gene, group_theta);
        }
        positives.gather::<L>(shared, part, gene, rows);
        let d_px_r = &mut d_px_r[(gene - genes.start) * groups..][..groups];
        zeros::<F, L, GRAD>(shared, part, gene, rows, d_px_r);
    }
    let d_px_r = &mut d_px_r[(gathered - genes.start) * groups..];
    positives.finish::<L, GRAD>(shared, part, gathered..genes.end, d_px_r);
}
