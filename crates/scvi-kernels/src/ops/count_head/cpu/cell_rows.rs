//! Scratch rows, one number a cell, that a gene's counts share.

use super::dispersion::Columns;
use super::pass::Shared;
use crate::ops::count_head::likelihood::Likelihood;
use crate::real::Real;

/// Rows of `(cells)` numbers.
pub(super) struct CellRows<'a, F> {
    /// ρ / (the stored exponential), for the block at hand
    pub(super) to_scale: &'a mut [F],
    /// μ / (the stored exponential)
    pub(super) to_mean: &'a mut [F],
    pub(super) theta: &'a mut [F],
    pub(super) inv_theta: &'a mut [F],
    /// dL / d ln θ
    pub(super) d_theta: &'a mut [F],
    /// the likelihood's logarithm
    pub(super) log: &'a mut [F],
    /// the likelihood's exponentials
    pub(super) exp: [&'a mut [F]; 2],
}

impl<'a, F: Real> CellRows<'a, F> {
    /// How much memory the rows take.
    pub(super) fn len(cells: usize) -> usize {
        8 * cells
    }

    pub(super) fn new(memory: &'a mut [F], cells: usize) -> Self {
        // Padding lanes keep θ = 1 and factors of 0 throughout: they add nothing anywhere.
        memory.fill(F::ZERO);
        let (to_scale, rest) = memory.split_at_mut(cells);
        let (to_mean, rest) = rest.split_at_mut(cells);
        let (theta, rest) = rest.split_at_mut(cells);
        let (inv_theta, rest) = rest.split_at_mut(cells);
        let (d_theta, rest) = rest.split_at_mut(cells);
        let (log, rest) = rest.split_at_mut(cells);
        let (exp_a, exp_b) = rest.split_at_mut(cells);
        theta.fill(F::ONE);
        inv_theta.fill(F::ONE);
        Self { to_scale, to_mean, theta, inv_theta, d_theta, log, exp: [exp_a, exp_b] }
    }

    /// A block's logits were taken relative to their maximum: put the softmax's sum in its place.
    #[inline(always)]
    pub(super) fn set_factors(&mut self, shared: &Shared<F>, block_max: &[F]) {
        let cells = block_max.iter().zip(shared.log_sum).zip(shared.library);
        let factors = self.to_scale.iter_mut().zip(self.to_mean.iter_mut());
        for ((to_scale, to_mean), ((&max, &log_sum), &library)) in factors.zip(cells) {
            let log_scale = max - log_sum;
            *to_scale = log_scale.exp();
            *to_mean = (log_scale + library).exp();
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
