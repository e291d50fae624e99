//! `FCLayers`: hidden layers with injected categories, batch normalisation, ReLU and dropout.

use scvi_kernels::Backend;
use scvi_kernels::ops::activation::Activation;
use scvi_kernels::ops::linear::LinearDims;

use super::batch_norm::BatchNormActivations;
use super::state::{StateError, StateVisitor};
use super::{BatchNorm, Init, Param, Update};

/// Which layers a stack of hidden layers has: computed once from the specification.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FcPlan {
    /// Width of the stack's own input.
    pub(crate) n_in: usize,
    /// Width of every hidden layer.
    pub(crate) n_hidden: usize,
    /// Number of layers.
    pub(crate) n_layers: usize,
    /// One-hot columns of all categorical covariates together; 0 for none.
    pub(crate) n_categories: usize,
    /// Whether the categories enter every layer or the first alone.
    pub(crate) inject: bool,
    /// Whether layers are batch-normalised.
    pub(crate) batch_norm: bool,
    /// Dropout probability.
    pub(crate) dropout_rate: f64,
}

/// What every layer of a pass needs to know.
pub(crate) struct Pass<'a, B: Backend> {
    pub(crate) backend: &'a B,
    /// Row of the category weights for each cell.
    pub(crate) categories: &'a B::Ids,
    /// Cells of the minibatch.
    pub(crate) cells: usize,
}

impl<B: Backend> Clone for Pass<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B: Backend> Copy for Pass<'_, B> {}

/// What a stack reads.
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

struct FcLayer<B: Backend> {
    weight: Param<B>,             // (n_in, n_hidden)
    categories: Option<Param<B>>, // (n_categories, n_hidden)
    bias: Param<B>,               // (n_hidden)
    batch_norm: Option<BatchNorm<B>>,
    n_in: usize,
}

/// A stack of hidden layers (scvi-tools 1.4.2, `nn/_base_components.py`, `FCLayers`).
pub(crate) struct FcLayers<B: Backend> {
    layers: Vec<FcLayer<B>>,
    plan: FcPlan,
}

/// Outputs of every layer, and what their gradients need.
pub(crate) struct FcActivations<B: Backend> {
    layers: Vec<LayerActivations<B>>,
    /// Gradient of a layer's output, then of its input: `(cells, n_hidden)`.
    d_hidden: B::Buf,
    d_below: B::Buf,
}

struct LayerActivations<B: Backend> {
    out: B::Buf,  // (cells, n_hidden)
    gate: B::Buf, // (cells, n_hidden)
    batch_norm: Option<BatchNormActivations<B>>,
    /// Dropout factors: (cells, n_hidden).
    dropout: Option<B::Buf>,
}

impl<B: Backend> FcActivations<B> {
    pub(crate) fn new(backend: &B, plan: &FcPlan, max_cells: usize) -> Self {
        let zeros = || backend.zeros(max_cells * plan.n_hidden);
        let layer = |_| LayerActivations {
            out: zeros(),
            gate: zeros(),
            batch_norm: plan
                .batch_norm
                .then(|| BatchNormActivations::new(backend, max_cells, plan.n_hidden)),
            dropout: (plan.dropout_rate > 0.0).then(zeros),
        };
        Self {
            layers: (0..plan.n_layers).map(layer).collect(),
            d_hidden: zeros(),
            d_below: zeros(),
        }
    }

    /// The last layer's output: `(cells, n_hidden)`.
    pub(crate) fn out(&self) -> &B::Buf {
        &self.layers[self.layers.len() - 1].out
    }

    /// Where the gradient of the last layer's output belongs, beside that output.
    pub(crate) fn out_and_grad(&mut self) -> (&B::Buf, &mut B::Buf) {
        (&self.layers[self.layers.len() - 1].out, &mut self.d_hidden)
    }

    /// The dropout factors of each layer that has any.
    pub(crate) fn dropout(&mut self) -> impl Iterator<Item = &mut B::Buf> {
        self.layers.iter_mut().filter_map(|l| l.dropout.as_mut())
    }
}

impl<B: Backend> FcLayers<B> {
    pub(crate) fn new(backend: &B, plan: FcPlan, init: &mut Init) -> Self {
        let n_hidden = plan.n_hidden;
        let layer = |i| {
            let n_in = if i == 0 { plan.n_in } else { n_hidden };
            let n_categories = if i == 0 || plan.inject { plan.n_categories } else { 0 };
            let fan_in = n_in + n_categories;
            let mut linear = |len| Param::new(backend, &init.linear(len, fan_in));
            FcLayer {
                weight: linear(n_in * n_hidden),
                categories: (n_categories > 0).then(|| linear(n_categories * n_hidden)),
                bias: linear(n_hidden),
                batch_norm: plan.batch_norm.then(|| BatchNorm::new(backend, n_hidden)),
                n_in,
            }
        };
        Self { layers: (0..plan.n_layers).map(layer).collect(), plan }
    }

    fn dims(&self, layer: usize, cells: usize) -> LinearDims {
        LinearDims { cells, n_in: self.layers[layer].n_in, n_out: self.plan.n_hidden }
    }

    /// Evaluation mode: running moments, no dropout.
    pub(crate) fn forward_eval(
        &self,
        pass: Pass<B>,
        input: FcInput<B>,
        acts: &mut FcActivations<B>,
    ) {
        let Pass { backend, cells, .. } = pass;
        for (i, layer) in self.layers.iter().enumerate() {
            let d = self.dims(i, cells);
            let (below, act) = acts.split(i);
            layer.linear(pass, below, input, &mut act.out, d);
            if let Some(norm) = &layer.batch_norm {
                norm.forward_eval(backend, &mut act.out, cells);
            }
            let len = cells * d.n_out;
            backend.activate(&mut act.out, Activation::Relu, None, &mut act.gate, len);
        }
    }

