//! From staged gradients to the optimizer's step: masks, clipping, Adam.

use scvi_kernels::Backend;

use super::reduce::reduce;
use super::tensors::TensorsMut;
use super::update::{GradientClip, OptimizerStep};
use crate::comm::LeafShare;

/// Adds up the gradients that each parameter has staged on all workers, clips and applies them; `sum` is a buffer of
/// one number.
pub(crate) fn apply_staged<B: Backend>(
    backend: &B,
    step: &OptimizerStep<B::Elem>,
    mut tensors: TensorsMut<B>,
    sum: &mut B::Buf,
    share: LeafShare,
) {
    let params = tensors.iter_mut().flat_map(|tensor| tensor.params());
    let mut staged: Vec<_> = match share.is_solo() {
        true => params.filter_map(|p| p.take_staged(backend).then_some(p)).collect(),
        false => reduce(backend, params.collect(), share),
    };
    if let Some(GradientClip::Norm(_)) = step.clip {
        for (i, param) in staged.iter_mut().enumerate() {
            param.add_squares(backend, sum, i > 0);
        }
    }
    staged.into_iter().for_each(|param| param.step(backend, step, sum));
}

/// Adds up the gradients that each parameter has staged, and keeps the sum for whoever reads it.
pub(crate) fn keep_staged<B: Backend>(backend: &B, mut tensors: TensorsMut<B>) {
    for param in tensors.iter_mut().flat_map(|tensor| tensor.params()) {
        param.take_staged(backend);
    }
}
