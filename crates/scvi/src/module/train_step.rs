//! Steps of training: forward in training mode, gradients, optimizer.

use scvi_kernels::ops::count_head::LikelihoodPass;
use scvi_kernels::{Backend, Real};

use super::noise::Noise;
use super::vae::{Vae, dispersion, for_library, for_z, log_factor, pass};
use super::workspace::Workspace;
use crate::comm::LeafShare;
use crate::nn::{
    DecoderLeaf, Embedding, EncoderLeaf, InputGrads, MomentGrads, OptimizerStep, Update,
    apply_staged, keep_staged, with_each,
};

impl<B: Backend> Vae<B> {
    /// One optimizer step on the minibatch in `ws`: forward in training mode, loss, gradients, and
    /// the optimizer on every parameter.
    pub fn train_step(
        &mut self,
        ws: &mut Workspace<B>,
        noise: Noise<B::Elem>,
        kl_weight: f64,
        optimizer: impl Into<OptimizerStep<B::Elem>>,
    ) {
        let cells = [ws.inputs.n_cells];
        let share = LeafShare::solo(&cells);
        self.train_leaves(std::slice::from_mut(ws), share, noise, kl_weight, optimizer);
    }

    /// The same on a worker's share of a minibatch in leaves, each in a workspace.
    ///
    /// Loss and batch normalisation are those of the whole minibatch; gradients, and the moments of
    /// normalised layers, are added up over the leaves pair by pair. Of several leaves the gradient
    /// is formed whole before the optimizer moves anything. The heads of all leaves use the buffers
    /// of the first, which must be as large as any leaf; the others may come from
    /// [`Vae::leaf_workspace`].
    ///
    /// # Panics
    /// If there are several leaves, and [`Vae::takes_leaves`] denies it.
    pub fn train_leaves(
        &mut self,
        leaves: &mut [Workspace<B>],
        share: LeafShare,
        noise: Noise<B::Elem>,
        kl_weight: f64,
        optimizer: impl Into<OptimizerStep<B::Elem>>,
    ) {
        let optimizer = optimizer.into();
        let update = update(&optimizer, share);
        self.forward_backward(leaves, share, noise, kl_weight, update);
        self.apply_staged(leaves, share, optimizer, update);
    }

    /// The same without the optimizer: gradients are kept for [`Vae::gradients`].
    pub fn compute_gradients(
        &mut self,
        ws: &mut Workspace<B>,
        noise: Noise<B::Elem>,
        kl_weight: f64,
    ) {
        let cells = [ws.inputs.n_cells];
        let (share, leaves) = (LeafShare::solo(&cells), std::slice::from_mut(ws));
        self.forward_backward(leaves, share, noise, kl_weight, Update::Store);
    }

    /// The same of a minibatch in leaves that are all here.
    ///
    /// # Panics
    /// As [`Vae::train_leaves`].
    pub fn compute_gradients_of_leaves(
        &mut self,
        leaves: &mut [Workspace<B>],
        noise: Noise<B::Elem>,
        kl_weight: f64,
    ) {
        let cells: Vec<usize> = leaves.iter().map(Workspace::n_cells).collect();
        let share = LeafShare::solo(&cells);
        self.forward_backward(leaves, share, noise, kl_weight, Update::Stage(0));
        let (backend, tensors) = self.tensors_mut();
        keep_staged(backend, tensors);
    }

    /// One optimizer step on a worker's share of a minibatch at draws from its stored posterior: forward
    /// in training mode, loss, gradients, and the optimizer on the parameters of the decoder, px_r
    /// and the batch's embedding. The encoder is not run.
    ///
    /// Source: scvi-tools 1.4.2, `update_only_decoder` in `train/_trainingplans.py` with minified
    /// data.
    ///
    /// # Panics
    /// As [`Vae::cached_inference`] and [`Vae::train_leaves`].
    pub fn train_decoder_leaves(
        &mut self,
        leaves: &mut [Workspace<B>],
        share: LeafShare,
        noise: Noise<B::Elem>,
        optimizer: impl Into<OptimizerStep<B::Elem>>,
    ) {
        let optimizer = optimizer.into();
        let update = update(&optimizer, share);
        for ws in &mut *leaves {
            self.cached_inference(ws, Some(noise));
            self.embed_batch_train(ws);
        }
        self.forward_decoder(leaves, share);
        self.train_heads(leaves, mean_weight(share), update);
        self.backward_decoder(leaves, share, update);
        self.backward_embedding(leaves, update);
        self.apply_staged(leaves, share, optimizer, update);
    }

    /// -ln p(x|z) of each cell of a minibatch in leaves, in evaluation mode: [`Vae::generative`].
    pub fn generative_leaves(&self, leaves: &mut [Workspace<B>]) {
        one_by_one(leaves, |ws| self.generative(ws, None));
    }

