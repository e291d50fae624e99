//! The module: configuration, its validated form, and the variational autoencoder itself.

mod config;
mod options;
mod spec;
mod vae;
mod workspace;

pub use config::{ConfigError, VaeConfig};
pub use options::{Choice, Dispersion, GeneLikelihood, NormPlacement, UnknownChoice};
pub use spec::VaeSpec;
pub use vae::Vae;
pub use workspace::{CellOutputs, Inputs, Minibatch, Noise, Workspace};
