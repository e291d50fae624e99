//! The variational autoencoder.

use scvi_kernels::ops::count_head::{self, LikelihoodPass};
use scvi_kernels::ops::posterior;
use scvi_kernels::{Backend, GradSink};

use super::minibatch::Inputs;
use super::minified_data::MinifiedDataType;
use super::noise::Noise;
use super::options::Dispersion;
use super::spec::{Library, VaeSpec};
use super::workspace::Workspace;
use crate::nn::{
    Decoded, Decoder, Embedding, Embeddings, Encoder, EncoderActivations, EncoderInput, FcInput,
    Init, Param, Pass,
};

/// scVI's variational autoencoder (Lopez et al. 2018; scvi-tools 1.4.2, `module/_vae.py`).
///
/// ```text
/// q(z|x) = N(q_m, q_v),  q_m, q_v = encoder(ln(1 + x))
/// p(x|z) = likelihood(μ = e^library ρ, θ, π),  ρ, π = decoder([z, batch])
/// loss   = mean over cells of  -Σ_g ln p(x_g|z) + kl_weight KL(q(z|x) ‖ N(0, 1))
///                              + KL(q(l|x) ‖ p(l)) of an inferred library
/// ```
#[derive(Clone)]
pub struct Vae<B: Backend> {
    pub(super) backend: B,
    pub(super) spec: VaeSpec,
    pub(super) encoder: Encoder<B>,
    pub(super) library_encoder: Option<Encoder<B>>,
    pub(super) embeddings: Embeddings<B>,
    pub(super) decoder: Decoder<B>,
    pub(super) px_r: Option<Param<B>>, // (genes, groups)
    pub(super) minified: Option<MinifiedDataType>,
}

impl<B: Backend> Vae<B> {
    /// A model with torch's default initial weights, drawn from `seed`.
    pub fn new(backend: B, spec: VaeSpec, seed: u64) -> Self {
        let config = spec.config();
        let mut init = Init::new(seed);
        let px_r = spec
            .dispersion_groups()
            .map(|groups| Param::new(&backend, &init.normal(config.n_input * groups)));
        let activation = || posterior::VarActivation::from(config.var_activation);
        let encoder = Encoder::new(&backend, spec.encoder_plan(), activation(), &mut init);
        let decoder = Decoder::new(&backend, spec.decoder_plan(), &mut init);
        let library_encoder = matches!(spec.library(), Library::Latent { .. })
            .then(|| Encoder::new(&backend, spec.library_encoder_plan(), activation(), &mut init));
        let batch = spec.embedding().map(|plan| Embedding::new(&backend, plan, &mut init));
        let embeddings = Embeddings::new(batch);
        Self { backend, spec, encoder, library_encoder, embeddings, decoder, px_r, minified: None }
    }

    /// What this model is.
    pub fn spec(&self) -> &VaeSpec {
        &self.spec
    }

    /// The device it lives on.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// Makes the posterior's variance positive by the caller's own function, in place of
    /// `var_activation`: q_v = f(s) + var_eps.
    ///
    /// It is part of the running program alone: a saved model does not remember it.
    pub fn set_var_activation(&mut self, activation: posterior::VarActivation<B::Elem>) {
        for encoder in self.library_encoder.iter_mut().chain([&mut self.encoder]) {
            encoder.var_activation = activation.clone();
        }
    }

    /// The posterior of the minibatch in `ws`, in evaluation mode: q_m, q_v, z and KL, and those of
    /// an inferred library. Without noise both are at their posterior's mean.
    pub fn inference(&self, ws: &mut Workspace<B>, noise: Option<Noise<B::Elem>>) {
        if let Some(noise) = noise {
            ws.set_noise(&self.backend, noise, false);
        }
        ws.library_is_given = false;
        ws.inputs.set_batch(&self.backend, None);
        self.embed_batch(&mut ws.inputs);
        let inputs = &ws.inputs;
        let pass = pass(&self.backend, inputs);
        let use_noise = noise.is_some();
        self.encoder.forward_eval(pass, for_z(inputs), &mut ws.encoder, use_noise);
        if let (Some(encoder), Some(acts)) = (&self.library_encoder, &mut ws.library) {
            encoder.forward_eval(pass, for_library(inputs), acts, use_noise);
        }
    }

    /// Draws z, and an inferred library, once more from the posterior of [`Vae::inference`].
    pub fn redraw(&self, ws: &mut Workspace<B>, noise: Noise<B::Elem>) {
        ws.set_noise(&self.backend, noise, false);
        let inputs = &ws.inputs;
        let pass = pass(&self.backend, inputs);
        self.encoder.draw(pass, None, &mut ws.encoder, true);
        if let (Some(encoder), Some(acts)) = (&self.library_encoder, &mut ws.library) {
            encoder.draw(pass, inputs.prior.as_ref(), acts, true);
        }
    }

    pub(super) fn embed_batch(&self, inputs: &mut Inputs<B>) {
        if let Some(batch) = self.embeddings.batch() {
            let embedded = &mut inputs.covariates.embedded;
            batch.forward_eval(&self.backend, &inputs.batch, inputs.n_cells, embedded);
        }
    }

