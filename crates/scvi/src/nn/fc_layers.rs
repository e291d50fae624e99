//! `FCLayers`: hidden layers with injected categories, normalisation, activation and dropout.

use scvi_kernels::Backend;

use super::batch_norm::{BatchNormActivations, NormLeaf};
use super::fc_layer::FcLayer;
use super::layer_norm::LayerNormActivations;
use super::leaves::with_each;
use super::tensors::{Tensors, TensorsMut};
use super::{FcInput, FcPlan, Init, InputGrads, Param, Pass, Update};
use crate::comm::LeafShare;

/// A stack of hidden layers (scvi-tools 1.4.2, `nn/_base_components.py`, `FCLayers`): each is
/// linear map, batch normalisation, layer normalisation, activation, dropout, in this order.
#[derive(Clone)]
pub(crate) struct FcLayers<B: Backend> {
    layers: Vec<FcLayer<B>>,
    plan: FcPlan,
}

/// Outputs of every layer, and what their gradients need.
pub(crate) struct FcActivations<B: Backend> {
    layers: Vec<LayerActivations<B>>,
    /// The input, where there are no layers: `(cells, n_in)`.
    identity: Option<B::Buf>,
    /// Gradient of a layer's output, then of its input: `(cells, n_hidden)`; without layers only
    /// the first, `(cells, n_in)`.
    d_hidden: B::Buf,
    d_below: B::Buf,
}

/// A leaf of a minibatch on its way through a stack.
pub(crate) struct FcLeaf<'a, B: Backend> {
    pub(crate) pass: Pass<'a, B>,
    pub(crate) input: FcInput<'a, B>,
    pub(crate) acts: &'a mut FcActivations<B>,
}

struct LayerActivations<B: Backend> {
    out: B::Buf,  // (cells, n_hidden)
    gate: B::Buf, // (cells, n_hidden)
    batch_norm: Option<BatchNormActivations<B>>,
    layer_norm: Option<LayerNormActivations<B>>,
    /// Dropout factors: (cells, n_hidden).
    dropout: Option<B::Buf>,
}

impl<B: Backend> FcActivations<B> {
    pub(crate) fn new(backend: &B, plan: &FcPlan, max_cells: usize) -> Self {
        let n = plan.n_hidden;
        let zeros = || backend.zeros(max_cells * n);
        let layer = |_| LayerActivations {
            out: zeros(),
            gate: zeros(),
            batch_norm: plan.batch_norm.then(|| BatchNormActivations::new(backend, max_cells, n)),
            layer_norm: plan.layer_norm.then(|| LayerNormActivations::new(backend, max_cells, n)),
            dropout: (plan.dropout_rate > 0.0).then(zeros),
        };
        let wide = |width| backend.zeros(max_cells * width);
        Self {
            layers: (0..plan.n_layers).map(layer).collect(),
            identity: (plan.n_layers == 0).then(|| wide(plan.n_in)),
            d_hidden: wide(plan.n_out()),
            d_below: wide(if plan.n_layers == 0 { 0 } else { plan.n_hidden }),
        }
    }

    /// The output: `(cells, n_out)`.
    pub(crate) fn out(&self) -> &B::Buf {
        output(&self.layers, &self.identity)
    }

    /// The output beside the place of its gradient.
    pub(crate) fn out_and_grad(&mut self) -> (&B::Buf, &mut B::Buf) {
        (output(&self.layers, &self.identity), &mut self.d_hidden)
    }

    /// The dropout factors of each layer that has any.
    pub(crate) fn dropout(&mut self) -> impl Iterator<Item = &mut B::Buf> {
        self.layers.iter_mut().filter_map(|l| l.dropout.as_mut())
    }

    /// What layer `i` reads, and its own activations.
    fn split<'a>(
        &'a mut self,
        i: usize,
        input: FcInput<'a, B>,
    ) -> (FcInput<'a, B>, &'a mut LayerActivations<B>) {
        let (lower, upper) = self.layers.split_at_mut(i);
        (lower.last().map_or(input, |below| FcInput::Dense(&below.out)), &mut upper[0])
    }
}

