//! The second latent level: q(z2|z1, y) and p(z1|z2, y), for every label of every cell.
//!
//! Rows stand cell by cell, a cell's labels in their order: `(cells, labels, ...)`. A minibatch of
//! fewer cells thus uses the front of every buffer, the one-hot columns of the labels among them.

use scvi_kernels::ops::normal_log_prob::{NormalLogProb, NormalLogProbGrad};
use scvi_kernels::ops::posterior::VarActivation;
use scvi_kernels::ops::repeat::RepeatDims;
use scvi_kernels::{Backend, Real};

use super::spec::ScanvaeSpec;
use crate::nn::{
    Covariates, Encoder, EncoderActivations, EncoderInput, FcInput, Init, InputGrads, MomentGrads,
    Pass, Tensors, TensorsMut, Update,
};

/// The two networks between z1 and z2.
#[derive(Clone)]
pub(super) struct SecondLevel<B: Backend> {
    encoder_z2_z1: Encoder<B>,
    decoder_z1_z2: Encoder<B>,
    n_labels: usize,
    n_latent: usize,
}

/// What they compute of a minibatch, and what their gradients need.
pub(super) struct SecondLevelActivations<B: Backend> {
    /// The labels' one-hot columns.
    covariates: Covariates<B>,
    z1: B::Buf,  // (cells, labels, n_latent)
    dz1: B::Buf, // (cells, labels, n_latent)
    /// q(z2|z1, y), z2 and its divergence from N(0, 1).
    pub(super) encoder: EncoderActivations<B>,
    /// p(z1|z2, y).
    decoder: EncoderActivations<B>,
    /// ln p(z1|z2, y).
    pub(super) log_prob: B::Buf, // (cells, labels)
    /// Gradient of its variance.
    d_var: B::Buf, // (cells, labels, n_latent)
}

/// How the loss depends on the second level.
pub(super) struct LabelWeights<'a, B: Backend> {
    /// Weight of a cell in the loss.
    pub(super) weight: B::Elem,
    /// Weight of its divergences.
    pub(super) kl_weight: B::Elem,
    /// w: `(cells, labels)`.
    pub(super) probabilities: &'a B::Buf,
}

impl<B: Backend> SecondLevel<B> {
    pub(super) fn new(backend: &B, spec: &ScanvaeSpec, init: &mut Init) -> Self {
        let mut network = |plan| Encoder::new(backend, plan, VarActivation::Exp, init);
        Self {
            encoder_z2_z1: network(spec.encoder_z2_z1_plan()),
            decoder_z1_z2: network(spec.decoder_z1_z2_plan()),
            n_labels: spec.n_labels(),
            n_latent: spec.config().vae.n_latent,
        }
    }

    fn dims(&self, cells: usize) -> RepeatDims {
        RepeatDims { rows: cells, times: self.n_labels, width: self.n_latent }
    }

    /// ln p(z1|z2, y) and KL(q(z2|z1, y) ‖ p(z2)) in training mode.
    pub(super) fn forward_train(
        &mut self,
        backend: &B,
        cells: usize,
        z1: &B::Buf,
        acts: &mut SecondLevelActivations<B>,
    ) {
        let dims = self.dims(cells);
        backend.repeat_rows(z1, &mut acts.z1, dims);
        let SecondLevelActivations { covariates, z1: repeated, encoder, decoder, .. } = acts;
        let pass = Pass { backend, covariates, cells: cells * self.n_labels };
        self.encoder_z2_z1.forward_train(pass, dense(repeated), encoder);
        self.decoder_z1_z2.forward_train(pass, dense(encoder.z()), decoder);
        acts.log_prob(backend, dims, z1);
    }

    /// The same in evaluation mode; z2 at its posterior's mean unless noise is wanted.
    pub(super) fn forward_eval(
        &self,
        backend: &B,
        cells: usize,
        z1: &B::Buf,
        acts: &mut SecondLevelActivations<B>,
        use_noise: bool,
    ) {
        let dims = self.dims(cells);
        backend.repeat_rows(z1, &mut acts.z1, dims);
        let SecondLevelActivations { covariates, z1: repeated, encoder, decoder, .. } = acts;
        let pass = Pass { backend, covariates, cells: cells * self.n_labels };
        self.encoder_z2_z1.forward_eval(pass, dense(repeated), encoder, use_noise);
        self.decoder_z1_z2.forward_eval(pass, dense(encoder.z()), decoder, false);
        acts.log_prob(backend, dims, z1);
    }

