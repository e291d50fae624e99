//! Batch normalisation of a minibatch that falls into leaves.

use super::{BatchNormKept, BatchNormState, Device};

/// The steps of a batch normalisation over several leaves: sums over each, their combination, and
/// what becomes of each leaf. See [`crate::ops::batch_norm`].
pub trait LeafNormOps: Device {
    /// Mean and Σ (x - mean)² of each feature over one leaf: `(features)` each.
    fn batch_norm_moments(&self, x: &Self::Buf, dims: [usize; 2], moments: [&mut Self::Buf; 2]);
    /// The moments of `cells[0]` and `cells[1]` cells together, in the place of the first.
    fn combine_moments(
        &self,
        moments: [&mut Self::Buf; 2],
        others: [&Self::Buf; 2],
        cells: [usize; 2],
        features: usize,
    );
    /// Normalises one leaf by the moments of the whole minibatch of `n` cells.
    fn batch_norm_by_moments(
        &self,
        state: BatchNormState<Self>,
        moments: [&Self::Buf; 2],
        n: usize,
        dims: [usize; 2],
        x: &mut Self::Buf,
    );
    /// Σ dy x̂ and Σ dy over one leaf: `(features)` each.
    fn batch_norm_sums(
        &self,
        kept: BatchNormKept<Self>,
        dims: [usize; 2],
        dy: &Self::Buf,
        sums: [&mut Self::Buf; 2],
    );
    /// The gradient of one leaf's input, in the place of `dy`, by the sums over the whole minibatch
    /// of `n` cells.
    fn batch_norm_grad_by_sums(
        &self,
        kept: BatchNormKept<Self>,
        gamma: &Self::Buf,
        sums: [&Self::Buf; 2],
        n: usize,
        dims: [usize; 2],
        dy: &mut Self::Buf,
    );
}