/// The last layer's output, or the input where there is none.
fn output<'a, B: Backend>(
    layers: &'a [LayerActivations<B>],
    identity: &'a Option<B::Buf>,
) -> &'a B::Buf {
    let last = layers.last().map(|layer| &layer.out);
    last.or(identity.as_ref()).expect("a stack without layers has its input for output")
}

impl<B: Backend> FcLayers<B> {
    pub(crate) fn new(backend: &B, plan: FcPlan, init: &mut Init) -> Self {
        let layers = (0..plan.n_layers).map(|i| FcLayer::new(backend, &plan, i, init)).collect();
        Self { layers, plan }
    }

    pub(crate) fn plan(&self) -> &FcPlan {
        &self.plan
    }

    /// Evaluation mode: running moments, no dropout.
    pub(crate) fn forward_eval(
        &self,
        pass: Pass<B>,
        input: FcInput<B>,
        acts: &mut FcActivations<B>,
    ) {
        self.hand_on(pass, input, acts);
        for (i, layer) in self.layers.iter().enumerate() {
            let (input, act) = acts.split(i, input);
            layer.linear(pass, input, &mut act.out);
            if let Some(norm) = &layer.batch_norm {
                norm.forward_eval(pass.backend, &mut act.out, pass.cells);
            }
            self.shape(pass, act, false);
        }
    }

    /// Training mode: the minibatch's moments, dropout by the factors in `acts`.
    pub(crate) fn forward_train(
        &mut self,
        pass: Pass<B>,
        input: FcInput<B>,
        acts: &mut FcActivations<B>,
    ) {
        let share = LeafShare::solo(std::slice::from_ref(&pass.cells));
        self.forward_train_leaves(pass.backend, &mut [FcLeaf { pass, input, acts }], share);
    }

    /// The same of a worker's share of a minibatch in leaves, of which the moments are common.
    pub(crate) fn forward_train_leaves(
        &mut self,
        backend: &B,
        leaves: &mut [FcLeaf<B>],
        share: LeafShare,
    ) {
        for FcLeaf { pass, input, acts } in &mut *leaves {
            self.hand_on(*pass, *input, acts);
        }
        for i in 0..self.layers.len() {
            let layer = &mut self.layers[i];
            for FcLeaf { pass, input, acts } in &mut *leaves {
                let (input, act) = acts.split(i, *input);
                layer.linear(*pass, input, &mut act.out);
            }
            if let Some(norm) = &mut layer.batch_norm {
                let work = |leaves: &mut [_]| norm.forward_train_leaves(backend, leaves, share);
                with_each(leaves, |leaf| norm_leaf(leaf, i), work);
            }
            for FcLeaf { pass, acts, .. } in &mut *leaves {
                self.shape(*pass, &mut acts.layers[i], true);
            }
        }
    }

    /// The output of a stack without layers.
    ///
    /// # Panics
    /// If such a stack is given counts.
    fn hand_on(&self, pass: Pass<B>, input: FcInput<B>, acts: &mut FcActivations<B>) {
        let Some(out) = &mut acts.identity else { return };
        let FcInput::Dense(x) = input else { panic!("a stack without layers reads dense input") };
        pass.backend.copy(x, out, pass.cells * self.plan.n_in);
    }

    /// What follows the batch normalisation.
    fn shape(&self, pass: Pass<B>, act: &mut LayerActivations<B>, dropout: bool) {
        let Pass { backend, cells, .. } = pass;
        if let Some(kept) = &mut act.layer_norm {
            kept.forward(backend, &mut act.out, [cells, self.plan.n_hidden]);
        }
        let dropout = act.dropout.as_ref().filter(|_| dropout);
        let (activation, len) = (self.plan.activation, cells * self.plan.n_hidden);
        backend.activate(&mut act.out, activation, dropout, &mut act.gate, len);
    }

    /// From the gradient of the output, left in `acts`, to every parameter's, and to the inputs'.
    pub(crate) fn backward(
        &mut self,
        pass: Pass<B>,
        input: FcInput<B>,
        acts: &mut FcActivations<B>,
        grads: InputGrads<B>,
        update: Update<B::Elem>,
    ) {
        let share = LeafShare::solo(std::slice::from_ref(&pass.cells));
        let mut leaves = [(FcLeaf { pass, input, acts }, grads)];
        self.backward_leaves(pass.backend, &mut leaves, share, update);
    }

