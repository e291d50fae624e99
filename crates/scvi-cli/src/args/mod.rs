//! What the user may type.

mod de;
mod files;
mod map;
mod reading;
mod tasks;
mod train;
mod weights;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use de::{DeArgs, DeMode, DeTestMode};
pub use files::{ConvertArgs, InspectArgs, ModelFormat, SimulateArgs};
pub use map::{FreezeArgs, MapArgs};
pub use reading::{InMemory, ReadArgs, Shuffle, ShuffleArgs};
pub use tasks::{
    CorrelateArgs, EvaluateArgs, LatentArgs, MinifyArgs, NormalizeArgs, ParametersArgs, SampleArgs,
};
pub use train::{CheckpointArgs, DataArgs, ModelArgs, PlanArgs, TrainArgs};
pub use weights::{WeightArgs, WeightKind};

/// scVI: a variational autoencoder for single-cell RNA counts.
#[derive(Debug, Parser)]
#[command(name = "scvi", version, max_term_width = 100, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
}

/// Options of every command.
#[derive(Debug, Args)]
pub struct Common {
    /// Seed of everything random
    #[arg(long, global = true, default_value_t = 0)]
    pub seed: u64,
    /// Threads to use [default: all cores]; results do not depend on it
    #[arg(long, global = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Replace outputs that exist
    #[arg(long, global = true)]
    pub overwrite: bool,
    /// Print one JSON document on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress, no notes
    #[arg(long, global = true)]
    pub quiet: bool,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a model on raw counts
    Train(Box<TrainArgs>),
    /// Write the latent representation of every cell
    Latent(LatentArgs),
    /// Evaluate how well a model explains cells: ELBO and its terms
    Evaluate(EvaluateArgs),
    /// Write the normalised expression of every cell
    Normalize(NormalizeArgs),
    /// Write the parameters of the likelihood of every cell and gene
    Parameters(ParametersArgs),
    /// Draw counts that the model predicts of every cell
    Sample(SampleArgs),
    /// Correlate genes over denoised draws
    Correlate(CorrelateArgs),
    /// Compare groups of cells gene by gene: differential expression
    De(Box<DeArgs>),
    /// Map new cells onto a trained model: their batches and categories are learnt, the rest is kept
    Map(Box<MapArgs>),
    /// Write a copy of cells that holds their posterior instead of their counts
    Minify(MinifyArgs),
    /// Write a simulated data set with batches and cell types
    Simulate(SimulateArgs),
    /// Write a model in the format of this program, or as a save that scvi-tools opens
    Convert(ConvertArgs),
    /// Show what a model or an .h5ad or .zarr file holds
    Inspect(InspectArgs),
}

/// A model and the cells to use it on.
#[derive(Debug, Args)]
pub struct ModelInput {
    /// Folder of the trained model, or of one that scvi-tools saved (with a model.pt)
    #[arg(long, value_name = "MODEL")]
    pub model: PathBuf,
    /// Raw counts, .h5ad or .zarr, with the genes and columns that the model knows
    pub input: PathBuf,
    /// Leave out cells without a single count; their rows in outputs are NaN
    #[arg(long)]
    pub drop_empty_cells: bool,
    /// Cells evaluated at a time
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub batch_size: usize,
    /// How counts are read.
    #[command(flatten)]
    pub reading: ReadArgs,
}
