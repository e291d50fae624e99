//! SCANVAE: a [`Vae`] with a classifier and a second latent level.
//!
//! ```text
//! z1 ~ q(z1|x), p(x|z1)        as in the Vae
//! q(y|z1)  = softmax(classifier(z1))
//! z2 ~ q(z2|z1, y) = encoder_z2_z1([z1, y]),   p(z2) = N(0, 1)
//! p(z1|z2, y)      = decoder_z1_z2([z2, y])
//! ```
//! The label is never read where z1 comes from: every cell is tried with every label. With w = q(y|z1)
//! the loss is the mean over cells of
//!
//! ```text
//! reconstruction_loss = -ln p(x|z1) + ln q(z1|x) - Σ_y w_y ln p(z1|z2, y)
//! kl_local            = Σ_y w_y KL(q(z2|z1, y) ‖ p(z2)) + KL(w ‖ y_prior) + KL(q(l|x) ‖ p(l))
//! loss                = reconstruction_loss + kl_weight kl_local
//! ```
//! and of a second minibatch, whose cells have labels, classification_ratio times the mean cross
//! entropy of the classifier at the mean of q(z1|x). It runs the encoder once more.
//!
//! Xu et al. 2021, Mol Syst Biol 17:e9620; scvi-tools 1.4.2, `module/_scanvae.py`.

mod config;
mod evaluate;
mod inputs;
mod labelled;
mod metrics;
mod noise;
mod outputs;
mod second_level;
mod spec;
mod state;
mod step;
mod workspace;

pub use config::{ClassifierParameters, ScanvaeConfig};
pub use inputs::ScanvaeInputs;
pub use noise::{GivenScanvaeNoise, ScanvaeNoise};
pub use spec::ScanvaeSpec;
pub use workspace::ScanvaeWorkspace;

use scvi_kernels::{Backend, Real};

use super::vae::Vae;
use crate::nn::{Classifier, Init, RunningMoment, StateError};
use second_level::SecondLevel;

/// What the seed of the second level differs by from that of the Vae, which draws its own weights.
const SECOND_LEVEL_SEED: u64 = 0x5ca1_ab1e;

/// scANVI's variational autoencoder; the formulas are in the module's documentation.
#[derive(Clone)]
pub struct Scanvae<B: Backend> {
    vae: Vae<B>,
    spec: ScanvaeSpec,
    classifier: Classifier<B>,
    second_level: SecondLevel<B>,
    y_prior: RunningMoment<B>, // (n_labels)
}

impl<B: Backend + Clone> Scanvae<B> {
    /// A model with torch's default initial weights, drawn from `seed`.
    pub fn new(backend: B, spec: ScanvaeSpec, seed: u64) -> Self {
        let vae = Vae::new(backend, spec.vae().clone(), seed);
        Self::of_vae(vae, spec, seed)
    }

    /// A model that begins with the weights of a trained `vae`; the others are drawn from `seed`.
    ///
    /// # Panics
    /// If `spec` describes another Vae.
    pub fn of_vae(vae: Vae<B>, spec: ScanvaeSpec, seed: u64) -> Self {
        assert!(vae.spec() == spec.vae(), "the Vae of the specification");
        let backend = vae.backend().clone();
        let mut init = Init::new(seed ^ SECOND_LEVEL_SEED);
        let classifier = Classifier::new(&backend, spec.classifier_plan(), &mut init);
        let second_level = SecondLevel::new(&backend, &spec, &mut init);
        let prior: Vec<B::Elem> = spec.y_prior().into_iter().map(B::Elem::of).collect();
        let mut y_prior = backend.zeros(prior.len());
        backend.upload(&mut y_prior, &prior);
        Self { vae, spec, classifier, second_level, y_prior: RunningMoment::new(y_prior) }
    }

    /// The same of the Vae of an SCVI, which may have been set up with other labels (scvi-tools'
    /// `SCANVI.from_scvi_model`).
    ///
    /// # Errors
    /// [`StateError`] where `spec` describes a Vae with other tensors.
    pub fn from_scvi_model(
        scvi: &Vae<B>,
        spec: ScanvaeSpec,
        seed: u64,
    ) -> Result<Self, StateError> {
        let mut vae = Vae::new(scvi.backend().clone(), spec.vae().clone(), seed);
        vae.load_state_dict(scvi.state_dict())?;
        Ok(Self::of_vae(vae, spec, seed))
    }
}

impl<B: Backend> Scanvae<B> {
    /// What this model is.
    pub fn spec(&self) -> &ScanvaeSpec {
        &self.spec
    }

    /// The device it lives on.
    pub fn backend(&self) -> &B {
        self.vae.backend()
    }

    /// What encodes and decodes cells, without the rest.
    pub fn into_vae(self) -> Vae<B> {
        self.vae
    }

    /// What encodes and decodes cells.
    pub fn vae(&self) -> &Vae<B> {
        &self.vae
    }
}
