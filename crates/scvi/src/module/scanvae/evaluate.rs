//! Evaluation mode: the loss of minibatches, evidence lower bounds, and labels.

use scvi_kernels::{Backend, Real};

use super::Scanvae;
use super::noise::ScanvaeNoise;
use super::workspace::{LabelTerms, ScanvaeWorkspace};
use crate::module::vae::pass;
use crate::module::{Inference, Noise, Vae, Workspace};
use crate::nn::ClassifierActivations;

impl<B: Backend> Scanvae<B> {
    /// Evaluates the loss of the minibatches in `ws`; without noise every latent variable is at its
    /// posterior's mean.
    pub fn evaluate(&self, ws: &mut ScanvaeWorkspace<B>, noise: Option<ScanvaeNoise<B::Elem>>) {
        self.vae.inference(&mut ws.vae, noise.as_ref().map(ScanvaeNoise::vae));
        self.vae.generative(&mut ws.vae, None);
        if let Some(noise) = noise {
            ws.set_noise(self.backend(), &self.spec, noise, false);
        }
        let ScanvaeWorkspace { vae, labels, labelled } = ws;
        self.evaluate_labels(vae, labels, noise.is_some());
        if labelled.n_cells() > 0 {
            self.classify_eval(labelled);
        }
    }

    /// Probability of each label, of the minibatch in `ws` whose posterior is there
    /// ([`Vae::inference`], or the stored one): at the posterior's mean, or at the draw from it.
    /// `(cells, labels)`.
    ///
    /// Source: scvi-tools 1.4.2, `module/base/_base_module.py`, `classify`.
    pub fn classify(&self, ws: &Workspace<B>, use_posterior_mean: bool) -> Vec<B::Elem> {
        let (backend, dims) = (self.backend(), [ws.inputs.n_cells, self.spec.n_labels()]);
        let mut acts = self.classified(ws, use_posterior_mean);
        let ClassifierActivations { logits, d_logits: probabilities, .. } = &mut acts;
        backend.softmax(logits, probabilities, dims);
        backend.download(probabilities, dims[0] * dims[1])
    }

    /// The logits of these probabilities: `(cells, labels)`.
    pub fn label_logits(&self, ws: &Workspace<B>, use_posterior_mean: bool) -> Vec<B::Elem> {
        let acts = self.classified(ws, use_posterior_mean);
        self.backend().download(&acts.logits, ws.inputs.n_cells * self.spec.n_labels())
    }

    fn classified(&self, ws: &Workspace<B>, use_posterior_mean: bool) -> ClassifierActivations<B> {
        let (backend, inputs) = (self.backend(), &ws.inputs);
        let mut acts =
            ClassifierActivations::new(backend, &self.spec.classifier_plan(), inputs.n_cells);
        let z = if use_posterior_mean { &ws.encoder.mean } else { ws.encoder.z() };
        self.classifier.forward_eval(pass(backend, inputs), z, &mut acts);
        acts
    }

    /// What the labels add to the terms of each cell's loss at the z1 in `ws`, whose posterior is
    /// there, too: to reconstruction_loss, and to kl_local, `(cells)` each. z2 is drawn by the seed.
    pub fn label_terms(&self, ws: &mut Workspace<B>, seed: u64) -> [Vec<B::Elem>; 2] {
        let (backend, n_cells) = (self.backend(), ws.n_cells());
        let mut labels = LabelTerms::new(backend, &self.spec, n_cells);
        labels.draw_latent(backend, &self.spec, &ws.inputs, (seed, 0));
        // The likelihood's own term is not wanted.
        backend.upload(&mut ws.decoder.nll, &vec![B::Elem::ZERO; n_cells]);
        self.evaluate_labels(ws, &mut labels, true);
        [&ws.decoder.nll, &labels.kl_local].map(|terms| backend.download(terms, n_cells))
    }

    /// The labels' terms of a minibatch whose likelihood was evaluated.
    fn evaluate_labels(&self, ws: &mut Workspace<B>, labels: &mut LabelTerms<B>, use_noise: bool) {
        let (backend, inputs, z) = (self.backend(), &ws.inputs, ws.encoder.z());
        let LabelTerms { second_level, classifier, .. } = &mut *labels;
        self.second_level.forward_eval(backend, inputs.n_cells, z, second_level, use_noise);
        self.classifier.forward_eval(pass(backend, inputs), z, classifier);
        self.mix_labels(ws, labels, None);
    }
}

impl<B: Backend<Elem = f32>> Inference for Scanvae<B> {
    type Backend = B;

    fn vae(&self) -> &Vae<B> {
        self.vae()
    }

    fn elbo_terms(&self, ws: &mut Workspace<B>, noise: Option<Noise<f32>>) -> [Vec<f32>; 2] {
        self.vae.inference(ws, noise);
        self.vae.generative(ws, None);
        let (backend, n_cells) = (self.backend(), ws.n_cells());
        let mut labels = LabelTerms::new(backend, &self.spec, n_cells);
        if let Some(Noise::Seeded { seed, draw }) = noise {
            labels.draw_latent(backend, &self.spec, &ws.inputs, (seed, draw));
        }
        self.evaluate_labels(ws, &mut labels, noise.is_some());
        let outputs = ws.cell_outputs(backend);
        let kl = backend.download(&labels.kl_local, n_cells);
        let kl_local = kl.iter().zip(&outputs.kl_divergence_l).map(|(kl, l)| kl + l).collect();
        [outputs.reconstruction_loss, kl_local]
    }
}