    /// The same of a minibatch in leaves, with the inputs' gradients of each.
    pub(crate) fn backward_leaves(
        &mut self,
        backend: &B,
        leaves: &mut [(FcLeaf<B>, InputGrads<B>)],
        share: LeafShare,
        update: Update<B::Elem>,
    ) {
        if self.layers.is_empty() {
            for (FcLeaf { pass, acts, .. }, grads) in leaves {
                let len = pass.cells * self.plan.n_in;
                match &mut grads.input {
                    Some((dx, true)) => pass.backend.add(&acts.d_hidden, dx, len),
                    Some((dx, false)) => pass.backend.copy(&acts.d_hidden, dx, len),
                    None => {}
                }
            }
            return;
        }
        let n_hidden = self.plan.n_hidden;
        for (i, layer) in self.layers.iter_mut().enumerate().rev() {
            for (FcLeaf { pass: Pass { backend, cells, .. }, acts, .. }, _) in &mut *leaves {
                let FcActivations { layers, d_hidden, .. } = &mut **acts;
                backend.gate_grad(d_hidden, &layers[i].gate, *cells * n_hidden);
                if let Some(kept) = &layers[i].layer_norm {
                    kept.backward(*backend, d_hidden, [*cells, n_hidden]);
                }
            }
            if let Some(norm) = &mut layer.batch_norm {
                let work = |leaves: &mut [_]| norm.backward_leaves(backend, leaves, share, update);
                with_each(leaves, |(leaf, _)| norm_grad_leaf(leaf, i), work);
            }
            for (FcLeaf { pass, input, acts }, grads) in &mut *leaves {
                let FcActivations { layers, d_hidden, d_below, .. } = &mut **acts;
                // The inputs' gradients first: the weights are about to change.
                let (input, grads) = match layers[..i].last() {
                    Some(below) => (
                        FcInput::Dense(&below.out),
                        InputGrads { input: Some((d_below, false)), embedded: None },
                    ),
                    None => (*input, grads.take()),
                };
                layer.grad_inputs(*pass, d_hidden, grads);
                layer.grad_weights(*pass, input, d_hidden, update);
                std::mem::swap(d_hidden, d_below);
            }
        }
    }

    /// Every parameter, without names.
    pub(super) fn for_each_param(&mut self, f: &mut dyn FnMut(&mut Param<B>)) {
        self.layers.iter_mut().for_each(|layer| layer.for_each_param(f));
    }

    pub(super) fn tensors(&self, prefix: &str) -> Tensors<'_, B> {
        let layers = self.layers.iter().enumerate();
        layers.flat_map(|(i, layer)| layer.tensors(&layer_name(prefix, i))).collect()
    }

    pub(super) fn tensors_mut(&mut self, prefix: &str) -> TensorsMut<'_, B> {
        let layers = self.layers.iter_mut().enumerate();
        layers.flat_map(|(i, layer)| layer.tensors_mut(&layer_name(prefix, i))).collect()
    }
}

fn norm_leaf<'a, B: Backend>(leaf: &'a mut FcLeaf<'_, B>, i: usize) -> NormLeaf<'a, B> {
    let LayerActivations { out, batch_norm, .. } = &mut leaf.acts.layers[i];
    let kept = batch_norm.as_mut().expect("activations of a layer that is normalised");
    NormLeaf { x: out, kept, cells: leaf.pass.cells }
}

fn norm_grad_leaf<'a, B: Backend>(leaf: &'a mut FcLeaf<'_, B>, i: usize) -> NormLeaf<'a, B> {
    let FcActivations { layers, d_hidden, .. } = &mut *leaf.acts;
    let kept = layers[i].batch_norm.as_mut();
    let kept = kept.expect("activations of a layer that is normalised");
    NormLeaf { x: d_hidden, kept, cells: leaf.pass.cells }
}

fn layer_name(prefix: &str, i: usize) -> String {
    format!("{prefix}.fc_layers.Layer {i}")
}
