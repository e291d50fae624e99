//! `Encoder`: from counts, or from another latent variable, to a normal posterior; and `Decoder`,
//! the same without a draw: from one latent variable to the distribution of another.

use scvi_kernels::ops::linear::LinearDims;
use scvi_kernels::ops::normal_log_prob::{NormalLogProb, NormalLogProbGrad};
use scvi_kernels::ops::posterior::VarActivation;
use scvi_kernels::ops::repeat::RepeatDims;
use scvi_kernels::{Backend, Device, NormalPrior, PosteriorGradIo, PosteriorIo};

use super::leaves::with_each;
use super::tensors::{NamedTensor, Tensors, TensorsMut};
use super::{
    FcActivations, FcInput, FcLayers, FcLeaf, FcPlan, Init, InputGrads, Param, Pass, Update,
};
use crate::comm::LeafShare;

/// What an encoder is made from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct EncoderPlan {
    /// Hidden layers.
    pub(crate) fc: FcPlan,
    /// Dimensions of the posterior.
    pub(crate) n_out: usize,
    /// Added to the posterior's variance.
    pub(crate) var_eps: f64,
    /// Whether the latent variable is the softmax of the normal draw.
    pub(crate) softmax: bool,
    /// What scvi-tools calls the parts: `encoder`, or `decoder`.
    pub(crate) parts: &'static str,
}

impl EncoderPlan {
    /// Numbers that weights and biases hold together.
    pub(crate) fn n_parameters(&self) -> u128 {
        self.fc.n_parameters() + 2 * (self.fc.n_out() as u128 + 1) * self.n_out as u128
    }
}

/// Hidden layers and the two linear maps to mean and variance.
#[derive(Clone)]
pub(crate) struct Encoder<B: Backend> {
    fc: FcLayers<B>,
    mean: [Param<B>; 2], // (fc's n_out, n_out), (n_out)
    var: [Param<B>; 2],  // (fc's n_out, n_out), (n_out)
    pub(crate) var_activation: VarActivation<B::Elem>,
    plan: EncoderPlan,
}

/// The posterior of a minibatch, and what its gradients need.
pub(crate) struct EncoderActivations<B: Backend> {
    pub(crate) fc: FcActivations<B>,
    pub(crate) mean: B::Buf,  // (cells, n_out)
    raw: B::Buf,              // (cells, n_out)
    pub(crate) var: B::Buf,   // (cells, n_out)
    pub(crate) noise: B::Buf, // (cells, n_out)
    pub(crate) draw: B::Buf,  // (cells, n_out)
    /// Softmax of the draw, where that is the latent variable.
    transformed: Option<B::Buf>, // (cells, n_out)
    pub(crate) kl: B::Buf,    // (cells)
    pub(crate) dz: B::Buf,    // (cells, n_out)
    d_raw: B::Buf,            // (cells, n_out)
}

/// Mean and variance of each cell's normal prior, `(cells, n_out)`; none is N(0, 1).
pub(crate) type Prior<'a, B> = Option<&'a [<B as Device>::Buf; 2]>;

/// What an encoder reads, and what its posterior is compared with.
pub(crate) struct EncoderInput<'a, B: Backend> {
    pub(crate) x: FcInput<'a, B>,
    pub(crate) prior: Prior<'a, B>,
}

/// A leaf of a minibatch on its way through an encoder.
pub(crate) struct EncoderLeaf<'a, B: Backend> {
    pub(crate) pass: Pass<'a, B>,
    pub(crate) input: EncoderInput<'a, B>,
    pub(crate) acts: &'a mut EncoderActivations<B>,
}

impl<'a, B: Backend> EncoderLeaf<'a, B> {
    fn fc(&mut self) -> FcLeaf<'_, B> {
        FcLeaf { pass: self.pass, input: self.input.x, acts: &mut self.acts.fc }
    }
}

impl<B: Backend> Clone for EncoderInput<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B: Backend> Copy for EncoderInput<'_, B> {}

