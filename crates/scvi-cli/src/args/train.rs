//! What `scvi train` takes.

use std::path::PathBuf;

use clap::Args;
use scvi::train::BatchLimit;
use scvi_io::checkpoint::SavedRun;
use scvi_io::output::OutputLock;
use serde_json::Value;

use super::{CellArgs, GeneArgs, InputArgs, LabelArgs, ReadArgs, ShuffleArgs};

/// Heading of the options that say how a run is kept, and not which run it is.
pub const CHECKPOINTS: &str = "Checkpoints";

/// `scvi train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Raw counts: .h5ad, .zarr, 10x .h5 or matrix folder; several are joined, a batch each;
    /// @samples.csv lists them [default: the demonstration, on simulated counts]
    #[arg(id = "input", value_name = "INPUT", requires = "model")]
    pub inputs: Vec<PathBuf>,
    /// The one file that they come to.
    #[arg(skip)]
    pub input: Option<PathBuf>,
    /// How they come to it.
    #[command(flatten)]
    pub from: InputArgs,
    /// Folder for the trained model [default without INPUT: scvi_demo_model]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// File for the latent representation: .h5ad or .zarr as INPUT (a copy with obsm["X_scVI"]),
    /// .npy, .csv, .tsv [default: not written]
    #[arg(long, value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// Page that shows what the model learned: .html [default: not written; without INPUT:
    /// scvi_demo_report.html]
    #[arg(long, value_name = "OUT.html")]
    pub report: Option<PathBuf>,
    /// Where the counts are.
    #[command(flatten)]
    pub data: DataArgs,
    /// Write cells that are left out as rows of NaN instead
    #[arg(long, requires = "output")]
    pub keep_dropped_cells: bool,
    /// Which cells are used.
    #[command(flatten)]
    pub cells: CellArgs,
    /// Which genes are used.
    #[command(flatten)]
    pub genes: GeneArgs,
    /// How they are read.
    #[command(flatten)]
    pub reading: ReadArgs,
    /// The model.
    #[command(flatten)]
    pub vae: ModelArgs,
    /// The labels that are learned.
    #[command(flatten)]
    pub labels: LabelArgs,
    /// The training.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// The order of cells.
    #[command(flatten)]
    pub shuffle: ShuffleArgs,
    /// Runs that are not lost.
    #[command(flatten)]
    pub checkpoints: CheckpointArgs,
}

/// The state of a run under way: DIR.checkpoint beside the model folder DIR, until that is
/// written.
#[derive(Debug, Args)]
#[command(next_help_heading = CHECKPOINTS)]
pub struct CheckpointArgs {
    /// Resume an interrupted run from its checkpoint, with the same result as without interruption;
    /// options not given are those of the run [default: start anew]
    #[arg(long, requires = "input")]
    pub resume: bool,
    /// Minutes between two checkpoints (DIR.checkpoint beside the model folder, until the run
    /// ends); 0: only when interrupted
    #[arg(long, value_name = "MINUTES", default_value_t = 5.0)]
    pub checkpoint_every_minutes: f64,
    /// Also write a checkpoint every N epochs [default: by time only]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub checkpoint_every_n_epoch: Option<u64>,
    /// The options that make a run the run it is, as far as they were typed.
    #[arg(skip)]
    pub options: Vec<String>,
    /// What a run that is resumed left behind.
    #[arg(skip)]
    pub saved: Option<SavedRun<Value>>,
    /// The lock on the model folder of such a run.
    #[arg(skip)]
    pub lock: Option<OutputLock>,
}

/// Which parts of the input are used.
#[derive(Debug, Args)]
#[command(next_help_heading = "Data")]
pub struct DataArgs {
    /// Column of obs with the batch of each cell [default: one batch]
    #[arg(long, requires = "input", value_name = "COLUMN")]
    pub batch_key: Option<String>,
    /// Column of obs with cell labels, for --model-class scanvi or --dispersion gene-label [default:
    /// none]
    #[arg(long, requires = "input", value_name = "COLUMN")]
    pub labels_key: Option<String>,
    /// Column of obs with the size factor of each cell, which scales its mean [default: library
    /// size]
    #[arg(long, requires = "input", value_name = "COLUMN")]
    pub size_factor_key: Option<String>,
    /// Columns of obs with further categories to correct for [default: none]
    #[arg(long, requires = "input", value_name = "COLUMN", num_args = 1..)]
    pub categorical_covariate_key: Vec<String>,
    /// Columns of obs with numbers to correct for [default: none]
    #[arg(long, requires = "input", value_name = "COLUMN", num_args = 1..)]
    pub continuous_covariate_key: Vec<String>,
    /// Accept columns with more categories than half the number of cells
    #[arg(long, requires = "input")]
    pub allow_many_categories: bool,
}