    /// Whether a minibatch may come in several leaves: not where the heads of a linear decoder are
    /// batch-normalised, which is done to all cells that they see, nor where the batch's embedding
    /// has a rule that goes by all cells of a minibatch (`max_norm`, `scale_grad_by_freq`).
    pub fn takes_leaves(&self) -> bool {
        self.decoder.takes_leaves() && self.embeddings.batch().is_none_or(Embedding::takes_leaves)
    }

    /// Clips and applies the gradients that a backward pass staged, if it did.
    fn apply_staged(
        &mut self,
        leaves: &mut [Workspace<B>],
        share: LeafShare,
        step: OptimizerStep<B::Elem>,
        update: Update<B::Elem>,
    ) {
        if matches!(update, Update::Stage(_)) {
            let (backend, tensors) = self.tensors_mut();
            match leaves {
                [ws, ..] => apply_staged(backend, &step, tensors, &mut ws.sum_of_squares, share),
                [] => apply_staged(backend, &step, tensors, &mut backend.zeros(1), share),
            }
        }
    }

    fn forward_backward(
        &mut self,
        leaves: &mut [Workspace<B>],
        share: LeafShare,
        noise: Noise<B::Elem>,
        kl_weight: f64,
        update: Update<B::Elem>,
    ) {
        for ws in &mut *leaves {
            ws.library_is_given = false;
            ws.set_noise(&self.backend, noise, true);
        }
        self.forward_train(leaves, share);
        let weight = mean_weight(share);
        self.train_heads(leaves, weight, update);
        self.backward_decoder(leaves, share, update);
        self.backward_encoders(leaves, share, [weight, B::Elem::of(kl_weight) * weight], update);
        self.backward_embedding(leaves, update);
    }

    /// Posteriors, and what the decoder's heads read, in training mode.
    pub(super) fn forward_train(&mut self, leaves: &mut [Workspace<B>], share: LeafShare) {
        leaves.iter_mut().for_each(|ws| self.embed_batch_train(ws));
        self.forward_encoders(leaves, share);
        self.forward_decoder(leaves, share);
    }

    fn embed_batch_train(&mut self, ws: &mut Workspace<B>) {
        let inputs = &mut ws.inputs;
        if let Some(batch) = self.embeddings.batch_mut() {
            let embedded = &mut inputs.covariates.embedded;
            batch.forward_train(&self.backend, &inputs.batch, inputs.n_cells, embedded);
        }
    }

    /// Posteriors in training mode.
    fn forward_encoders(&mut self, leaves: &mut [Workspace<B>], share: LeafShare) {
        let Self { backend, encoder, library_encoder, .. } = self;
        let of_z = |ws| {
            let Workspace { inputs, encoder, .. }: &mut Workspace<B> = ws;
            EncoderLeaf { pass: pass(backend, inputs), input: for_z(inputs), acts: encoder }
        };
        with_each(leaves, of_z, |leaves| encoder.forward_train_leaves(backend, leaves, share));
        let Some(encoder) = library_encoder else { return };
        let of_library = |ws| {
            let Workspace { inputs, library, .. }: &mut Workspace<B> = ws;
            let acts = library.as_mut().expect("a workspace of this model");
            EncoderLeaf { pass: pass(backend, inputs), input: for_library(inputs), acts }
        };
        with_each(leaves, of_library, |leaves| {
            encoder.forward_train_leaves(backend, leaves, share);
        });
    }

    /// What the decoder's heads read, in training mode.
    fn forward_decoder(&mut self, leaves: &mut [Workspace<B>], share: LeafShare) {
        assert!(
            share.is_single() || self.takes_leaves(),
            "a model that takes a minibatch as a whole"
        );
        let Self { backend, decoder, .. } = self;
        let leaf = |ws| {
            let Workspace { inputs, encoder, decoder, .. }: &mut Workspace<B> = ws;
            DecoderLeaf { pass: pass(backend, inputs), z: encoder.z(), acts: decoder }
        };
        with_each(leaves, leaf, |leaves| decoder.hidden_train_leaves(backend, leaves, share));
    }

    /// The heads and the likelihood, forward and backward, a leaf at a time: what they have of each
    /// cell and gene stays in the caches, and one set of buffers serves all leaves.
    fn train_heads(
        &mut self,
        leaves: &mut [Workspace<B>],
        weight: B::Elem,
        update: Update<B::Elem>,
    ) {
        one_by_one(leaves, |ws| self.likelihood_train(ws, weight, update));
    }

