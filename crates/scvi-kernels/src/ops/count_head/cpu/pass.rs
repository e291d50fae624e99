//! Second stage: likelihood and partial derivatives of a block of genes.

use super::CountHead;
use super::cell_rows::CellRows;
use super::positives::Positives;
use crate::LANES;
use crate::counts::CountsBatch;
use crate::cpu::Cpu;
use crate::ops::count_head::likelihood::{Likelihood, Nb, Params, Poisson, Zinb, log_ratio};
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

/// Every count of a gene as if it were zero. Where it is not, its exponential has been set to 0,
/// so that it adds nothing here.
#[inline(always)]
fn zeros<F: Real, L: Likelihood<F>, const GRAD: bool>(
    shared: &Shared<F>,
    part: &mut Part<F>,
    gene: usize,
    rows: &mut CellRows<F>,
    d_px_r: &mut [F], // (n_groups)
) {
    let n = rows.to_mean.len();
    let at = gene * n..(gene + 1) * n;
    let scale = &mut part.scale[at.clone()];
    let pi = if L::HAS_PI { &mut part.pi[at.clone()] } else { &mut [] };
    let [exp_a, exp_b] = &mut rows.exp;
    if L::HAS_THETA {
        log_row(scale, rows.to_mean, rows.inv_theta, rows.log);
    }
    if L::HAS_PI {
        exponential_row::<F, L>(rows.theta, pi, rows.log, exp_a, exp_b);
    }
    zero_row::<F, L, GRAD>(
        shared.weight,
        rows.to_scale,
        rows.to_mean,
        rows.theta,
        rows.inv_theta,
        rows.log,
        exp_a,
        exp_b,
        scale,
        pi,
        if GRAD { &mut part.grad[at] } else { &mut [] },
        rows.d_theta,
        part.nll,
        part.sum,
    );
    if GRAD && L::HAS_THETA {
        match shared.groups {
            None => d_px_r[0] = lane_sum(rows.d_theta),
            Some(groups) => {
                for (&group, &d) in groups.iter().zip(&*rows.d_theta) {
                    d_px_r[group as usize] += d;
                }
            }
        }
    }
}

/// First vector loop of [`zeros`].
#[inline(always)]
fn log_row<F: Real>(scale: &[F], to_mean: &[F], inv_theta: &[F], log: &mut [F]) {
    let n = log.len();
    let (scale, to_mean, inv_theta) = (&scale[..n], &to_mean[..n], &inv_theta[..n]);
    for i in 0..n {
        log[i] = log_ratio(scale[i] * to_mean[i], inv_theta[i]);
    }
}

/// Second vector loop of [`zeros`].
#[inline(always)]
fn exponential_row<F: Real, L: Likelihood<F>>(
    theta: &[F],
    pi: &[F],
    log: &[F],
    exp_a: &mut [F],
    exp_b: &mut [F],
) {
    let n = log.len();
    let (theta, pi) = (&theta[..n], &pi[..n]);
    let (exp_a, exp_b) = (&mut exp_a[..n], &mut exp_b[..n]);
    for i in 0..n {
        (exp_a[i], exp_b[i]) = L::exponentials(theta[i], pi[i], log[i]);
    }
}

/// Last vector loop of [`zeros`]. Each buffer is an argument of its own: that tells the compiler
/// that none overlaps another, and it need not look every time.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "see above; every one is a row of cells")]
fn zero_row<F: Real, L: Likelihood<F>, const GRAD: bool>(
    weight: F,
    to_scale: &[F],
    to_mean: &[F],
    theta: &[F],
    inv_theta: &[F],
    log: &[F],
    exp_a: &[F],
    exp_b: &[F],
    scale: &mut [F],
    pi: &mut [F],
    grad: &mut [F],
    d_theta: &mut [F],
    nll: &mut [F],
    sum: &mut [F],
) {
    let n = to_mean.len();
    let (to_scale, theta, inv_theta) = (&to_scale[..n], &theta[..n], &inv_theta[..n]);
    let (log, exp_a, exp_b) = (&log[..n], &exp_a[..n], &exp_b[..n]);
    let (scale, d_theta) = (&mut scale[..n], &mut d_theta[..n]);
    let (nll, sum) = (&mut nll[..n], &mut sum[..n]);
    let pi = &mut pi[..if L::HAS_PI { n } else { 0 }];
    let grad = &mut grad[..if GRAD { n } else { 0 }];
    for i in 0..n {
        let params = Params {
            mu: scale[i] * to_mean[i],
            theta: theta[i],
            inv_theta: inv_theta[i],
            pi: if L::HAS_PI { pi[i] } else { F::ZERO },
        };
        let p = L::at_zero(params, log[i], (exp_a[i], exp_b[i]));
        scale[i] *= to_scale[i];
        nll[i] += p.nll;
        if GRAD {
            let d = weight * p.ln_mu;
            grad[i] = d;
            sum[i] += d;
            if L::HAS_PI {
                pi[i] = weight * p.pi;
            }
            if L::HAS_THETA {
                d_theta[i] = weight * p.ln_theta;
            }
        }
    }
}

/// Sum in a fixed order that runs over vector lanes.
#[inline(always)]
pub(super) fn lane_sum<F: Real>(values: &[F]) -> F {
    let mut lanes = [F::ZERO; LANES];
    for chunk in values.chunks_exact(LANES) {
        for (lane, &v) in lanes.iter_mut().zip(chunk) {
            *lane += v;
        }
    }
    lanes.into_iter().sum()
}