    /// Training mode: the minibatch's moments, dropout by the factors in `acts`.
    pub(crate) fn forward_train(
        &mut self,
        pass: Pass<B>,
        input: FcInput<B>,
        acts: &mut FcActivations<B>,
    ) {
        let Pass { backend, cells, .. } = pass;
        for i in 0..self.layers.len() {
            let d = self.dims(i, cells);
            let layer = &mut self.layers[i];
            let (below, act) = acts.split(i);
            layer.linear(pass, below, input, &mut act.out, d);
            if let (Some(norm), Some(kept)) = (&mut layer.batch_norm, &mut act.batch_norm) {
                norm.forward_train(backend, &mut act.out, kept, cells);
            }
            let (dropout, len) = (act.dropout.as_ref(), cells * d.n_out);
            backend.activate(&mut act.out, Activation::Relu, dropout, &mut act.gate, len);
        }
    }

    /// From the gradient of the output, left in `acts`, to every parameter's, and to `d_input`
    /// (none for counts).
    pub(crate) fn backward(
        &mut self,
        pass: Pass<B>,
        input: FcInput<B>,
        acts: &mut FcActivations<B>,
        mut d_input: Option<&mut B::Buf>,
        update: Update<B::Elem>,
    ) {
        let Pass { backend, cells, .. } = pass;
        for i in (0..self.layers.len()).rev() {
            let d = self.dims(i, cells);
            let layer = &mut self.layers[i];
            let FcActivations { layers, d_hidden, d_below } = acts;
            let (lower, upper) = layers.split_at_mut(i);
            let act = &mut upper[0];
            backend.gate_grad(d_hidden, &act.gate, cells * d.n_out);
            if let (Some(norm), Some(kept)) = (&mut layer.batch_norm, &act.batch_norm) {
                norm.backward(backend, kept, d_hidden, cells, update);
            }
            // The input's gradient first: the weights are about to change.
            match (lower.last(), d_input.as_deref_mut()) {
                (Some(_), _) => {
                    backend.linear_grad_input(d_hidden, &layer.weight.value, d_below, d, false);
                }
                (None, Some(d_input)) => {
                    backend.linear_grad_input(d_hidden, &layer.weight.value, d_input, d, false);
                }
                (None, None) => {}
            }
            layer.backward(pass, lower.last().map(|l| &l.out), input, d_hidden, d, update);
            std::mem::swap(d_hidden, d_below);
        }
    }

    pub(crate) fn visit(
        &mut self,
        prefix: &str,
        visitor: &mut impl StateVisitor<B>,
    ) -> Result<(), StateError> {
        let n_out = self.plan.n_hidden;
        for (i, layer) in self.layers.iter_mut().enumerate() {
            let name = format!("{prefix}.fc_layers.Layer {i}");
            let categories = layer.categories.as_mut();
            visitor.weight(&format!("{name}.0.weight"), n_out, &mut layer.weight, categories)?;
            visitor.param(&format!("{name}.0.bias"), &[n_out], &mut layer.bias)?;
            if let Some(norm) = &mut layer.batch_norm {
                norm.visit(&format!("{name}.1"), visitor)?;
            }
        }
        Ok(())
    }
}

impl<B: Backend> FcActivations<B> {
    /// The output below layer `i` (none below the first), and the layer's own.
    fn split(&mut self, i: usize) -> (Option<&B::Buf>, &mut LayerActivations<B>) {
        let (lower, upper) = self.layers.split_at_mut(i);
        (lower.last().map(|l| &l.out), &mut upper[0])
    }
}

impl<B: Backend> FcLayer<B> {
    /// y = [below or input, one-hot categories] W + b.
    fn linear(
        &self,
        pass: Pass<B>,
        below: Option<&B::Buf>,
        input: FcInput<B>,
        y: &mut B::Buf,
        d: LinearDims,
    ) {
        let backend = pass.backend;
        let (w, bias) = (&self.weight.value, Some(&self.bias.value));
        match (below, input) {
            (Some(x), _) | (None, FcInput::Dense(x)) => backend.linear(x, w, bias, y, d, false),
            (None, FcInput::Counts(x)) => backend.sparse_linear(x, w, bias, y, d.n_out),
        }
        if let Some(w) = &self.categories {
            backend.one_hot(pass.categories, &w.value, y, LinearDims { n_in: 1, ..d });
        }
    }

    fn backward(
        &mut self,
        pass: Pass<B>,
        below: Option<&B::Buf>,
        input: FcInput<B>,
        dy: &B::Buf,
        d: LinearDims,
        update: Update<B::Elem>,
    ) {
        let backend = pass.backend;
        let weight = self.weight.sink(backend, update);
        match (below, input) {
            (Some(x), _) | (None, FcInput::Dense(x)) => {
                backend.linear_grad_weight(x, dy, d, weight);
            }
            (None, FcInput::Counts(x)) => backend.sparse_linear_grad(x, dy, d.n_out, weight),
        }
        if let Some(w) = &mut self.categories {
            let w = w.sink(backend, update);
            backend.one_hot_grad(pass.categories, dy, LinearDims { n_in: 1, ..d }, w);
        }
        // Batch normalisation takes any constant out again: the bias before it has no gradient but
        // rounding, of which none is wanted. A sum over no cells is an exact zero.
        let cells = if self.batch_norm.is_some() { 0 } else { d.cells };
        let bias = self.bias.sink(backend, update);
        backend.bias_grad(dy, LinearDims { cells, ..d }, bias);
    }
}
