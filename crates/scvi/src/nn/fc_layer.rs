//! One hidden layer's linear map: a sum of products, one for each kind of input.

use scvi_kernels::Backend;
use scvi_kernels::ops::linear::LinearDims;

use super::tensors::{NamedTensor, Tensors, TensorsMut};
use super::{BatchNorm, Covariates, FcPlan, Init, InputGrads, Param, Pass, Update};

/// What a layer reads.
pub(crate) enum FcInput<'a, B: Backend> {
    /// The minibatch's counts.
    Counts(&'a B::Counts),
    /// Numbers, `(cells, n_in)`.
    Dense(&'a B::Buf),
}

impl<B: Backend> Clone for FcInput<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B: Backend> Copy for FcInput<'_, B> {}

/// Weights are `(inputs, outputs)`: a sparse or one-hot input is a sum of contiguous rows.
#[derive(Clone)]
pub(super) struct FcLayer<B: Backend> {
    weight: Param<B>,             // (n_in, n_hidden)
    continuous: Option<Param<B>>, // (n_continuous, n_hidden)
    embedded: Option<Param<B>>,   // (n_embedded, n_hidden)
    categories: Option<Param<B>>, // (n_categories, n_hidden)
    bias: Option<Param<B>>,       // (n_hidden)
    pub(super) batch_norm: Option<BatchNorm<B>>,
    widths: [usize; 4],
    categories_per_cell: usize,
    n_out: usize,
}

impl<B: Backend> FcLayer<B> {
    pub(super) fn new(backend: &B, plan: &FcPlan, i: usize, init: &mut Init) -> Self {
        let (widths, n_out) = (plan.parts(i), plan.n_hidden);
        let fan_in = widths.iter().sum();
        let mut linear = |n: usize| Param::new(backend, &init.linear(n * n_out, fan_in));
        let [n_in, continuous, embedded, categories] = widths;
        Self {
            weight: linear(n_in),
            continuous: (continuous > 0).then(|| linear(continuous)),
            embedded: (embedded > 0).then(|| linear(embedded)),
            categories: (categories > 0).then(|| linear(categories)),
            bias: plan.bias.then(|| linear(1)),
            batch_norm: plan.batch_norm.then(|| BatchNorm::new(backend, n_out)),
            widths,
            categories_per_cell: plan.categories_per_cell,
            n_out,
        }
    }

    fn dims(&self, n_in: usize, cells: usize) -> LinearDims {
        LinearDims { cells, n_in, n_out: self.n_out }
    }

    /// y = [input, continuous, embedded, one-hot categories] W + b.
    pub(super) fn linear(&self, pass: Pass<B>, input: FcInput<B>, y: &mut B::Buf) {
        let Pass { backend, cells, covariates } = pass;
        let (w, bias) = (&self.weight.value, self.bias.as_ref().map(|b| &b.value));
        match input {
            FcInput::Dense(x) => {
                backend.linear(x, w, bias, y, self.dims(self.widths[0], cells), false);
            }
            FcInput::Counts(x) => backend.sparse_linear(x, w, bias, y, self.n_out),
        }
        for (x, w) in self.beside(covariates) {
            let dims = self.dims(w.len() / self.n_out, cells);
            backend.linear(x, &w.value, None, y, dims, true);
        }
        if let Some(w) = &self.categories {
            let dims = self.dims(self.categories_per_cell, cells);
            backend.one_hot(&covariates.columns, &w.value, y, dims);
        }
    }

    /// Dense covariates with their weights.
    fn beside<'a>(
        &'a self,
        covariates: &'a Covariates<B>,
    ) -> impl Iterator<Item = (&'a B::Buf, &'a Param<B>)> {
        let continuous = self.continuous.as_ref().map(|w| (&covariates.continuous, w));
        let embedded = self.embedded.as_ref().map(|w| (&covariates.embedded, w));
        continuous.into_iter().chain(embedded)
    }

    /// Gradients of the inputs; the weights must not have changed yet.
    pub(super) fn grad_inputs(&self, pass: Pass<B>, dy: &B::Buf, grads: InputGrads<B>) {
        let Pass { backend, cells, .. } = pass;
        if let Some((dx, accumulate)) = grads.input {
            let dims = self.dims(self.widths[0], cells);
            backend.linear_grad_input(dy, &self.weight.value, dx, dims, accumulate);
        }
        if let (Some((dx, accumulate)), Some(w)) = (grads.embedded, &self.embedded) {
            let dims = self.dims(self.widths[2], cells);
            backend.linear_grad_input(dy, &w.value, dx, dims, accumulate);
        }
    }

    pub(super) fn grad_weights(
        &mut self,
        pass: Pass<B>,
        input: FcInput<B>,
        dy: &B::Buf,
        update: Update<B::Elem>,
    ) {
        let Pass { backend, cells, covariates } = pass;
        let dims = |n_in| LinearDims { cells, n_in, n_out: self.n_out };
        if self.weight.wants_gradient(update) {
            let weight = self.weight.sink(backend, update);
            let n_in = dims(self.widths[0]);
            match input {
                FcInput::Dense(x) => backend.linear_grad_weight(x, dy, n_in, weight),
                FcInput::Counts(x) => backend.sparse_linear_grad(x, dy, self.n_out, weight),
            }
        }
        let beside = [
            (&mut self.continuous, &covariates.continuous, self.widths[1]),
            (&mut self.embedded, &covariates.embedded, self.widths[2]),
        ];
        for (w, x, n_in) in beside {
            if let Some(w) = w {
                backend.linear_grad_weight(x, dy, dims(n_in), w.sink(backend, update));
            }
        }
        if let Some(w) = &mut self.categories {
            let (w, dims) = (w.sink(backend, update), dims(self.categories_per_cell));
            backend.one_hot_grad(&covariates.columns, dy, dims, w);
        }
        if let Some(bias) = &mut self.bias {
            // Batch normalisation takes any constant out again: the bias before it has no gradient
            // but rounding, of which none is wanted. A sum over no cells is an exact zero.
            let cells = if self.batch_norm.is_some() { 0 } else { cells };
            let dims = LinearDims { cells, n_in: self.widths[0], n_out: self.n_out };
            backend.bias_grad(dy, dims, bias.sink(backend, update));
        }
    }

    /// `name` is that of torch's `Sequential`: 0 is the linear map, 1 the batch normalisation.
    /// Every parameter, without names.
    pub(super) fn for_each_param(&mut self, f: &mut dyn FnMut(&mut Param<B>)) {
        let Self { weight, continuous, embedded, categories, bias, batch_norm, .. } = self;
        f(weight);
        [continuous, embedded, categories, bias].into_iter().flatten().for_each(&mut *f);
        if let Some(norm) = batch_norm {
            norm.for_each_param(f);
        }
    }

    pub(super) fn tensors(&self, name: &str) -> Tensors<'_, B> {
        let Self { weight, continuous, embedded, categories, bias, batch_norm, .. } = self;
        let beside = [continuous, embedded, categories].into_iter().flatten();
        let parts = std::iter::once(weight).chain(beside).collect();
        let mut tensors = named(name, self.shape(), parts, bias.as_ref());
        tensors.extend(batch_norm.iter().flat_map(|norm| norm.tensors(&norm_name(name))));
        tensors
    }

    pub(super) fn tensors_mut(&mut self, name: &str) -> TensorsMut<'_, B> {
        let shape = self.shape();
        let Self { weight, continuous, embedded, categories, bias, batch_norm, .. } = self;
        let beside = [continuous, embedded, categories].into_iter().flatten();
        let parts = std::iter::once(weight).chain(beside).collect();
        let mut tensors = named(name, shape, parts, bias.as_mut());
        tensors.extend(batch_norm.iter_mut().flat_map(|norm| norm.tensors_mut(&norm_name(name))));
        tensors
    }

    /// Shape of the whole weight in torch's order.
    fn shape(&self) -> [usize; 2] {
        [self.n_out, self.widths.iter().sum()]
    }
}

fn named<P, M>(
    name: &str,
    shape: [usize; 2],
    weight: Vec<P>,
    bias: Option<P>,
) -> Vec<NamedTensor<P, M>> {
    let weight = NamedTensor::weight(format!("{name}.0.weight"), shape, weight);
    let bias = bias.map(|bias| NamedTensor::param(format!("{name}.0.bias"), &shape[..1], bias));
    std::iter::once(weight).chain(bias).collect()
}

fn norm_name(layer: &str) -> String {
    format!("{layer}.1")
}