    /// From the label's weights to every parameter, and to z1, whose gradient joins `dz1`.
    pub(super) fn backward(
        &mut self,
        backend: &B,
        cells: usize,
        (z1, dz1): (&B::Buf, &mut B::Buf),
        acts: &mut SecondLevelActivations<B>,
        loss: LabelWeights<B>,
        update: Update<B::Elem>,
    ) {
        let dims = self.dims(cells);
        let LabelWeights { weight, kl_weight, probabilities } = loss;
        let SecondLevelActivations { covariates, encoder, decoder, d_var, .. } = acts;
        let pass = Pass { backend, covariates, cells: cells * self.n_labels };
        let density = NormalLogProbGrad {
            x: z1,
            mean: &decoder.mean,
            var: &decoder.var,
            weight: -weight,
            factors: Some(probabilities),
            dx: dz1,
            // Nothing is drawn from p(z1|z2, y): its latent variable is the mean.
            d_mean: &mut decoder.dz,
            d_var,
        };
        backend.normal_log_prob_grad(density, dims);
        let (z2, dz2) = encoder.z_and_grad();
        let moments =
            MomentGrads { direct: [None, Some(d_var)], ..MomentGrads::of_kl(B::Elem::ZERO) };
        let grads = InputGrads { input: Some((dz2, false)), embedded: None };
        self.decoder_z1_z2.backward(pass, dense(z2), decoder, moments, grads, update);
        let moments = MomentGrads {
            kl_factors: Some(probabilities),
            ..MomentGrads::of_kl(weight * kl_weight)
        };
        let grads = InputGrads { input: Some((&mut acts.dz1, false)), embedded: None };
        self.encoder_z2_z1.backward(pass, dense(&acts.z1), encoder, moments, grads, update);
        backend.repeat_rows_grad(&acts.dz1, dz1, dims);
    }

    pub(super) fn tensors(&self) -> Tensors<'_, B> {
        let mut tensors = self.encoder_z2_z1.tensors("encoder_z2_z1");
        tensors.extend(self.decoder_z1_z2.tensors("decoder_z1_z2"));
        tensors
    }

    pub(super) fn tensors_mut(&mut self) -> TensorsMut<'_, B> {
        let mut tensors = self.encoder_z2_z1.tensors_mut("encoder_z2_z1");
        tensors.extend(self.decoder_z1_z2.tensors_mut("decoder_z1_z2"));
        tensors
    }
}

impl<B: Backend> SecondLevelActivations<B> {
    pub(super) fn new(backend: &B, spec: &ScanvaeSpec, max_cells: usize) -> Self {
        let (n_labels, n_latent) = (spec.n_labels(), spec.config().vae.n_latent);
        let rows = max_cells * n_labels;
        let (encoder, decoder) = (spec.encoder_z2_z1_plan(), spec.decoder_z1_z2_plan());
        let latent = || backend.zeros(rows * n_latent);
        let mut columns = backend.ids(rows);
        let labels: Vec<u32> = (0..rows).map(|row| (row % n_labels) as u32).collect();
        backend.upload_ids(&mut columns, &labels);
        let covariates =
            Covariates { columns, continuous: backend.zeros(0), embedded: backend.zeros(0) };
        Self {
            covariates,
            z1: latent(),
            dz1: latent(),
            encoder: EncoderActivations::new(backend, &encoder, rows),
            decoder: EncoderActivations::new(backend, &decoder, rows),
            log_prob: backend.zeros(rows),
            d_var: latent(),
        }
    }

    fn log_prob(&mut self, backend: &B, dims: RepeatDims, z1: &B::Buf) {
        let (mean, var, log_prob) = (&self.decoder.mean, &self.decoder.var, &mut self.log_prob);
        backend.normal_log_prob(NormalLogProb { x: z1, mean, var, log_prob }, dims);
    }
}

/// A latent variable as a network's input; priors are N(0, 1).
fn dense<B: Backend>(x: &B::Buf) -> EncoderInput<'_, B> {
    EncoderInput { x: FcInput::Dense(x), prior: None }
}
