//! Scratch rows, one number a cell, that a gene's counts share.

use super::dispersion::Columns;
use super::pass::Shared;
use crate::ops::count_head::likelihood::Likelihood;
use crate::real::Real;

/// Rows of `(cells)` numbers.
pub(super) struct CellRows<'a, F> {
    /// μ / (the stored exponential), for the block at hand
    pub(super) to_mean: &'a mut [F],
    /// μ of the gene at hand, or 0 where its count is not
    pub(super) mu: &'a mut [F],
    pub(super) theta: &'a mut [F],
    pub(super) inv_theta: &'a mut [F],
    /// dL / d ln θ
    pub(super) d_theta: &'a mut [F],
    /// the likelihood's logarithms
    pub(super) log: &'a mut [F],
    pub(super) near_one: &'a mut [F],
    /// product of the likelihood's factors over genes
    pub(super) factors: &'a mut [F],
    /// the likelihood's exponentials
    pub(super) exp: [&'a mut [F]; 2],
}

impl<'a, F: Real> CellRows<'a, F> {
    /// How much memory the rows take.
    pub(super) fn len(cells: usize) -> usize {
        10 * cells
    }

    pub(super) fn new(memory: &'a mut [F], cells: usize) -> Self {
        // Padding lanes keep θ = 1 and factors of 0 throughout: they add nothing anywhere.
        memory.fill(F::ZERO);
        let (to_mean, rest) = memory.split_at_mut(cells);
        let (mu, rest) = rest.split_at_mut(cells);
        let (theta, rest) = rest.split_at_mut(cells);
        let (inv_theta, rest) = rest.split_at_mut(cells);
        let (d_theta, rest) = rest.split_at_mut(cells);
        let (log, rest) = rest.split_at_mut(cells);
        let (near_one, rest) = rest.split_at_mut(cells);
        let (factors, rest) = rest.split_at_mut(cells);
        let (exp_a, exp_b) = rest.split_at_mut(cells);
        factors.fill(F::ONE);
        theta.fill(F::ONE);
        inv_theta.fill(F::ONE);
        let exp = [exp_a, exp_b];
        Self { to_mean, mu, theta, inv_theta, d_theta, log, near_one, factors, exp }
    }

    /// A block's logits were taken relative to their maximum: put the softmax's sum in its place.
    #[inline(always)]
    pub(super) fn set_factors(&mut self, shared: &Shared<F>, block_max: &[F]) {
        let cells = block_max.iter().zip(shared.log_sum).zip(shared.library);
        for (to_mean, ((&max, &log_sum), &library)) in self.to_mean.iter_mut().zip(cells) {
            *to_mean = (max - log_sum + library).exp();
        }
    }

    /// μ of one gene, cell by cell.
    #[inline(always)]
    pub(super) fn set_mean(&mut self, stored: &[F]) {
        let n = self.mu.len();
        let (stored, to_mean) = (&stored[..n], &self.to_mean[..n]);
        for i in 0..n {
            self.mu[i] = stored[i] * to_mean[i];
        }
    }

    /// Takes the logarithm of the factors' products out of `nll`.
    #[inline(always)]
    pub(super) fn take_factors(&mut self, nll: &mut [F]) {
        for (nll, factors) in nll.iter_mut().zip(&mut *self.factors) {
            *nll -= factors.ln();
            *factors = F::ONE;
        }
    }

    /// θ of one gene, cell by cell.
    #[inline(always)]
    pub(super) fn set_theta<L: Likelihood<F>>(
        &mut self,
        columns: Columns,
        px_r: &[F],
        group_theta: &mut [F],
    ) {
        columns.theta::<F, L>(px_r, group_theta, self.theta, self.inv_theta);
    }
}

/// What turns a block's exponentials into shares, cell by cell.
#[inline(always)]
pub(super) fn share_factors<F: Real>(block_max: &[F], log_sum: &[F], factors: &mut [F]) {
    for (factor, (&max, &log_sum)) in factors.iter_mut().zip(block_max.iter().zip(log_sum)) {
        *factor = (max - log_sum).exp();
    }
}
