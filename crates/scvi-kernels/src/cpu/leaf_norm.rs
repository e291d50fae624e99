//! Batch normalisation over leaves.

use super::Cpu;
use crate::aligned::Aligned;
use crate::backend::{BatchNormKept, BatchNormState, LeafNormOps};
use crate::ops::batch_norm::{
    batch_norm_by_moments_cpu, batch_norm_grad_by_sums_cpu, batch_norm_moments_cpu,
    batch_norm_sums_cpu, combine_moments_cpu,
};
use crate::real::Real;

impl<F: Real> LeafNormOps for Cpu<F> {
    fn batch_norm_moments(
        &self,
        x: &Aligned<F>,
        dims: [usize; 2],
        [mean, squares]: [&mut Aligned<F>; 2],
    ) {
        batch_norm_moments_cpu(x, dims, [mean, squares]);
    }

    fn combine_moments(
        &self,
        [mean, squares]: [&mut Aligned<F>; 2],
        others: [&Aligned<F>; 2],
        cells: [usize; 2],
        features: usize,
    ) {
        combine_moments_cpu([mean, squares], others.map(|buf| &buf[..]), cells, features);
    }

    fn batch_norm_by_moments(
        &self,
        state: BatchNormState<Self>,
        moments: [&Aligned<F>; 2],
        n: usize,
        dims: [usize; 2],
        x: &mut Aligned<F>,
    ) {
        batch_norm_by_moments_cpu(state, moments.map(|buf| &buf[..]), n, dims, x);
    }

    fn batch_norm_sums(
        &self,
        kept: BatchNormKept<Self>,
        dims: [usize; 2],
        dy: &Aligned<F>,
        [dgamma, dbeta]: [&mut Aligned<F>; 2],
    ) {
        batch_norm_sums_cpu(kept, dims, dy, [dgamma, dbeta]);
    }

    fn batch_norm_grad_by_sums(
        &self,
        kept: BatchNormKept<Self>,
        gamma: &Aligned<F>,
        sums: [&Aligned<F>; 2],
        n: usize,
        dims: [usize; 2],
        dy: &mut Aligned<F>,
    ) {
        batch_norm_grad_by_sums_cpu(kept, gamma, sums.map(|buf| &buf[..]), n, dims, dy);
    }
}
