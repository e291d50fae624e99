//! One optimizer step.

use std::slice::from_mut;

use scvi_kernels::ops::label_mixture::{LabelMixture, LabelMixtureGrad};
use scvi_kernels::{Backend, Real};

use super::Scanvae;
use super::noise::ScanvaeNoise;
use super::second_level::LabelWeights;
use super::workspace::{LabelTerms, ScanvaeWorkspace};
use crate::comm::LeafShare;
use crate::module::Workspace;
use crate::module::vae::{for_library, for_z, pass};
use crate::nn::{InputGrads, MomentGrads, OptimizerStep, Param, Update, apply_staged};

/// What becomes of the gradients of a step.
#[derive(Clone, Copy)]
struct Updates<F> {
    /// Of what only the minibatch of all cells reads.
    once: Update<F>,
    /// Of what both minibatches read: by the labelled one, which is first, and by the other.
    shared: [Update<F>; 2],
}

/// How the loss weighs its terms.
pub(super) struct Weights<F> {
    /// A cell.
    cell: F,
    /// A cell's divergences.
    kl: F,
}

impl<B: Backend> Scanvae<B> {
    /// One optimisation step on the minibatches in `ws`: forward in training mode, loss, gradients,
    /// and the optimizer on every parameter. Without a labelled cell there is no classification
    /// loss, and the classifier only learns from the labels' weights.
    pub fn train_step(
        &mut self,
        ws: &mut ScanvaeWorkspace<B>,
        noise: ScanvaeNoise<B::Elem>,
        kl_weight: f64,
        classification_ratio: f64,
        optimizer: impl Into<OptimizerStep<B::Elem>>,
    ) {
        let optimizer = optimizer.into();
        let once = optimizer.update();
        let stages = ws.labelled.n_cells() > 0;
        // A parameter that two minibatches read is moved by the sum of both gradients.
        let shared = if stages { [Update::Stage(0); 2] } else { [once; 2] };
        self.forward_backward(
            ws,
            noise,
            [kl_weight, classification_ratio],
            Updates { once, shared },
        );
        if optimizer.clip.is_some() {
            let (backend, tensors) = self.tensors_mut();
            let (cells, sum) = ([ws.vae.inputs.n_cells], &mut ws.vae.sum_of_squares);
            apply_staged(backend, &optimizer, tensors, sum, LeafShare::solo(&cells));
        } else if stages {
            self.apply_shared(&optimizer, &ws.vae.sum_of_squares);
        }
    }

    /// The optimizer on what both minibatches read, where no gradient is clipped.
    fn apply_shared(&mut self, optimizer: &OptimizerStep<B::Elem>, sum: &B::Buf) {
        let Self { vae, classifier, .. } = self;
        let step = &mut |param: &mut Param<B>| param.step_staged(&vae.backend, optimizer, sum);
        classifier.for_each_param(step);
        vae.encoder.for_each_param(step);
        if let Some(batch) = vae.embeddings.batch_mut() {
            batch.for_each_param(step);
        }
    }

    /// The same without the optimizer: gradients are kept for [`Scanvae::gradients`].
    pub fn compute_gradients(
        &mut self,
        ws: &mut ScanvaeWorkspace<B>,
        noise: ScanvaeNoise<B::Elem>,
        kl_weight: f64,
        classification_ratio: f64,
    ) {
        let once = Update::Store;
        let second = if ws.labelled.n_cells() > 0 { Update::Add } else { once };
        let updates = Updates { once, shared: [once, second] };
        self.forward_backward(ws, noise, [kl_weight, classification_ratio], updates);
    }

    fn forward_backward(
        &mut self,
        ws: &mut ScanvaeWorkspace<B>,
        noise: ScanvaeNoise<B::Elem>,
        [kl_weight, classification_ratio]: [f64; 2],
        updates: Updates<B::Elem>,
    ) {
        ws.vae.library_is_given = false;
        ws.vae.set_noise(&self.vae.backend, noise.vae(), true);
        ws.set_noise(&self.vae.backend, &self.spec, noise, true);
        let ScanvaeWorkspace { vae, labels, labelled } = ws;
        // The loss is a mean over cells.
        let weight = |n: usize, of: f64| B::Elem::of(of / n as f64);
        let weights = Weights { cell: weight(vae.inputs.n_cells, 1.0), kl: B::Elem::of(kl_weight) };
        // Running moments move twice, by the minibatch of all cells first.
        self.forward_train(vae, labels);
        if labelled.n_cells() > 0 {
            self.classify_train(labelled, weight(labelled.n_cells(), classification_ratio));
            self.classify_backward(labelled, updates.shared[0]);
        }
        self.vae.likelihood_train(vae, weights.cell, updates.once);
        self.mix_labels(vae, labels, Some(&weights));
        self.backward(vae, labels, &weights, updates);
    }