    /// Decodes z, in evaluation mode, after [`Vae::inference`] or [`Vae::set_latent`], as far as is
    /// wanted and without looking at any count.
    ///
    /// With `transform_batch` every cell is decoded as if it came from that batch.
    ///
    /// # Panics
    /// If the model has no such batch.
    pub fn decode(&self, ws: &mut Workspace<B>, transform_batch: Option<u32>, wanted: Decoded) {
        self.set_batch(ws, transform_batch);
        let Workspace { inputs, encoder: enc, decoder: dec, .. } = ws;
        self.decoder.forward_eval(pass(&self.backend, inputs), enc.z(), dec, wanted);
    }

    /// Puts every cell into one batch, or back into its own.
    pub(super) fn set_batch(&self, ws: &mut Workspace<B>, transform_batch: Option<u32>) {
        let n_batch = self.spec.config().n_batch.max(1);
        assert!(transform_batch.is_none_or(|b| (b as usize) < n_batch), "a batch of the model's");
        ws.inputs.set_batch(&self.backend, transform_batch);
        self.embed_batch(&mut ws.inputs);
    }

    /// Decodes z as [`Vae::decode`], and evaluates -ln p(x|z) of each cell.
    ///
    /// # Panics
    /// As [`Vae::decode`].
    pub fn generative(&self, ws: &mut Workspace<B>, transform_batch: Option<u32>) {
        self.decode(ws, transform_batch, Decoded::All);
        self.evaluate(ws);
    }

    /// -ln p(x|z) of each cell, of what was decoded last.
    pub(super) fn evaluate(&self, ws: &mut Workspace<B>) {
        let given = ws.library_is_given.then_some(&ws.given_library);
        let Workspace { inputs, library, decoder: dec, .. } = ws;
        let pass = LikelihoodPass {
            likelihood: self.spec.config().gene_likelihood.into(),
            counts: &inputs.counts,
            library: log_factor(&self.backend, &self.spec, inputs, library.as_ref(), given),
            grad_weight: None,
            dropout: None,
        };
        let sink = self.px_r.as_ref().map(|p| GradSink::Frozen { value: &p.value });
        let dispersion = dispersion(&self.spec, sink, inputs);
        self.decoder.likelihood(&self.backend, pass, dispersion, dec, inputs.n_cells);
    }

    /// Logarithms that ρ was scaled by, to give μ: `(cells)`.
    pub(super) fn log_factors(&self, ws: &Workspace<B>) -> Vec<B::Elem> {
        let Workspace { inputs, library, .. } = ws;
        let given = ws.library_is_given.then_some(&ws.given_library);
        let factor = log_factor(&self.backend, &self.spec, inputs, library.as_ref(), given);
        self.backend.download(factor, inputs.n_cells)
    }

    /// Takes z and the log library from elsewhere, `(cells, n_latent)` and `(cells)`, for
    /// [`Vae::generative`] (its arguments `z` and `library` in scvi-tools).
    ///
    /// # Panics
    /// If the lists do not fit the minibatch in `ws`.
    pub fn set_latent(&self, ws: &mut Workspace<B>, z: &[B::Elem], library: &[B::Elem]) {
        let n = ws.inputs.n_cells;
        assert_eq!(z.len(), n * self.spec.config().n_latent, "n_latent numbers a cell");
        assert_eq!(library.len(), n, "one library a cell");
        ws.encoder.set_z(&self.backend, z);
        self.backend.upload(&mut ws.given_library, library);
        ws.library_is_given = true;
    }
}

pub(super) fn pass<'a, B: Backend>(backend: &'a B, inputs: &'a Inputs<B>) -> Pass<'a, B> {
    Pass { backend, covariates: &inputs.covariates, cells: inputs.n_cells }
}

/// What the encoder of z reads; its prior is N(0, 1).
pub(super) fn for_z<B: Backend>(inputs: &Inputs<B>) -> EncoderInput<'_, B> {
    EncoderInput { x: FcInput::Counts(&inputs.counts), prior: None }
}

/// What the encoder of the library reads; its prior goes by batch.
pub(super) fn for_library<B: Backend>(inputs: &Inputs<B>) -> EncoderInput<'_, B> {
    EncoderInput { x: FcInput::Counts(&inputs.counts), prior: inputs.prior.as_ref() }
}

/// The logarithm that scales each cell's ρ to μ: of the size factor where one is used, else of the
/// library, which is given, inferred or observed.
pub(super) fn log_factor<'a, B: Backend>(
    backend: &B,
    spec: &VaeSpec,
    inputs: &'a Inputs<B>,
    inferred: Option<&'a EncoderActivations<B>>,
    given: Option<&'a B::Buf>,
) -> &'a B::Buf {
    match spec.library() {
        Library::SizeFactor => &inputs.size_factor,
        Library::Observed | Library::Latent { .. } => given
            .or(inferred.map(EncoderActivations::z))
            .unwrap_or_else(|| backend.library(&inputs.counts)),
    }
}

pub(super) fn dispersion<'a, B: Backend>(
    spec: &VaeSpec,
    px_r: Option<GradSink<'a, B>>,
    inputs: &'a Inputs<B>,
) -> count_head::Dispersion<'a, B> {
    let (Some(px_r), Some(n_groups)) = (px_r, spec.dispersion_groups()) else {
        return match spec.heads_plan().px_r {
            true => count_head::Dispersion::FromDecoder,
            false => count_head::Dispersion::None,
        };
    };
    let groups = match spec.config().dispersion {
        Dispersion::GeneBatch => Some(&inputs.batch),
        Dispersion::GeneLabel => Some(&inputs.labels),
        Dispersion::Gene | Dispersion::GeneCell => None,
    };
    count_head::Dispersion::Table { px_r, groups, n_groups }
}
