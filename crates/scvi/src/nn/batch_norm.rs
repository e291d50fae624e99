//! `BatchNorm1d` with scVI's momentum and ε.

use scvi_kernels::ops::count_head::HeadDims;
use scvi_kernels::ops::linear::LinearDims;
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
    /// Of a minibatch in leaves, the moments, then the gradient's sums: `(features)` each.
    sums: [B::Buf; 2],
}

/// One leaf of what is normalised.
pub(super) struct NormLeaf<'a, B: Backend> {
    /// x, which becomes y; on the way back dy, which becomes dx: `(cells, features)`.
    pub(super) x: &'a mut B::Buf,
    pub(super) kept: &'a mut BatchNormActivations<B>,
    pub(super) cells: usize,
}

impl<B: Backend> BatchNormActivations<B> {
    pub(crate) fn new(backend: &B, max_cells: usize, features: usize) -> Self {
        let of_features = || backend.zeros(features);
        Self {
            normalised: backend.zeros(max_cells * features),
            inv_std: of_features(),
            sums: [of_features(), of_features()],
        }
    }

    /// Of a head, which has a feature a gene.
    pub(crate) fn of_head(backend: &B, dims: HeadDims) -> Self {
        let inv_std = backend.zeros(dims.genes);
        let sums = [backend.zeros(0), backend.zeros(0)];
        Self { normalised: backend.head_normalised(dims), inv_std, sums }
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
        self.state(&mut kept.normalised, &mut kept.inv_std)
    }

    fn state<'a>(
        &'a mut self,
        normalised: &'a mut B::Buf,
        inv_std: &'a mut B::Buf,
    ) -> BatchNormState<'a, B> {
        BatchNormState {
            gamma: &self.gamma.value,
            beta: &self.beta.value,
            momentum: if self.running_var.frozen { 0.0 } else { MOMENTUM },
            running_mean: &mut self.running_mean.values,
            running_var: &mut self.running_var.values,
            eps: EPS,
            normalised,
            inv_std,
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

    /// The same by the moments of all leaves together.
    pub(super) fn forward_train_leaves(&mut self, backend: &B, leaves: &mut [NormLeaf<B>]) {
        if let [NormLeaf { x, kept, cells }] = leaves {
            return self.forward_train(backend, x, kept, *cells);
        }
        let n_features = self.features;
        for NormLeaf { x, kept, cells } in &mut *leaves {
            let [mean, squares] = &mut kept.sums;
            backend.batch_norm_moments(x, [*cells, n_features], [mean, squares]);
        }
        combine(leaves, |[mean, squares], others, cells| {
            backend.combine_moments([mean, squares], others.each_ref(), cells, n_features);
        });
        share(backend, leaves, n_features);
        let n = leaves.iter().map(|leaf| leaf.cells).sum();
        for (i, NormLeaf { x, kept, cells }) in leaves.iter_mut().enumerate() {
            let BatchNormActivations { normalised, inv_std, sums: [mean, squares] } = &mut **kept;
            let mut state = self.state(normalised, inv_std);
            // The running moments move once.
            state.momentum = if i == 0 { state.momentum } else { 0.0 };
            backend.batch_norm_by_moments(state, [mean, squares], n, [*cells, n_features], x);
        }
    }

    /// The gradient of [`Self::forward_train_leaves`].
    pub(super) fn backward_leaves(
        &mut self,
        backend: &B,
        leaves: &mut [NormLeaf<B>],
        update: Update<B::Elem>,
    ) {
        if let [NormLeaf { x, kept, cells }] = leaves {
            return self.backward(backend, kept, x, *cells, update);
        }
        let n_features = self.features;
        for NormLeaf { x, kept, cells } in &mut *leaves {
            let BatchNormActivations { normalised, inv_std, sums: [dgamma, dbeta] } = &mut **kept;
            let kept = BatchNormKept { normalised, inv_std };
            backend.batch_norm_sums(kept, [*cells, n_features], x, [dgamma, dbeta]);
        }
        combine(leaves, |sums, others, _| {
            sums.iter_mut()
                .zip(others)
                .for_each(|(sum, other)| backend.add(other, sum, n_features));
        });
        share(backend, leaves, n_features);
        let n = leaves.iter().map(|leaf| leaf.cells).sum();
        for NormLeaf { x, kept, cells } in &mut *leaves {
            let [dgamma, dbeta] = &kept.sums;
            let (kept, dims) = (kept.kept(), [*cells, n_features]);
            let gamma = &self.gamma.value;
            backend.batch_norm_grad_by_sums(kept, gamma, [dgamma, dbeta], n, dims, x);
        }
        // The sums are the gradients: a row of a single cell.
        let dims = LinearDims { cells: 1, n_in: 0, n_out: n_features };
        let [to_gamma, to_beta] = self.sinks(backend, update);
        backend.bias_grad(&leaves[0].kept.sums[0], dims, to_gamma);
        backend.bias_grad(&leaves[0].kept.sums[1], dims, to_beta);
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

/// Combines the sums of all leaves in the first's, pair by pair: those at distance 1, then at 2, 4.
/// `add` takes the cells behind both.
fn combine<B: Backend>(
    leaves: &mut [NormLeaf<B>],
    add: impl Fn(&mut [B::Buf; 2], &[B::Buf; 2], [usize; 2]),
) {
    let cells: Vec<usize> = leaves.iter().map(|leaf| leaf.cells).collect();
    let n = leaves.len();
    let mut distance = 1;
    while distance < n {
        for first in (0..n - distance).step_by(2 * distance) {
            let next = first + distance;
            let behind = [first..next, next..n.min(next + distance)];
            let (lower, upper) = leaves.split_at_mut(next);
            let (sums, others) = (&mut lower[first].kept.sums, &upper[0].kept.sums);
            add(sums, others, behind.map(|range| cells[range].iter().sum()));
        }
        distance *= 2;
    }
}

/// Gives every leaf the sums of the first.
fn share<B: Backend>(backend: &B, leaves: &mut [NormLeaf<B>], len: usize) {
    let Some((first, others)) = leaves.split_first_mut() else { return };
    for leaf in others {
        let sums = first.kept.sums.iter().zip(&mut leaf.kept.sums);
        sums.for_each(|(from, to)| backend.copy(from, to, len));
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
