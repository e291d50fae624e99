//! The module: configuration, its validated form, and the variational autoencoder itself.

mod buffers;
mod config;
mod config_error;
mod covariates;
mod decoded_samples;
mod embedding_api;
mod inference;
mod kwargs;
mod loss;
mod marginal;
mod minibatch;
mod minified;
mod minified_data;
mod noise;
mod options;
mod other_counts;
mod outputs;
mod posterior_rows;
mod readers;
mod scanvae;
mod spec;
mod state;
mod train_step;
mod vae;
mod validate;
mod workspace;

pub use crate::nn::{Decoded, GradientClip, OptimizerStep};
pub use config::VaeConfig;
pub use config_error::ConfigError;
pub(crate) use covariates::OneHotPlan;
pub use decoded_samples::DecodedSamples;
pub use embedding_api::AddedEmbedding;
pub use inference::Inference;
pub use kwargs::{DecoderKwargs, EmbeddingKwargs, EncoderKwargs};
pub use loss::{Loss, LossPart, LossTerm};
pub use minibatch::{Inputs, Minibatch};
pub use minified_data::{MinifiedDataType, MinifiedError};
pub use noise::{GivenNoise, Noise};
pub use options::{
    Activation, BatchRepresentation, Choice, Dispersion, GeneLikelihood, LatentDistribution,
    NormPlacement, UnknownChoice, VarActivation,
};
pub use outputs::{CellOutputs, ExtraMetrics};
pub use posterior_rows::{PosteriorRows, StoredPosterior};
pub use scanvae::{
    ClassifierParameters, GivenScanvaeNoise, Scanvae, ScanvaeConfig, ScanvaeInputs, ScanvaeNoise,
    ScanvaeSpec, ScanvaeWorkspace,
};
pub use spec::VaeSpec;
pub use vae::Vae;
pub use workspace::Workspace;
