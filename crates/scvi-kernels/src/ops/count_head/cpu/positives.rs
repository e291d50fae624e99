//! Counts above zero, gathered over genes into vectors of their own.

use super::cell_rows::CellRows;
use super::pass::{Block, Shared};
use crate::LANES;
use crate::counts::GeneCount;
use crate::ops::count_head::likelihood::{Likelihood, Params};
use crate::real::Real;

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
    /// ln Γ(x+θ) - ln Γ(θ) and its derivative
    gammas: [&'a mut [F]; 2],
}

impl<'a, F: Real> Positives<'a, F> {
    /// A gene has at most one count per cell, so room for two genes always takes one more.
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
        let (gamma, digamma) = rest.split_at_mut(room);
        Self { len: 0, x, mu, theta, pi, nll, gammas: [gamma, digamma] }
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
        let mut k = 0;
        for (d_px_r, gene) in d_px_r.chunks_mut(shared.columns.len()).zip(genes) {
            for count in &shared.counts.by_gene[shared.gene_counts(block, gene)] {
                let c = count.cell as usize;
                let at = gene * stride + c;
                block.nll[c] += self.nll[k];
                if GRAD {
                    block.grad[at] = self.mu[k];
                    block.sum[c] += self.mu[k];
                    if L::HAS_PI {
                        block.pi[at] = self.pi[k];
                    }
                    if L::HAS_THETA {
                        d_px_r[shared.columns.of(c)] += self.theta[k];
                    }
                }
                k += 1;
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
        let [gamma, digamma] = &mut self.gammas;
        if L::HAS_GAMMAS {
            gamma_row(&self.x[..n], &self.theta[..n], gamma, digamma);
        }
        positive_row::<F, L>(
            weight,
            &self.x[..n],
            gamma,
            digamma,
            self.mu,
            self.theta,
            self.pi,
            self.nll,
        );
    }
}

/// First vector loop of the gathered counts.
#[inline(always)]
fn gamma_row<F: Real>(x: &[F], theta: &[F], gamma: &mut [F], digamma: &mut [F]) {
    let n = x.len();
    let (theta, gamma, digamma) = (&theta[..n], &mut gamma[..n], &mut digamma[..n]);
    for k in 0..n {
        (gamma[k], digamma[k]) = F::ln_gamma_ratio(theta[k], x[k]);
    }
}

/// Second vector loop of the gathered counts; each buffer is an argument of its own, see
/// `zero_row`.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "every one is a row of counts")]
fn positive_row<F: Real, L: Likelihood<F>>(
    weight: F,
    x: &[F],
    gamma: &[F],
    digamma: &[F],
    mu: &mut [F],
    theta: &mut [F],
    pi: &mut [F],
    nll: &mut [F],
) {
    let n = x.len();
    let (gamma, digamma) = (&gamma[..n], &digamma[..n]);
    let (mu, theta) = (&mut mu[..n], &mut theta[..n]);
    let (pi, nll) = (&mut pi[..n], &mut nll[..n]);
    for k in 0..n {
        let params =
            Params { mu: mu[k], theta: theta[k], inv_theta: L::inverse(theta[k]), pi: pi[k] };
        let p = L::at_positive(x[k], params, (gamma[k], digamma[k]));
        nll[k] = p.nll;
        mu[k] = weight * p.ln_mu;
        theta[k] = weight * p.ln_theta;
        pi[k] = weight * p.pi;
    }
}
