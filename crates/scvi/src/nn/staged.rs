//! From staged gradients to the optimizer's step: masks, clipping, Adam.

use scvi_kernels::Backend;

use super::tensors::TensorsMut;
use super::update::{GradientClip, OptimizerStep};

/// Clips and applies every gradient that was staged; `sum` is a buffer of one number.
pub(crate) fn apply_staged<B: Backend>(
    backend: &B,
    step: &OptimizerStep<B::Elem>,
    mut tensors: TensorsMut<B>,
    sum: &mut B::Buf,
) {
    if let Some(GradientClip::Norm(_)) = step.clip {
        let mut accumulate = false;
        for param in tensors.iter_mut().flat_map(|tensor| tensor.params()) {
            accumulate |= param.add_squares(backend, sum, accumulate);
        }
    }
    for param in tensors.iter_mut().flat_map(|tensor| tensor.params()) {
        param.step_staged(backend, step, sum);
    }
}