/// Parameters of the module. Options with a fixed set of values are checked by the engine, which
/// lists the choices.
#[derive(Debug, Args)]
#[command(next_help_heading = "Model")]
pub struct ModelArgs {
    /// Units of each hidden layer
    #[arg(long, value_name = "N", default_value_t = 128)]
    pub n_hidden: usize,
    /// Dimensions of the latent space
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub n_latent: usize,
    /// Hidden layers of the encoder, and of the decoder
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub n_layers: usize,
    /// Dropout rate of the encoder, 0 or more and below 1
    #[arg(long, value_name = "RATE", default_value_t = 0.1)]
    pub dropout_rate: f64,
    /// What the dispersion depends on: gene, gene-batch, gene-label, gene-cell
    #[arg(long, value_name = "CHOICE", default_value = "gene")]
    pub dispersion: String,
    /// Distribution of the counts: zinb, nb, poisson, normal
    #[arg(long, value_name = "CHOICE", default_value = "zinb")]
    pub gene_likelihood: String,
    /// Distribution of the latent variable: normal, ln (logistic normal)
    #[arg(long, value_name = "CHOICE", default_value = "normal")]
    pub latent_distribution: String,
    /// How the batch enters the networks: one-hot, embedding
    #[arg(long, value_name = "CHOICE", default_value = "one-hot")]
    pub batch_representation: String,
    /// Dimensions of a batch embedding
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub batch_embedding_dim: usize,
    /// Networks with batch normalization: both, encoder, decoder, none
    #[arg(long, value_name = "CHOICE", default_value = "both")]
    pub use_batch_norm: String,
    /// Networks with layer normalization: both, encoder, decoder, none
    #[arg(long, value_name = "CHOICE", default_value = "none")]
    pub use_layer_norm: String,
    /// Activation for the variance of the posterior: exp, softplus
    #[arg(long, value_name = "CHOICE", default_value = "exp")]
    pub var_activation: String,
    /// Infer the library size of each cell instead of taking its total count
    #[arg(long)]
    pub no_use_observed_lib_size: bool,
    /// Give batch and covariates to the encoder too
    #[arg(long)]
    pub encode_covariates: bool,
    /// Give covariates to the first hidden layer only
    #[arg(long)]
    pub no_deeply_inject_covariates: bool,
    /// Give x to the encoder instead of ln(1 + x)
    #[arg(long)]
    pub no_log_variational: bool,
}

