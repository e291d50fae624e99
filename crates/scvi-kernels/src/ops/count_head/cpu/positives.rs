//! Counts above zero, gathered over genes into vectors of their own.

use super::cell_rows::CellRows;
use super::pass::{Block, Shared};
use crate::LANES;
use crate::counts::GeneCount;
use crate::ops::count_head::likelihood::{Likelihood, Params};
use crate::real::{Real, Saturated};

/// Gathered counts at least.
const MIN_ROOM: usize = 512;

/// Counts of consecutive genes, in the order of the minibatch's arrays by gene.
pub(super) struct Positives<'a, F> {
    len: usize,
    x: &'a mut [F],
    /// μ in, dL / d ln μ out
    mu: &'a mut [F],
    /// θ in, dL / d ln θ out
    theta: &'a mut [F],
    /// π in, dL / dπ out
    pi: &'a mut [F],
    nll: &'a mut [F],
    /// the saturated model's
    saturated: [&'a mut [F]; 2],
}

impl<'a, F: Real> Positives<'a, F> {
    /// A gene has at most one count per cell, so a buffer for two genes always takes one more.
    fn room(cells: usize) -> usize {
        (2 * cells).max(MIN_ROOM)
    }

    /// How much memory the vectors take.
    pub(super) fn len(cells: usize) -> usize {
        7 * Self::room(cells)
    }

    pub(super) fn new(memory: &'a mut [F], cells: usize) -> Self {
        let room = Self::room(cells);
        let (x, rest) = memory.split_at_mut(room);
        let (mu, rest) = rest.split_at_mut(room);
        let (theta, rest) = rest.split_at_mut(room);
        let (pi, rest) = rest.split_at_mut(room);
        let (nll, rest) = rest.split_at_mut(room);
        let (saturated, slope) = rest.split_at_mut(room);
        Self { len: 0, x, mu, theta, pi, nll, saturated: [saturated, slope] }
    }

    pub(super) fn has_room(&self, counts: usize) -> bool {
        self.len + counts <= self.x.len()
    }

    /// Takes a gene's counts out of its row of means, where 0 is left.
    #[inline(always)]
    pub(super) fn gather<L: Likelihood<F>>(
        &mut self,
        shared: &Shared<F>,
        block: &Block<F>,
        gene: usize,
        rows: &mut CellRows<F>,
    ) {
        let stride = rows.mu.len();
        let pi = if L::HAS_PI { &block.pi[gene * stride..][..stride] } else { &[] };
        let counts = &shared.counts.by_gene[shared.gene_counts(block, gene)];
        let to = self.len..self.len + counts.len();
        let to_x = self.x[to.clone()].iter_mut().zip(&mut self.mu[to.clone()]);
        let to_params = self.theta[to.clone()].iter_mut().zip(&mut self.pi[to]);
        for (&GeneCount { cell, count, .. }, ((x, mu), (theta, to_pi))) in
            counts.iter().zip(to_x.zip(to_params))
        {
            let c = cell as usize;
            *x = count;
            *mu = std::mem::replace(&mut rows.mu[c], F::ZERO);
            *theta = rows.theta[c];
            if L::HAS_PI {
                *to_pi = pi[c];
            }
        }
        self.len += counts.len();
    }

    /// Likelihood and derivatives of the gathered counts, put where they belong.
    #[inline(always)]
    pub(super) fn finish<L: Likelihood<F>, const GRAD: bool>(
        &mut self,
        shared: &Shared<F>,
        block: &mut Block<F>,
        genes: std::ops::Range<usize>,
        d_px_r: &mut [F], // (genes, columns)
    ) {
        self.evaluate::<L>(shared.weight);
        let stride = block.nll.len();
        let mut taken = 0;
        for (d_px_r, gene) in d_px_r.chunks_mut(shared.columns.len()).zip(genes) {
            let counts = &shared.counts.by_gene[shared.gene_counts(block, gene)];
            let of_gene = taken..taken + counts.len();
            taken = of_gene.end;
            let (nll, d_mu) = (&self.nll[of_gene.clone()], &self.mu[of_gene.clone()]);
            let (d_theta, d_pi) = (&self.theta[of_gene.clone()], &self.pi[of_gene]);
            for (k, count) in counts.iter().enumerate() {
                let c = count.cell as usize;
                block.nll[c] += nll[k];
                if GRAD {
                    block.grad[gene * stride + c] = d_mu[k];
                    block.sum[c] += d_mu[k];
                    if L::HAS_PI {
                        block.pi[gene * stride + c] = d_pi[k];
                    }
                }
            }
            if GRAD && L::HAS_THETA {
                shared.columns.add_gradient(counts, d_theta, d_px_r);
            }
        }
        self.len = 0;
    }