    fn forward_train(&mut self, ws: &mut Workspace<B>, labels: &mut LabelTerms<B>) {
        let cells = [ws.inputs.n_cells];
        self.vae.forward_train(from_mut(ws), LeafShare::solo(&cells));
        let (backend, inputs, z) = (&self.vae.backend, &ws.inputs, ws.encoder.z());
        let LabelTerms { second_level, classifier, .. } = labels;
        self.second_level.forward_train(backend, inputs.n_cells, z, second_level);
        self.classifier.forward_train(pass(backend, inputs), z, classifier);
    }

    /// The terms of the loss that the labels add to -ln p(x|z1), and the gradient of the logits.
    pub(super) fn mix_labels(
        &self,
        ws: &mut Workspace<B>,
        labels: &mut LabelTerms<B>,
        weights: Option<&Weights<B::Elem>>,
    ) {
        let (backend, cells) = (&self.vae.backend, ws.inputs.n_cells);
        let n_latent = self.spec.config().vae.n_latent;
        ws.encoder.log_prob(backend, [cells, n_latent], &mut labels.log_q);
        let classifier = &mut labels.classifier;
        let io = LabelMixture {
            logits: &classifier.logits,
            log_prob: &labels.second_level.log_prob,
            kl: &labels.second_level.encoder.kl,
            log_q: &labels.log_q,
            prior: self.y_prior.values(),
            probabilities: &mut labels.probabilities,
            reconstruction_loss: &mut ws.decoder.nll,
            kl_local: &mut labels.kl_local,
            grad: weights.map(|weights| LabelMixtureGrad {
                weight: weights.cell,
                kl_weight: weights.kl,
                d_logits: &mut classifier.d_logits,
            }),
        };
        backend.label_mixture(io, [cells, self.spec.n_labels()]);
    }

    /// From the derivatives of the likelihood and the labels' terms to every parameter.
    fn backward(
        &mut self,
        ws: &mut Workspace<B>,
        labels: &mut LabelTerms<B>,
        weights: &Weights<B::Elem>,
        Updates { once, shared: [_, shared] }: Updates<B::Elem>,
    ) {
        let cells = [ws.inputs.n_cells];
        self.vae.backward_decoder(from_mut(ws), LeafShare::solo(&cells), once);
        self.backward_labels(ws, labels, weights, [once, shared]);
        let Workspace { inputs, encoder: acts, library, d_embedded, .. } = &mut *ws;
        let vae = &mut self.vae;
        let embeds = vae.embeddings.batch().is_some();
        let mut d_embedded = embeds.then_some(d_embedded);
        let pass = pass(&vae.backend, inputs);
        let LabelTerms { d_mean, d_var, .. } = labels;
        let moments = MomentGrads {
            direct: [Some(d_mean), Some(d_var)],
            ..MomentGrads::of_kl(B::Elem::ZERO)
        };
        let grads = InputGrads::added_to(d_embedded.as_deref_mut());
        vae.encoder.backward(pass, for_z(inputs), acts, moments, grads, shared);
        if let (Some(encoder), Some(acts)) = (&mut vae.library_encoder, library) {
            // All divergences are warmed up, that of the library, too.
            let moments = MomentGrads::of_kl(weights.cell * weights.kl);
            let grads = InputGrads::added_to(d_embedded);
            encoder.backward(pass, for_library(inputs), acts, moments, grads, once);
        }
        let reads = vae.encoder.plan().fc.n_embedded > 0;
        vae.backward_embedding(from_mut(ws), if reads { shared } else { once });
    }

    /// From the labels' terms to the classifier, the second level, z1 and its posterior.
    fn backward_labels(
        &mut self,
        ws: &mut Workspace<B>,
        labels: &mut LabelTerms<B>,
        weights: &Weights<B::Elem>,
        [once, shared]: [Update<B::Elem>; 2],
    ) {
        let (backend, cells) = (&self.vae.backend, ws.inputs.n_cells);
        let Workspace { inputs, encoder: acts, .. } = ws;
        let LabelTerms { second_level, classifier, probabilities, d_mean, d_var, .. } = labels;
        let (z, dz) = acts.z_and_grad();
        let grads = InputGrads { input: Some((&mut *dz, true)), embedded: None };
        self.classifier.backward(pass(backend, inputs), z, classifier, grads, shared);
        let &Weights { cell: weight, kl: kl_weight } = weights;
        let loss = LabelWeights { weight, kl_weight, probabilities };
        self.second_level.backward(backend, cells, (z, dz), second_level, loss, once);
        let dims = [cells, self.spec.config().vae.n_latent];
        acts.log_prob_grad(backend, dims, weight, [d_mean, d_var]);
    }
}