/// How to train.
#[derive(Debug, Args)]
#[command(next_help_heading = "Training")]
pub struct PlanArgs {
    /// Passes over the training cells [default: 400, fewer above 20,000 cells]
    #[arg(long, value_name = "N")]
    pub max_epochs: Option<usize>,
    /// Epochs before which early stopping does not end training [default: none]
    #[arg(long, value_name = "N")]
    pub min_epochs: Option<usize>,
    /// End training after N optimizer steps, within an epoch too [default: no limit]
    #[arg(long, value_name = "N")]
    pub max_steps: Option<u64>,
    /// Minibatches to train on in each epoch: a number, or a fraction such as 0.5 [default: all]
    #[arg(long, value_name = "N|F")]
    pub limit_train_batches: Option<BatchLimit>,
    /// Minibatches to validate on: a number, or a fraction such as 0.5 [default: all]
    #[arg(long, value_name = "N|F")]
    pub limit_val_batches: Option<BatchLimit>,
    /// Cells of a minibatch
    #[arg(long, value_name = "CELLS", default_value_t = 128)]
    pub batch_size: usize,
    /// Fraction of the cells to train on, above 0 and at most 1
    #[arg(long, value_name = "FRACTION", default_value_t = 0.9)]
    pub train_size: f64,
    /// Fraction of the cells to validate on [default: the rest]
    #[arg(long, value_name = "FRACTION")]
    pub validation_size: Option<f64>,
    /// Validate on the first cells and train on the next, instead of a random split
    #[arg(long)]
    pub no_shuffle_set_split: bool,
    /// Leave out the last minibatch of an epoch if it is not full
    #[arg(long)]
    pub drop_last: bool,
    /// Optimizer: Adam, AdamW
    #[arg(long, value_name = "CHOICE", default_value = "Adam")]
    pub optimizer: String,
    /// Learning rate
    #[arg(long, value_name = "RATE", default_value_t = 1e-3)]
    pub lr: f64,
    /// Weight decay [default: 1e-6 for train, 0 for map]
    #[arg(long, value_name = "X")]
    pub weight_decay: Option<f64>,
    /// Largest norm of all gradients, or largest absolute gradient; 0 does not clip
    #[arg(long, value_name = "X")]
    pub gradient_clip_val: Option<f64>,
    /// What --gradient-clip-val limits: norm, value
    #[arg(long, value_name = "CHOICE", default_value = "norm")]
    pub gradient_clip_algorithm: String,
    /// Epsilon of the optimizer
    #[arg(long, value_name = "X", default_value_t = 0.01)]
    pub eps: f64,
    /// Reduce the learning rate when --lr-scheduler-metric no longer improves
    #[arg(long)]
    pub reduce_lr_on_plateau: bool,
    /// Factor that the learning rate is multiplied by
    #[arg(long, value_name = "FACTOR", default_value_t = 0.6)]
    pub lr_factor: f64,
    /// Epochs without improvement before the learning rate is reduced
    #[arg(long, value_name = "EPOCHS", default_value_t = 30)]
    pub lr_patience: usize,
    /// Smallest change of --lr-scheduler-metric that is an improvement
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    pub lr_threshold: f64,
    /// Metric that the learning rate is reduced by, as for --early-stopping-monitor
    #[arg(long, value_name = "METRIC", default_value = "elbo_validation")]
    pub lr_scheduler_metric: String,
    /// Smallest learning rate that it is reduced to
    #[arg(long, value_name = "RATE", default_value_t = 0.0)]
    pub lr_min: f64,
    /// Record the learning rate of each epoch in the history, as --reduce-lr-on-plateau does
    #[arg(long)]
    pub learning_rate_monitor: bool,
    /// Epochs over which the KL weight rises; auto: half of all epochs, at most 400
    #[arg(long, value_name = "N|auto", default_value = "400")]
    pub n_epochs_kl_warmup: String,
    /// Optimizer steps over which the KL weight rises, instead of epochs [default: by epochs]
    #[arg(long, value_name = "N", conflicts_with = "n_epochs_kl_warmup")]
    pub n_steps_kl_warmup: Option<usize>,
    /// KL weight after warm-up
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    pub max_kl_weight: f64,
    /// KL weight at the start
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    pub min_kl_weight: f64,
    /// Stop when --early-stopping-monitor no longer improves
    #[arg(long)]
    pub early_stopping: bool,
    /// Metric to watch: elbo, reconstruction_loss or kl_local with _validation or _train;
    /// validation_loss, train_loss
    #[arg(long, value_name = "METRIC", default_value = "elbo_validation")]
    pub early_stopping_monitor: String,
    /// Whether lower or higher is better: min, max
    #[arg(long, value_name = "CHOICE", default_value = "min")]
    pub early_stopping_mode: String,
    /// Epochs at the start that are not watched
    #[arg(long, value_name = "EPOCHS", default_value_t = 0)]
    pub early_stopping_warmup_epochs: usize,
    /// Epochs without improvement before training stops
    #[arg(long, value_name = "EPOCHS", default_value_t = 45)]
    pub early_stopping_patience: usize,
    /// Smallest change of --early-stopping-monitor that is an improvement
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    pub early_stopping_min_delta: f64,
    /// Epochs between two validations [default: 1 with early stopping or learning rates in the
    /// history, else no validation]
    #[arg(long, value_name = "N")]
    pub check_val_every_n_epoch: Option<usize>,
}
