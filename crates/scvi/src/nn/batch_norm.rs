//! `BatchNorm1d` with scVI's momentum and ε.

use scvi_kernels::{Backend, BatchNormEval, BatchNormKept, BatchNormState, Real};

use super::state::{StateError, StateVisitor};
use super::{Param, Update};

/// Weight of a minibatch in the running moments (scvi-tools 1.4.2, `nn/_base_components.py`).
const MOMENTUM: f64 = 0.01;
/// Added to the variance (same place).
const EPS: f64 = 1e-3;

/// Batch normalisation of `features` hidden units; the formula is in
/// [`scvi_kernels::ops::batch_norm`].
pub(crate) struct BatchNorm<B: Backend> {
    gamma: Param<B>,
    beta: Param<B>,
    running_mean: B::Buf,
    running_var: B::Buf,
    features: usize,
}

/// What the gradient needs of a forward pass.
pub(crate) struct BatchNormActivations<B: Backend> {
    normalised: B::Buf, // (cells, features)
    inv_std: B::Buf,    // (features)
}

impl<B: Backend> BatchNormActivations<B> {
    pub(crate) fn new(backend: &B, max_cells: usize, features: usize) -> Self {
        Self { normalised: backend.zeros(max_cells * features), inv_std: backend.zeros(features) }
    }
}

impl<B: Backend> BatchNorm<B> {
    pub(crate) fn new(backend: &B, features: usize) -> Self {
        let ones = vec![B::Elem::ONE; features];
        let mut running_var = backend.zeros(features);
        backend.upload(&mut running_var, &ones);
        Self {
            gamma: Param::new(backend, &ones),
            beta: Param::new(backend, &vec![B::Elem::ZERO; features]),
            running_mean: backend.zeros(features),
            running_var,
            features,
        }
    }

    pub(crate) fn forward_train(
        &mut self,
        backend: &B,
        x: &mut B::Buf,
        kept: &mut BatchNormActivations<B>,
        cells: usize,
    ) {
        let state = BatchNormState {
            gamma: &self.gamma.value,
            beta: &self.beta.value,
            running_mean: &mut self.running_mean,
            running_var: &mut self.running_var,
            momentum: MOMENTUM,
            eps: EPS,
            normalised: &mut kept.normalised,
            inv_std: &mut kept.inv_std,
        };
        backend.batch_norm_train(state, [cells, self.features], x);
    }

    pub(crate) fn forward_eval(&self, backend: &B, x: &mut B::Buf, cells: usize) {
        let affine = BatchNormEval {
            gamma: &self.gamma.value,
            beta: &self.beta.value,
            running_mean: &self.running_mean,
            running_var: &self.running_var,
            eps: EPS,
        };
        backend.batch_norm_eval(affine, [cells, self.features], x);
    }

    /// `dy` becomes the gradient of the input.
    pub(crate) fn backward(
        &mut self,
        backend: &B,
        kept: &BatchNormActivations<B>,
        dy: &mut B::Buf,
        cells: usize,
        update: Update<B::Elem>,
    ) {
        let kept = BatchNormKept { normalised: &kept.normalised, inv_std: &kept.inv_std };
        let (gamma, beta) = (self.gamma.sink(backend, update), self.beta.sink(backend, update));
        backend.batch_norm_grad(kept, [cells, self.features], dy, gamma, beta);
    }

    pub(crate) fn visit(
        &mut self,
        prefix: &str,
        visitor: &mut impl StateVisitor<B>,
    ) -> Result<(), StateError> {
        let n = self.features;
        visitor.param(&format!("{prefix}.weight"), &[n], &mut self.gamma)?;
        visitor.param(&format!("{prefix}.bias"), &[n], &mut self.beta)?;
        visitor.buffer(&format!("{prefix}.running_mean"), n, &mut self.running_mean)?;
        visitor.buffer(&format!("{prefix}.running_var"), n, &mut self.running_var)
    }
}
