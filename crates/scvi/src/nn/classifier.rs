//! `Classifier`: from a latent variable to the logit of each label.

use scvi_kernels::Backend;
use scvi_kernels::ops::linear::LinearDims;

use super::tensors::{NamedTensor, Tensors, TensorsMut};
use super::{FcActivations, FcInput, FcLayers, FcPlan, Init, InputGrads, Param, Pass, Update};

/// What a classifier is made from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ClassifierPlan {
    /// Hidden layers; none make it linear.
    pub(crate) fc: FcPlan,
    /// Labels.
    pub(crate) n_labels: usize,
}

impl ClassifierPlan {
    /// Numbers that weights and biases hold together.
    pub(crate) fn n_parameters(&self) -> u128 {
        self.fc.n_parameters() + (self.fc.n_out() as u128 + 1) * self.n_labels as u128
    }
}

/// Hidden layers and a linear map (scvi-tools 1.4.2, `module/_classifier.py`).
#[derive(Clone)]
pub(crate) struct Classifier<B: Backend> {
    fc: FcLayers<B>,
    output: [Param<B>; 2], // (fc's n_out, n_labels), (n_labels)
    plan: ClassifierPlan,
}

/// The logits of a minibatch, and what their gradients need.
pub(crate) struct ClassifierActivations<B: Backend> {
    pub(crate) fc: FcActivations<B>,
    pub(crate) logits: B::Buf,   // (cells, n_labels)
    pub(crate) d_logits: B::Buf, // (cells, n_labels)
}

impl<B: Backend> ClassifierActivations<B> {
    pub(crate) fn new(backend: &B, plan: &ClassifierPlan, max_cells: usize) -> Self {
        let logits = || backend.zeros(max_cells * plan.n_labels);
        let fc = FcActivations::new(backend, &plan.fc, max_cells);
        Self { fc, logits: logits(), d_logits: logits() }
    }
}

impl<B: Backend> Classifier<B> {
    pub(crate) fn new(backend: &B, plan: ClassifierPlan, init: &mut Init) -> Self {
        let (n_in, n_labels) = (plan.fc.n_out(), plan.n_labels);
        let fc = FcLayers::new(backend, plan.fc.clone(), init);
        let output =
            [n_in * n_labels, n_labels].map(|n| Param::new(backend, &init.linear(n, n_in)));
        Self { fc, output, plan }
    }

    fn dims(&self, cells: usize) -> LinearDims {
        LinearDims { cells, n_in: self.plan.fc.n_out(), n_out: self.plan.n_labels }
    }

    /// Logits of `z`, `(cells, n_latent)`, in evaluation mode.
    pub(crate) fn forward_eval(
        &self,
        pass: Pass<B>,
        z: &B::Buf,
        acts: &mut ClassifierActivations<B>,
    ) {
        self.fc.forward_eval(pass, FcInput::Dense(z), &mut acts.fc);
        self.logits(pass, acts);
    }

    /// The same in training mode.
    pub(crate) fn forward_train(
        &mut self,
        pass: Pass<B>,
        z: &B::Buf,
        acts: &mut ClassifierActivations<B>,
    ) {
        self.fc.forward_train(pass, FcInput::Dense(z), &mut acts.fc);
        self.logits(pass, acts);
    }

    fn logits(&self, pass: Pass<B>, acts: &mut ClassifierActivations<B>) {
        let [weight, bias] = &self.output;
        let (h, dims) = (acts.fc.out(), self.dims(pass.cells));
        pass.backend.linear(h, &weight.value, Some(&bias.value), &mut acts.logits, dims, false);
    }

    /// From the gradient of the logits, left in `acts.d_logits`, to every parameter, and to z.
    pub(crate) fn backward(
        &mut self,
        pass: Pass<B>,
        z: &B::Buf,
        acts: &mut ClassifierActivations<B>,
        grads: InputGrads<B>,
        update: Update<B::Elem>,
    ) {
        let (backend, dims) = (pass.backend, self.dims(pass.cells));
        let [weight, bias] = &mut self.output;
        let ClassifierActivations { fc, d_logits, .. } = acts;
        let (h, dh) = fc.out_and_grad();
        backend.linear_grad_input(d_logits, &weight.value, dh, dims, false);
        backend.linear_grad_weight(h, d_logits, dims, weight.sink(backend, update));
        backend.bias_grad(d_logits, dims, bias.sink(backend, update));
        self.fc.backward(pass, FcInput::Dense(z), fc, grads, update);
    }

    /// Every parameter, without names.
    pub(crate) fn for_each_param(&mut self, f: &mut dyn FnMut(&mut Param<B>)) {
        self.fc.for_each_param(f);
        self.output.iter_mut().for_each(f);
    }

    pub(crate) fn tensors(&self, prefix: &str) -> Tensors<'_, B> {
        let tensors = self.fc.tensors(&format!("{prefix}.classifier.0"));
        named(prefix, &self.plan, tensors, self.output.each_ref())
    }

    pub(crate) fn tensors_mut(&mut self, prefix: &str) -> TensorsMut<'_, B> {
        let tensors = self.fc.tensors_mut(&format!("{prefix}.classifier.0"));
        named(prefix, &self.plan, tensors, self.output.each_mut())
    }
}

/// The linear map's tensors behind those of the hidden layers, which are the first part of torch's
/// `Sequential` where there are any.
fn named<P, M>(
    prefix: &str,
    plan: &ClassifierPlan,
    mut tensors: Vec<NamedTensor<P, M>>,
    [weight, bias]: [P; 2],
) -> Vec<NamedTensor<P, M>> {
    let name = format!("{prefix}.classifier.{}", usize::from(plan.fc.n_layers > 0));
    let shape = [plan.n_labels, plan.fc.n_out()];
    tensors.push(NamedTensor::weight(format!("{name}.weight"), shape, vec![weight]));
    tensors.push(NamedTensor::param(format!("{name}.bias"), &shape[..1], bias));
    tensors
}