    /// The heads, the likelihood and its derivatives, and what becomes of those of the heads, px_r
    /// and the library.
    pub(super) fn likelihood_train(
        &mut self,
        ws: &mut Workspace<B>,
        weight: B::Elem,
        update: Update<B::Elem>,
    ) {
        let Self { backend, decoder, px_r, spec, .. } = self;
        let given = ws.library_is_given.then_some(&ws.given_library);
        let Workspace { inputs, library, decoder: dec, .. } = ws;
        decoder.heads_train(backend, dec, inputs.n_cells);
        let sink = px_r.as_mut().map(|p| p.sink(backend, update));
        let dispersion = dispersion(spec, sink, inputs);
        let pass = LikelihoodPass {
            likelihood: spec.config().gene_likelihood.into(),
            counts: &inputs.counts,
            library: log_factor(backend, spec, inputs, library.as_ref(), given),
            grad_weight: Some(weight),
            dropout: None,
        };
        decoder.likelihood_train(backend, pass, dispersion, dec, inputs.n_cells, update);
        if let Some(inferred) = library {
            decoder.library_grad(backend, dec, &mut inferred.dz, inputs.n_cells);
        }
        decoder.heads_backward(backend, dec, inputs.n_cells, update);
    }

    /// From the gradient of what the heads read to the decoder's hidden layers, z and the batch's
    /// embedding.
    pub(super) fn backward_decoder(
        &mut self,
        leaves: &mut [Workspace<B>],
        share: LeafShare,
        update: Update<B::Elem>,
    ) {
        let Self { backend, embeddings, decoder, .. } = self;
        let embeds = embeddings.batch().is_some();
        let leaf = |ws| {
            let Workspace { inputs, encoder, decoder, d_embedded, .. }: &mut Workspace<B> = ws;
            let (z, dz) = encoder.z_and_grad();
            let embedded = embeds.then_some((d_embedded, false));
            let leaf = DecoderLeaf { pass: pass(backend, inputs), z, acts: decoder };
            (leaf, InputGrads { input: Some((dz, false)), embedded })
        };
        with_each(leaves, leaf, |leaves| {
            decoder.hidden_backward_leaves(backend, leaves, share, update);
        });
    }

    /// From the gradients of z and the library to the encoders' parameters and the embedding; with
    /// the weights of a cell, and of its divergence of z.
    fn backward_encoders(
        &mut self,
        leaves: &mut [Workspace<B>],
        share: LeafShare,
        [weight, kl_weight]: [B::Elem; 2],
        update: Update<B::Elem>,
    ) {
        let Self { backend, encoder, library_encoder, embeddings, .. } = self;
        let embeds = embeddings.batch().is_some();
        let of_z = |ws| {
            let Workspace { inputs, encoder, d_embedded, .. }: &mut Workspace<B> = ws;
            let (pass, input) = (pass(backend, inputs), for_z(inputs));
            let grads = InputGrads::added_to(embeds.then_some(d_embedded));
            let moments = MomentGrads::of_kl(kl_weight);
            (EncoderLeaf { pass, input, acts: encoder }, moments, grads)
        };
        with_each(leaves, of_z, |leaves| encoder.backward_leaves(backend, leaves, share, update));
        let Some(encoder) = library_encoder else { return };
        let of_library = |ws| {
            let Workspace { inputs, library, d_embedded, .. }: &mut Workspace<B> = ws;
            let (pass, input) = (pass(backend, inputs), for_library(inputs));
            let acts = library.as_mut().expect("a workspace of this model");
            let grads = InputGrads::added_to(embeds.then_some(d_embedded));
            // The divergence of the library is not warmed up.
            (EncoderLeaf { pass, input, acts }, MomentGrads::of_kl(weight), grads)
        };
        with_each(leaves, of_library, |leaves| {
            encoder.backward_leaves(backend, leaves, share, update);
        });
    }

    pub(super) fn backward_embedding(
        &mut self,
        leaves: &mut [Workspace<B>],
        update: Update<B::Elem>,
    ) {
        let Some(batch) = self.embeddings.batch_mut() else { return };
        for Workspace { inputs, d_embedded, .. } in leaves {
            batch.backward(&self.backend, &inputs.batch, inputs.n_cells, d_embedded, update);
        }
    }
}

/// Does work on each leaf, in the first leaf's buffers of the heads.
fn one_by_one<B: Backend>(leaves: &mut [Workspace<B>], mut work: impl FnMut(&mut Workspace<B>)) {
    let Some((first, others)) = leaves.split_first_mut() else { return };
    work(first);
    for ws in others {
        ws.decoder.swap_heads(&mut first.decoder);
        work(ws);
        ws.decoder.swap_heads(&mut first.decoder);
    }
}

/// What each cell's loss is multiplied by: the loss is a mean over the cells of all leaves.
fn mean_weight<F: Real>(share: LeafShare) -> F {
    F::of(1.0 / share.n_cells() as f64)
}

/// What becomes of a step's gradients: those of several leaves are added up first.
fn update<F: Real>(optimizer: &OptimizerStep<F>, share: LeafShare) -> Update<F> {
    match share.is_single() {
        true => optimizer.update(),
        false => Update::Stage(share.own().start),
    }
}
