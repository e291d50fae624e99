//! The module: configuration, its validated form, and the variational autoencoder itself.

mod config;
mod covariates;
mod decoded_samples;
mod decoder_step;
mod embedding_api;
mod kwargs;
mod marginal;
mod minibatch;
mod minified;
mod noise;
mod optimizer_step;
mod options;
mod other_counts;
mod outputs;
mod readers;
mod spec;
mod state;
mod vae;
mod validate;
mod workspace;

pub use crate::nn::{Decoded, GradientClip};
pub use config::VaeConfig;
pub(crate) use covariates::OneHotPlan;
pub use decoded_samples::DecodedSamples;
pub use embedding_api::AddedEmbedding;
pub use kwargs::{DecoderKwargs, EmbeddingKwargs, EncoderKwargs};
pub use minibatch::{Inputs, Minibatch};
pub use minified::{MinifiedDataType, MinifiedError, PosteriorRows, StoredPosterior};
pub use noise::{GivenNoise, Noise};
pub use optimizer_step::OptimizerStep;
pub use options::{
    Activation, BatchRepresentation, Choice, Dispersion, GeneLikelihood, LatentDistribution,
    NormPlacement, UnknownChoice, VarActivation,
};
pub use outputs::{CellOutputs, ExtraMetrics, LossSums};
pub use spec::VaeSpec;
pub use vae::Vae;
pub use validate::ConfigError;
pub use workspace::Workspace;