/// Gradients of a posterior that do not come through its draw.
pub(crate) struct MomentGrads<'a, B: Backend> {
    /// Weight of each cell's KL.
    pub(crate) kl_weight: B::Elem,
    /// Factor of that weight for each cell, `(cells)`; 1 without.
    pub(crate) kl_factors: Option<&'a B::Buf>,
    /// Gradients of mean and variance, `(cells, n_out)` each; 0 without.
    pub(crate) direct: [Option<&'a B::Buf>; 2],
}

impl<B: Backend> MomentGrads<'_, B> {
    /// Only the KL's.
    pub(crate) fn of_kl(kl_weight: B::Elem) -> Self {
        Self { kl_weight, kl_factors: None, direct: [None; 2] }
    }
}

fn normal<B: Backend>(prior: Prior<'_, B>) -> Option<NormalPrior<'_, B>> {
    prior.map(|[mean, var]| NormalPrior { mean, var })
}

impl<B: Backend> EncoderActivations<B> {
    pub(crate) fn new(backend: &B, plan: &EncoderPlan, max_cells: usize) -> Self {
        let latent = || backend.zeros(max_cells * plan.n_out);
        Self {
            fc: FcActivations::new(backend, &plan.fc, max_cells),
            mean: latent(),
            raw: latent(),
            var: latent(),
            noise: latent(),
            draw: latent(),
            transformed: plan.softmax.then(latent),
            kl: backend.zeros(max_cells),
            dz: latent(),
            d_raw: latent(),
        }
    }

    /// The latent variable: `(cells, n_out)`.
    pub(crate) fn z(&self) -> &B::Buf {
        self.transformed.as_ref().unwrap_or(&self.draw)
    }

    /// The latent variable beside the place of its gradient.
    pub(crate) fn z_and_grad(&mut self) -> (&B::Buf, &mut B::Buf) {
        (self.transformed.as_ref().unwrap_or(&self.draw), &mut self.dz)
    }

    /// ln q of each cell's latent variable: `(cells)`. Of a softmax, too, it is the normal density
    /// at the latent variable itself, as in scvi-tools.
    pub(crate) fn log_prob(&self, backend: &B, [cells, n_out]: [usize; 2], log_prob: &mut B::Buf) {
        let io = NormalLogProb { x: self.z(), mean: &self.mean, var: &self.var, log_prob };
        backend.normal_log_prob(io, RepeatDims { rows: cells, times: 1, width: n_out });
    }

    /// Adds to `dz` the gradient of `weight` times what [`Self::log_prob`] gives, and leaves that of
    /// mean and variance, `(cells, n_out)` each.
    pub(crate) fn log_prob_grad(
        &mut self,
        backend: &B,
        [cells, n_out]: [usize; 2],
        weight: B::Elem,
        [d_mean, d_var]: [&mut B::Buf; 2],
    ) {
        let Self { mean, var, draw, transformed, dz, .. } = self;
        let x = transformed.as_ref().unwrap_or(draw);
        let io = NormalLogProbGrad { x, mean, var, weight, factors: None, dx: dz, d_mean, d_var };
        backend.normal_log_prob_grad(io, RepeatDims { rows: cells, times: 1, width: n_out });
    }

    /// Takes a latent variable from elsewhere, `(cells, n_out)`.
    pub(crate) fn set_z(&mut self, backend: &B, z: &[B::Elem]) {
        backend.upload(self.transformed.as_mut().unwrap_or(&mut self.draw), z);
    }
}

impl<B: Backend> Encoder<B> {
    pub(crate) fn new(
        backend: &B,
        plan: EncoderPlan,
        var_activation: VarActivation<B::Elem>,
        init: &mut Init,
    ) -> Self {
        let (n_hidden, n_out) = (plan.fc.n_out(), plan.n_out);
        let fc = FcLayers::new(backend, plan.fc.clone(), init);
        let mut head = || {
            [n_hidden * n_out, n_out].map(|len| Param::new(backend, &init.linear(len, n_hidden)))
        };
        Self { fc, mean: head(), var: head(), var_activation, plan }
    }

    pub(crate) fn plan(&self) -> &EncoderPlan {
        &self.plan
    }

    fn dims(&self, cells: usize) -> LinearDims {
        LinearDims { cells, n_in: self.plan.fc.n_out(), n_out: self.plan.n_out }
    }

    /// Posterior, latent variable and KL in evaluation mode; at the mean unless noise is wanted.
    pub(crate) fn forward_eval(
        &self,
        pass: Pass<B>,
        input: EncoderInput<B>,
        acts: &mut EncoderActivations<B>,
        use_noise: bool,
    ) {
        self.fc.forward_eval(pass, input.x, &mut acts.fc);
        self.posterior(pass, input.prior, acts, use_noise);
    }

    /// The same in training mode, with noise.
    pub(crate) fn forward_train(
        &mut self,
        pass: Pass<B>,
        input: EncoderInput<B>,
        acts: &mut EncoderActivations<B>,
    ) {
        let share = LeafShare::solo(std::slice::from_ref(&pass.cells));
        self.forward_train_leaves(pass.backend, &mut [EncoderLeaf { pass, input, acts }], share);
    }

    /// The same of a worker's share of a minibatch in leaves.
    pub(crate) fn forward_train_leaves(
        &mut self,
        backend: &B,
        leaves: &mut [EncoderLeaf<B>],
        share: LeafShare,
    ) {
        with_each(leaves, EncoderLeaf::fc, |leaves| {
            self.fc.forward_train_leaves(backend, leaves, share);
        });
        for EncoderLeaf { pass, input, acts } in leaves {
            self.posterior(*pass, input.prior, acts, true);
        }
    }

    fn posterior(
        &self,
        pass: Pass<B>,
        prior: Prior<B>,
        acts: &mut EncoderActivations<B>,
        use_noise: bool,
    ) {
        let Pass { backend, cells, .. } = pass;
        let d = self.dims(cells);
        let h = acts.fc.out();
        for ([w, b], y) in [(&self.mean, &mut acts.mean), (&self.var, &mut acts.raw)] {
            backend.linear(h, &w.value, Some(&b.value), y, d, false);
        }
        self.draw(pass, prior, acts, use_noise);
    }

    /// Variance, latent variable and KL of the maps' outputs in `acts`.
    pub(crate) fn draw(
        &self,
        pass: Pass<B>,
        prior: Prior<B>,
        acts: &mut EncoderActivations<B>,
        use_noise: bool,
    ) {
        let Pass { backend, cells, .. } = pass;
        let io = PosteriorIo {
            mean: &acts.mean,
            raw: &acts.raw,
            var: &mut acts.var,
            var_activation: &self.var_activation,
            var_eps: self.plan.var_eps,
            prior: normal(prior),
            noise: use_noise.then_some(&acts.noise),
            z: &mut acts.draw,
            kl: &mut acts.kl,
        };
        backend.posterior(io, [cells, self.plan.n_out]);
        self.transform(pass, acts);
    }

    /// The latent variable of the draw in `acts`.
    pub(crate) fn transform(&self, pass: Pass<B>, acts: &mut EncoderActivations<B>) {
        if let Some(z) = &mut acts.transformed {
            pass.backend.softmax(&acts.draw, z, [pass.cells, self.plan.n_out]);
        }
    }

    /// From the gradient of the latent variable, left in `acts.dz`, and those of the moments to
    /// every parameter, and to the inputs.
    pub(crate) fn backward(
        &mut self,
        pass: Pass<B>,
        input: EncoderInput<B>,
        acts: &mut EncoderActivations<B>,
        moments: MomentGrads<B>,
        grads: InputGrads<B>,
        update: Update<B::Elem>,
    ) {
        let leaf = EncoderLeaf { pass, input, acts };
        let share = LeafShare::solo(std::slice::from_ref(&pass.cells));
        self.backward_leaves(pass.backend, &mut [(leaf, moments, grads)], share, update);
    }

    /// The same of a minibatch in leaves, with the gradients of each one's moments and inputs.
    pub(crate) fn backward_leaves(
        &mut self,
        backend: &B,
        leaves: &mut [(EncoderLeaf<B>, MomentGrads<B>, InputGrads<B>)],
        share: LeafShare,
        update: Update<B::Elem>,
    ) {
        for (EncoderLeaf { pass, input, acts }, moments, _) in &mut *leaves {
            self.backward_posterior(*pass, *input, acts, moments, update);
        }
        with_each(
            leaves,
            |(leaf, _, grads)| (leaf.fc(), grads.take()),
            |leaves| self.fc.backward_leaves(backend, leaves, share, update),
        );
    }

    /// From the gradient of the latent variable to that of the hidden layers' output.
    fn backward_posterior(
        &mut self,
        pass: Pass<B>,
        input: EncoderInput<B>,
        acts: &mut EncoderActivations<B>,
        moments: &MomentGrads<B>,
        update: Update<B::Elem>,
    ) {
        let Pass { backend, cells, .. } = pass;
        let d = self.dims(cells);
        if let Some(z) = &acts.transformed {
            backend.softmax_grad(z, &mut acts.dz, [cells, d.n_out]);
        }
        let io = PosteriorGradIo {
            mean: &acts.mean,
            raw: &acts.raw,
            var: &acts.var,
            var_activation: &self.var_activation,
            prior: normal(input.prior),
            noise: &acts.noise,
            kl_weight: moments.kl_weight,
            kl_factors: moments.kl_factors,
            direct: moments.direct,
            dz: &mut acts.dz,
            d_raw: &mut acts.d_raw,
        };
        backend.posterior_grad(io, [cells, d.n_out]);
        let (h, dh) = acts.fc.out_and_grad();
        backend.linear_grad_input(&acts.dz, &self.mean[0].value, dh, d, false);
        backend.linear_grad_input(&acts.d_raw, &self.var[0].value, dh, d, true);
        for ([w, b], dy) in [(&mut self.mean, &acts.dz), (&mut self.var, &acts.d_raw)] {
            backend.linear_grad_weight(h, dy, d, w.sink(backend, update));
            backend.bias_grad(dy, d, b.sink(backend, update));
        }
    }

    /// Every parameter, without names.
    pub(crate) fn for_each_param(&mut self, f: &mut dyn FnMut(&mut Param<B>)) {
        self.fc.for_each_param(f);
        self.mean.iter_mut().chain(&mut self.var).for_each(f);
    }

    pub(crate) fn tensors(&self, prefix: &str) -> Tensors<'_, B> {
        let Self { fc, mean, var, plan, .. } = self;
        let tensors = fc.tensors(&format!("{prefix}.{}", plan.parts));
        named(prefix, plan, tensors, mean.each_ref(), var.each_ref())
    }

    pub(crate) fn tensors_mut(&mut self, prefix: &str) -> TensorsMut<'_, B> {
        let Self { fc, mean, var, plan, .. } = self;
        let tensors = fc.tensors_mut(&format!("{prefix}.{}", plan.parts));
        named(prefix, plan, tensors, mean.each_mut(), var.each_mut())
    }
}

/// The tensors of the maps to mean and variance behind those of the hidden layers.
fn named<P, M>(
    prefix: &str,
    EncoderPlan { fc, n_out, parts, .. }: &EncoderPlan,
    mut tensors: Vec<NamedTensor<P, M>>,
    mean: [P; 2],
    var: [P; 2],
) -> Vec<NamedTensor<P, M>> {
    for (moment, [weight, bias]) in [("mean", mean), ("var", var)] {
        let map = format!("{prefix}.{moment}_{parts}");
        let shape = [*n_out, fc.n_out()];
        tensors.push(NamedTensor::weight(format!("{map}.weight"), shape, vec![weight]));
        tensors.push(NamedTensor::param(format!("{map}.bias"), &shape[..1], bias));
    }
    tensors
}