    #[inline(always)]
    fn evaluate<L: Likelihood<F>>(&mut self, weight: F) {
        let n = self.len.div_ceil(LANES) * LANES;
        let n = n.min(self.x.len());
        // Harmless values in the lanes that fill the last vector.
        for k in self.len..n {
            (self.x[k], self.mu[k], self.theta[k], self.pi[k]) = (F::ONE, F::ONE, F::ONE, F::ZERO);
        }
        let [saturated, slope] = &mut self.saturated;
        if L::OF_COUNTS {
            saturated_row::<F, L>(&self.x[..n], &self.theta[..n], saturated, slope);
            if self.x[..n].iter().fold(false, |any, &x| any | (x < F::ONE)) {
                below_one_row::<F, L>(&self.x[..n], &self.theta[..n], saturated, slope);
            }
        }
        positive_row::<F, L>(
            weight,
            &self.x[..n],
            saturated,
            slope,
            self.mu,
            self.theta,
            self.pi,
            self.nll,
        );
    }
}

/// First vector loop of the gathered counts.
#[inline(always)]
fn saturated_row<F: Real, L: Likelihood<F>>(
    x: &[F],
    theta: &[F],
    saturated: &mut [F],
    slope: &mut [F],
) {
    let n = x.len();
    let (theta, saturated, slope) = (&theta[..n], &mut saturated[..n], &mut slope[..n]);
    for k in 0..n {
        let of = L::saturated(x[k], theta[k]);
        (saturated[k], slope[k]) = (of.nll, of.ln_theta);
    }
}

/// The same for values between 0 and 1, where there are any: no count is one.
#[inline(always)]
fn below_one_row<F: Real, L: Likelihood<F>>(
    x: &[F],
    theta: &[F],
    saturated: &mut [F],
    slope: &mut [F],
) {
    let n = x.len();
    let (theta, saturated, slope) = (&theta[..n], &mut saturated[..n], &mut slope[..n]);
    for k in 0..n {
        let of = L::saturated_below_one(x[k], theta[k]);
        let below = x[k] < F::ONE;
        saturated[k] = if below { of.nll } else { saturated[k] };
        slope[k] = if below { of.ln_theta } else { slope[k] };
    }
}

/// Second vector loop of the gathered counts; each buffer is an argument of its own, see
/// `zero_row`.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "every one is a row of counts")]
fn positive_row<F: Real, L: Likelihood<F>>(
    weight: F,
    x: &[F],
    saturated: &[F],
    slope: &[F],
    mu: &mut [F],
    theta: &mut [F],
    pi: &mut [F],
    nll: &mut [F],
) {
    let n = x.len();
    let (saturated, slope) = (&saturated[..n], &slope[..n]);
    let (mu, theta) = (&mut mu[..n], &mut theta[..n]);
    let (pi, nll) = (&mut pi[..n], &mut nll[..n]);
    for k in 0..n {
        let params =
            Params { mu: mu[k], theta: theta[k], inv_theta: L::inverse(theta[k]), pi: pi[k] };
        let saturated = Saturated { nll: saturated[k], ln_theta: slope[k] };
        let p = L::at_positive(x[k], params, saturated);
        nll[k] = p.nll;
        mu[k] = weight * p.ln_mu;
        theta[k] = weight * p.ln_theta;
        pi[k] = weight * p.pi;
    }
}
