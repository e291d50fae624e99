//! What the user may type.

mod cells;
mod de;
mod examples;
mod files;
mod genes;
mod inputs;
mod labels;
mod map;
mod output_dir;
mod qc;
mod reading;
mod report;
mod tasks;
mod train;
mod weights;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use clap::{Args, Parser, Subcommand};
use serde_json::Value;

use crate::log::Log;

pub use cells::{CELLS, CellArgs};
pub use de::{CellsBy, DeArgs, DeMode, DeTestMode};
pub use files::{CompletionsArgs, ConvertArgs, InspectArgs, ManArgs, ModelFormat, SimulateArgs};
pub use genes::{GeneArgs, GenesArgs};
pub use inputs::{GeneNamesChoice, INPUTS, InputArgs, JoinChoice};
pub use labels::{LabelArgs, ModelClassChoice};
pub use map::{FreezeArgs, MapArgs};
pub use output_dir::{OutputDirArgs, output_path};
pub use qc::QcArgs;
pub use reading::{InMemory, READING, ReadArgs, Shuffle, ShuffleArgs};
pub use report::{ReportArgs, ReportFormat, UmapArgs};
pub use tasks::{
    CorrelateArgs, EvaluateArgs, LatentArgs, MinifyArgs, NormalizeArgs, ParametersArgs,
    PredictArgs, SampleArgs,
};
pub use train::{CHECKPOINTS, CheckpointArgs, DataArgs, ModelArgs, PlanArgs, TrainArgs};
pub use weights::{WeightArgs, WeightKind};

/// scVI: a variational autoencoder for single-cell RNA counts
#[derive(Debug, Parser)]
#[command(name = "scvi", version, long_version = crate::version::long(), max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = examples::SCVI)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global options")]
pub struct Common {
    /// Seed for random numbers
    #[arg(long, value_name = "N", global = true, default_value_t = 0)]
    pub seed: u64,
    /// Threads [default: all cores]; results do not depend on it
    #[arg(long, value_name = "N", global = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub threads: Option<u16>,
    /// Replace existing outputs
    #[arg(long, global = true)]
    pub overwrite: bool,
    /// Print the result as one JSON document on stdout, and lines on stderr as one each
    #[arg(long, global = true)]
    pub json: bool,
    /// Show no progress and no warnings
    #[arg(long, global = true)]
    pub quiet: bool,
    /// Also show what is read, how long each step takes, and every epoch
    #[arg(long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// File to add the lines of stderr to, with the time, and those of --verbose [default: none]
    #[arg(long, global = true, value_name = "FILE")]
    pub log_file: Option<PathBuf>,
    /// Where lines go.
    #[arg(skip)]
    pub log: Log,
    /// The input that results are of, where each has an output of its own.
    #[arg(skip)]
    pub sample: Option<String>,
    /// Results of such inputs, for one JSON document.
    #[arg(skip)]
    pub reports: Arc<Mutex<Vec<Value>>>,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Train a model on raw counts
    #[command(after_help = examples::TRAIN)]
    Train(Box<TrainArgs>),
    /// Write the latent representation of each cell
    #[command(after_help = examples::LATENT)]
    Latent(LatentArgs),
    /// Evaluate how well a model explains cells: ELBO and its terms
    #[command(after_help = examples::EVALUATE)]
    Evaluate(EvaluateArgs),
    /// Write the normalized expression of each cell
    #[command(after_help = examples::NORMALIZE)]
    Normalize(NormalizeArgs),
    /// Write the parameters of the likelihood of each cell and gene
    #[command(after_help = examples::PARAMETERS)]
    Parameters(ParametersArgs),
    /// Draw counts from the posterior predictive distribution of each cell
    #[command(after_help = examples::SAMPLE)]
    Sample(SampleArgs),
    /// Correlate genes over denoised counts
    #[command(after_help = examples::CORRELATE)]
    Correlate(CorrelateArgs),
    /// Write a page that shows what a model learned: UMAP, training, integration, adequacy
    #[command(after_help = examples::REPORT)]
    Report(Box<ReportArgs>),
    /// Write coordinates of cells in the plane: UMAP of the latent representation
    #[command(after_help = examples::UMAP)]
    Umap(UmapArgs),
    /// Compare groups of cells gene by gene: differential expression
    #[command(after_help = examples::DE)]
    De(Box<DeArgs>),
    /// Predict the labels of cells with a SCANVI
    #[command(after_help = examples::PREDICT)]
    Predict(PredictArgs),
    /// Map new cells to a reference model (scArches): only the weights of new categories are trained
    #[command(after_help = examples::MAP)]
    Map(Box<MapArgs>),
    /// Choose the genes that vary most, and write what is known of all genes
    #[command(after_help = examples::GENES)]
    Genes(GenesArgs),
    /// Write numbers of quality control of each cell
    #[command(after_help = examples::QC)]
    Qc(QcArgs),
    /// Write a copy of a file with the posterior of each cell instead of its counts
    #[command(after_help = examples::MINIFY)]
    Minify(MinifyArgs),
    /// Write simulated counts with batches and cell types
    #[command(after_help = examples::SIMULATE)]
    Simulate(SimulateArgs),
    /// Convert a model to the format of this program, or of scvi-tools
    #[command(after_help = examples::CONVERT)]
    Convert(ConvertArgs),
    /// Show what a model or a file of cells holds
    #[command(after_help = examples::INSPECT)]
    Inspect(InspectArgs),
    /// Print a script that completes commands in a shell
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Write manual pages
    #[command(after_help = examples::MAN)]
    Man(ManArgs),
}

/// A model and the cells to use it on.
#[derive(Debug, Clone, Args)]
pub struct ModelInput {
    /// Model folder, or a folder saved by scvi-tools (with model.pt)
    #[arg(long, value_name = "MODEL")]
    pub model: PathBuf,
    /// Raw counts, with the genes of the model and the columns of obs that it reads: .h5ad, .zarr,
    /// 10x .h5 or matrix folder; several are joined; @samples.csv lists them
    #[arg(id = "input", value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
    /// The one of them that is used, where each has an output of its own.
    #[arg(skip)]
    pub only: Option<usize>,
    /// The one file that they come to.
    #[arg(skip)]
    pub input: PathBuf,
    /// How they come to it.
    #[command(flatten)]
    pub from: InputArgs,
    /// Which cells are used.
    #[command(flatten)]
    pub cells: CellArgs,
    /// Cells evaluated at a time; more need more memory
    #[arg(long, value_name = "CELLS", default_value_t = 256)]
    pub batch_size: usize,
    /// How counts are read.
    #[command(flatten)]
    pub reading: ReadArgs,
}
