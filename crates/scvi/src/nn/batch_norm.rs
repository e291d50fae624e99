//! `BatchNorm1d` with scVI's momentum and ε.

use scvi_kernels::ops::count_head::HeadDims;
use scvi_kernels::ops::linear::LinearDims;
use scvi_kernels::{Backend, BatchNormEval, BatchNormKept, BatchNormState, Device, GradSink, Real};

use super::tensors::{NamedTensor, RunningMoment, Tensors, TensorsMut};
use super::{Param, Update};
use crate::comm::{LeafShare, tree_sum};

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
    /// Of a leaf, its moments, then the gradient's sums.
    sums: Pair<B>,
}

/// Moments, or sums of a gradient: `(features)` each.
type Pair<B> = [<B as Device>::Buf; 2];

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
        BatchNormActivations { normalised, inv_std, .. }: &'a mut BatchNormActivations<B>,
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
    pub(super) fn forward_train_leaves(
        &mut self,
        backend: &B,
        leaves: &mut [NormLeaf<B>],
        share: LeafShare,
    ) {
        if let ([NormLeaf { x, kept, cells }], true) = (&mut *leaves, share.is_single()) {
            return self.forward_train(backend, x, kept, *cells);
        }
        let n_features = self.features;
        for NormLeaf { x, kept, cells } in &mut *leaves {
            let [mean, squares] = &mut kept.sums;
            backend.batch_norm_moments(x, [*cells, n_features], [mean, squares]);
        }
        let add = |[mean, squares]: &mut Pair<B>, others: &Pair<B>, cells| {
            backend.combine_moments([mean, squares], others.each_ref(), cells, n_features);
        };
        let [mean, squares] = total(backend, leaves, share, n_features, add);
        let (moments, n) = ([&mean, &squares], share.n_cells());
        // The running moments move once, on a worker without a leaf, too.
        let mut none = BatchNormActivations::new(backend, 0, n_features);
        let state = self.train(&mut none);
        backend.batch_norm_by_moments(state, moments, n, [0, n_features], &mut backend.zeros(0));
        for NormLeaf { x, kept, cells } in leaves {
            let mut state = self.train(kept);
            state.momentum = 0.0;
            backend.batch_norm_by_moments(state, moments, n, [*cells, n_features], x);
        }
    }

    /// The gradient of [`Self::forward_train_leaves`].
    pub(super) fn backward_leaves(
        &mut self,
        backend: &B,
        leaves: &mut [NormLeaf<B>],
        share: LeafShare,
        update: Update<B::Elem>,
    ) {
        if let ([NormLeaf { x, kept, cells }], true) = (&mut *leaves, share.is_single()) {
            return self.backward(backend, kept, x, *cells, update);
        }
        let n_features = self.features;
        // A leaf's sums are its gradients: a row of a single cell.
        let row = LinearDims { cells: 1, n_in: 0, n_out: n_features };
        for NormLeaf { x, kept, cells } in &mut *leaves {
            let BatchNormActivations { normalised, inv_std, sums: [dgamma, dbeta] } = &mut **kept;
            let kept = BatchNormKept { normalised, inv_std };
            backend.batch_norm_sums(kept, [*cells, n_features], x, [dgamma, dbeta]);
            let [to_gamma, to_beta] = self.sinks(backend, update);
            backend.bias_grad(dgamma, row, to_gamma);
            backend.bias_grad(dbeta, row, to_beta);
        }
        let add = |sums: &mut Pair<B>, others: &Pair<B>, _| {
            sums.iter_mut()
                .zip(others)
                .for_each(|(sum, other)| backend.add(other, sum, n_features));
        };
        let [dgamma, dbeta] = total(backend, leaves, share, n_features, add);
        for NormLeaf { x, kept, cells } in leaves {
            let (kept, dims) = (kept.kept(), [*cells, n_features]);
            let (gamma, sums, n) = (&self.gamma.value, [&dgamma, &dbeta], share.n_cells());
            backend.batch_norm_grad_by_sums(kept, gamma, sums, n, dims, x);
        }
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

/// What the sums of all leaves come to, those of other workers among them, in the tree over the
/// leaves. `add` takes the cells behind both.
fn total<B: Backend>(
    backend: &B,
    leaves: &[NormLeaf<B>],
    share: LeafShare,
    n_features: usize,
    add: impl Fn(&mut Pair<B>, &Pair<B>, [usize; 2]),
) -> Pair<B> {
    let sums = sums_of_all(backend, leaves, share, n_features);
    let terms = sums.into_iter().zip(share.cells().iter().copied()).map(|term| (1, term));
    let total = tree_sum(terms, |(sums, cells), (others, more)| {
        add(sums, &others, [*cells, more]);
        *cells += more;
    });
    total.expect("a minibatch has a leaf").0
}

/// The sums of each leaf, those of other workers among them.
fn sums_of_all<B: Backend>(
    backend: &B,
    leaves: &[NormLeaf<B>],
    share: LeafShare,
    n_features: usize,
) -> Vec<Pair<B>> {
    if share.is_solo() {
        return leaves.iter().map(|leaf| leaf.kept.sums.clone()).collect();
    }
    let sums = leaves.iter().flat_map(|leaf| &leaf.kept.sums);
    let own: Vec<_> = sums.flat_map(|sum| backend.download(sum, n_features)).collect();
    let all = share.gather(&own, 2 * n_features);
    let pairs = all.chunks_exact(2 * n_features).map(|pair| pair.split_at(n_features));
    pairs.map(|(first, second)| [first, second].map(|sum| uploaded(backend, sum))).collect()
}

fn uploaded<B: Backend>(backend: &B, values: &[B::Elem]) -> B::Buf {
    let mut buf = backend.zeros(values.len());
    backend.upload(&mut buf, values);
    buf
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
