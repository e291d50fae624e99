//! Second stage: likelihood and partial derivatives of a block of genes.

use std::ops::Range;

use super::CountHead;
use super::cell_rows::CellRows;
use super::dispersion::{Columns, PxR};
use super::positives::Positives;
use super::zeros::zeros;
use crate::counts::CountsBatch;
use crate::cpu::Cpu;
use crate::ops::count_head::likelihood::{Likelihood, Nb, Normal, Poisson, Zinb};
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
    /// of px_r
    pub(super) columns: Columns<'a>,
    /// dL/dnll of a cell
    pub(super) weight: F,
}

impl<F: Real> Shared<'_, F> {
    /// Where the counts of a part's gene stand in the minibatch's arrays by gene.
    #[inline(always)]
    pub(super) fn gene_counts(&self, part: &Part<F>, gene: usize) -> Range<usize> {
        let gene = part.first + gene;
        self.counts.gene_ptr[gene]..self.counts.gene_ptr[gene + 1]
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
    let constants = pass.likelihood.of_counts().then_some(&pass.counts.ln_factorials);
    stages(head, &pass, dispersion, d);
    // Without gradients the decoder's outputs stay as they are, to be held to other counts.
    head.is_scaled = pass.grad_weight.is_some();
    let cells = padded(d.cells);
    for c in 0..d.cells {
        nll[c] = (0..head.partition.n_parts).map(|p| head.part_nll[p * cells + c]).sum::<F>();
        nll[c] += constants.map_or(F::ZERO, |ln_factorials| ln_factorials[c]);
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
        };
        let max = &block_max[range.start * p.blocks_per_part * cells..];
        one_part::<F, L, GRAD>(&shared, part, px_r, max, p.block, cells);
    });
}

fn one_part<F: Real, L: Likelihood<F>, const GRAD: bool>(
    shared: &Shared<F>,
    mut part: Part<F>,
    mut px_r: PxR<F>,
    block_max: &[F],
    block: usize,
    cells: usize,
) {
    part.nll.fill(F::ZERO);
    part.sum.fill(F::ZERO);
    let [groups, table] = shared.columns.memory(block);
    let len = CellRows::<F>::len(cells) + groups + table + Positives::<F>::len(cells);
    scratch(len, |memory| {
        let (rows, rest) = memory.split_at_mut(CellRows::<F>::len(cells));
        let (group_theta, rest) = rest.split_at_mut(groups);
        let (table, rest) = rest.split_at_mut(table);
        let mut rows = CellRows::new(rows, cells);
        let mut positives = Positives::new(rest, cells);
        vectorised(
            #[inline(always)]
            || {
                let genes = part.scale.len() / cells;
                for start in (0..genes).step_by(block) {
                    let genes = start..(start + block).min(genes);
                    rows.set_factors(shared, &block_max[start / block * cells..][..cells]);
                    px_r.block::<GRAD>(
                        genes.clone(),
                        shared.columns.len(),
                        table,
                        #[inline(always)]
                        |px_r| {
                            one_block::<F, L, GRAD>(
                                shared,
                                &mut part,
                                genes,
                                &mut rows,
                                &mut positives,
                                group_theta,
                                px_r,
                            );
                        },
                    );
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
    genes: Range<usize>,
    rows: &mut CellRows<F>,
    positives: &mut Positives<F>,
    group_theta: &mut [F],
    px_r: &mut [F], // px_r in, its gradient out: (genes, columns)
) {
    let columns = shared.columns.len();
    let mut gathered = genes.start;
    for gene in genes.clone() {
        if !positives.has_room(shared.gene_counts(part, gene).len()) {
            let d_px_r = &mut px_r[(gathered - genes.start) * columns..];
            positives.finish::<L, GRAD>(shared, part, gathered..gene, d_px_r);
            gathered = gene;
        }
        let px_r = &mut px_r[(gene - genes.start) * columns..][..columns];
        if L::HAS_THETA {
            rows.set_theta::<L>(shared.columns, px_r, group_theta);
        }
        positives.gather::<L, GRAD>(shared, part, gene, rows);
        zeros::<F, L, GRAD>(shared, part, gene, rows);
        if GRAD && L::HAS_THETA {
            shared.columns.put_gradient(rows.d_theta, px_r);
        }
    }
    let d_px_r = &mut px_r[(gathered - genes.start) * columns..];
    positives.finish::<L, GRAD>(shared, part, gathered..genes.end, d_px_r);
}
