//! Normalisation over leaves, handed on.

use scvi::Backend;
use scvi_kernels::{BatchNormKept, BatchNormState, LeafNormOps};

use super::{Counting, convert};

impl<B: Backend> LeafNormOps for Counting<B> {
    fn batch_norm_moments(&self, x: &B::Buf, dims: [usize; 2], moments: [&mut B::Buf; 2]) {
        self.inner.batch_norm_moments(x, dims, moments);
    }

    fn combine_moments(
        &self,
        moments: [&mut B::Buf; 2],
        others: [&B::Buf; 2],
        cells: [usize; 2],
        features: usize,
    ) {
        self.inner.combine_moments(moments, others, cells, features);
    }

    fn batch_norm_by_moments(
        &self,
        state: BatchNormState<Self>,
        moments: [&B::Buf; 2],
        n: usize,
        dims: [usize; 2],
        x: &mut B::Buf,
    ) {
        self.inner.batch_norm_by_moments(convert::norm_train(state), moments, n, dims, x);
    }

    fn batch_norm_sums(
        &self,
        kept: BatchNormKept<Self>,
        dims: [usize; 2],
        dy: &B::Buf,
        sums: [&mut B::Buf; 2],
    ) {
        self.inner.batch_norm_sums(convert::norm_kept(kept), dims, dy, sums);
    }

    fn batch_norm_grad_by_sums(
        &self,
        kept: BatchNormKept<Self>,
        gamma: &B::Buf,
        sums: [&B::Buf; 2],
        n: usize,
        dims: [usize; 2],
        dy: &mut B::Buf,
    ) {
        self.inner.batch_norm_grad_by_sums(convert::norm_kept(kept), gamma, sums, n, dims, dy);
    }
}
