//! `BatchNorm1d` with scVI's momentum and ε.

use scvi_kernels::ops::count_head::HeadDims;
use scvi_kernels::{Backend, BatchNormEval, BatchNormKept, BatchNormState, GradSink, Real};

use super::tensors::{NamedTensor, RunningMoment, Tensors, TensorsMut};
use super::{Param, Update};

/// Weight of a minibatch in the running moments (scvi-tools 1.4.2, `nn/_base_components.py`).
const MOMENTUM: f64 = 0.01;
/// Added to the variance (same place).
const EPS: f64 = 1e-3;

/// Batch normalisation of `features` hidden units; the formula is in
/// [`scvi_kernels::ops::batch_norm`].
#[derive(Clone)]
pub(crate) struct BatchNorm<B: Backend> {
    gamma: Param<B>,
    beta: Param<B>,
    running_mean: RunningMoment<B>,
    running_var: RunningMoment<B>,
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

    /// Of a head, which has a feature a gene.
    pub(crate) fn of_head(backend: &B, dims: HeadDims) -> Self {
        Self { normalised: backend.head_normalised(dims), inv_std: backend.zeros(dims.genes) }
    }

    pub(crate) fn kept(&self) -> BatchNormKept<'_, B> {
        BatchNormKept { normalised: &self.normalised, inv_std: &self.inv_std }
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
            running_mean: RunningMoment { values: backend.zeros(features), frozen: false },
            running_var: RunningMoment { values: running_var, frozen: false },
            features,
        }
    }

    /// What normalising by the minibatch reads, updates and keeps.
    pub(crate) fn train<'a>(
        &'a mut self,
        kept: &'a mut BatchNormActivations<B>,
    ) -> BatchNormState<'a, B> {
        BatchNormState {
            gamma: &self.gamma.value,
            beta: &self.beta.value,
            momentum: if self.running_var.frozen { 0.0 } else { MOMENTUM },
            running_mean: &mut self.running_mean.values,
            running_var: &mut self.running_var.values,
            eps: EPS,
            normalised: &mut kept.normalised,
            inv_std: &mut kept.inv_std,
        }
    }

    /// What normalising by the running moments reads.
    pub(crate) fn eval(&self) -> BatchNormEval<'_, B> {
        BatchNormEval {
            gamma: &self.gamma.value,
            beta: &self.beta.value,
            running_mean: &self.running_mean.values,
            running_var: &self.running_var.values,
            eps: EPS,
        }
    }

    /// Where the gradients of γ and β go.
    pub(crate) fn sinks(&mut self, backend: &B, update: Update<B::Elem>) -> [GradSink<'_, B>; 2] {
        [self.gamma.sink(backend, update), self.beta.sink(backend, update)]
    }

    pub(crate) fn forward_train(
        &mut self,
        backend: &B,
        x: &mut B::Buf,
        kept: &mut BatchNormActivations<B>,
        cells: usize,
    ) {
        let dims = [cells, self.features];
        backend.batch_norm_train(self.train(kept), dims, x);
    }

    pub(crate) fn forward_eval(&self, backend: &B, x: &mut B::Buf, cells: usize) {
        backend.batch_norm_eval(self.eval(), [cells, self.features], x);
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
        let dims = [cells, self.features];
        let [gamma, beta] = self.sinks(backend, update);
        backend.batch_norm_grad(kept.kept(), dims, dy, gamma, beta);
    }

    /// Factor of each feature in evaluation mode, γ/√(running variance + ε): `(features)`.
    pub(crate) fn factors(&self, backend: &B) -> Vec<B::Elem> {
        let gamma = backend.download(&self.gamma.value, self.features);
        let var = backend.download(&self.running_var.values, self.features);
        gamma.into_iter().zip(var).map(|(g, v)| g / (v + B::Elem::of(EPS)).sqrt()).collect()
    }

    /// Every parameter, without names.
    pub(super) fn for_each_param(&mut self, f: &mut dyn FnMut(&mut Param<B>)) {
        [&mut self.gamma, &mut self.beta].into_iter().for_each(f);
    }

    pub(super) fn tensors(&self, prefix: &str) -> Tensors<'_, B> {
        let Self { gamma, beta, running_mean, running_var, features } = self;
        named(prefix, *features, [gamma, beta], [running_mean, running_var])
    }

    pub(super) fn tensors_mut(&mut self, prefix: &str) -> TensorsMut<'_, B> {
        let Self { gamma, beta, running_mean, running_var, features } = self;
        named(prefix, *features, [gamma, beta], [running_mean, running_var])
    }
}

fn named<P, M>(
    prefix: &str,
    n: usize,
    [weight, bias]: [P; 2],
    [mean, var]: [M; 2],
) -> Vec<NamedTensor<P, M>> {
    vec![
        NamedTensor::param(format!("{prefix}.weight"), &[n], weight),
        NamedTensor::param(format!("{prefix}.bias"), &[n], bias),
        NamedTensor::moment(format!("{prefix}.running_mean"), n, mean),
        NamedTensor::moment(format!("{prefix}.running_var"), n, var),
    ]
}
