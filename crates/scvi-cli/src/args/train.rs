//! What `scvi train` takes.

use std::path::PathBuf;

use clap::Args;
use scvi::train::Checkpoint;
use scvi_io::checkpoint::CheckpointMeta;

use super::{ReadArgs, ShuffleArgs};

/// `scvi train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Raw counts, .h5ad or .zarr [default: a simulated data set, the demonstration]
    #[arg(requires = "model")]
    pub input: Option<PathBuf>,
    /// Folder for the trained model [default without INPUT: scvi_demo_model]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Also write the latent representation: .h5ad or .zarr, as INPUT (the input plus
    /// obsm["X_scVI"]), .npy, .csv, .tsv
    #[arg(long, value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// Where the counts are.
    #[command(flatten)]
    pub data: DataArgs,
    /// How they are read.
    #[command(flatten)]
    pub reading: ReadArgs,
    /// The model.
    #[command(flatten)]
    pub vae: ModelArgs,
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

/// What is kept of a run while it goes on: DIR.checkpoint beside the model folder DIR, until that is
/// written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Checkpoints (DIR.checkpoint, beside the model, until it is done)")]
pub struct CheckpointArgs {
    /// Go on with a run that was interrupted, to the same bits as if it never had been; options that
    /// are not given are the run's. Without a checkpoint, begin
    #[arg(long, requires = "input")]
    pub resume: bool,
    /// Write a checkpoint every T minutes; 0 for never
    #[arg(long, value_name = "T", default_value_t = 5.0)]
    pub checkpoint_every_minutes: f64,
    /// Also write one every N epochs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub checkpoint_every_n_epoch: Option<u64>,
    /// The options that make a run the run it is, as far as they were typed.
    #[arg(skip)]
    pub options: Vec<String>,
    /// What a run that is resumed left behind.
    #[arg(skip)]
    pub saved: Option<(CheckpointMeta, Checkpoint)>,
}

/// Which parts of the input are used.
#[derive(Debug, Args)]
#[command(next_help_heading = "Data")]
pub struct DataArgs {
    /// Layer that holds the raw counts [default: X]
    #[arg(long, value_name = "L")]
    pub layer: Option<String>,
    /// Column of obs with the batch of each cell
    #[arg(long, value_name = "K")]
    pub batch_key: Option<String>,
    /// Column of obs with cell labels (kept with the model; dispersion gene-label goes by them)
    #[arg(long, value_name = "K")]
    pub labels_key: Option<String>,
    /// Column of obs with the size factor of each cell, which then scales its expected counts
    #[arg(long, value_name = "K")]
    pub size_factor_key: Option<String>,
    /// Columns of obs with further categories to correct for
    #[arg(long, value_name = "K", num_args = 1..)]
    pub categorical_covariate_key: Vec<String>,
    /// Columns of obs with numbers to correct for
    #[arg(long, value_name = "K", num_args = 1..)]
    pub continuous_covariate_key: Vec<String>,
    /// Leave out cells without a single count; their rows in outputs are NaN
    #[arg(long)]
    pub drop_empty_cells: bool,
}

/// Parameters of the module. Options with a fixed set of values are checked by the engine, which
/// lists the choices.
#[derive(Debug, Args)]
#[command(next_help_heading = "Model")]
pub struct ModelArgs {
    /// Width of hidden layers
    #[arg(long, value_name = "N", default_value_t = 128)]
    pub n_hidden: usize,
    /// Dimensions of the latent space
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub n_latent: usize,
    /// Hidden layers of encoder and of decoder
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub n_layers: usize,
    /// Dropout of the encoder
    #[arg(long, value_name = "P", default_value_t = 0.1)]
    pub dropout_rate: f64,
    /// How the dispersion varies: gene, gene-batch, gene-label, gene-cell
    #[arg(long, value_name = "D", default_value = "gene")]
    pub dispersion: String,
    /// Distribution of counts: zinb, nb, poisson, normal
    #[arg(long, value_name = "L", default_value = "zinb")]
    pub gene_likelihood: String,
    /// Distribution of the latent variable: normal, ln
    #[arg(long, value_name = "D", default_value = "normal")]
    pub latent_distribution: String,
    /// How the batch enters: one-hot, embedding
    #[arg(long, value_name = "R", default_value = "one-hot")]
    pub batch_representation: String,
    /// Length of a batch's vector in an embedding
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub batch_embedding_dim: usize,
    /// Where batch normalisation stands: both, encoder, decoder, none
    #[arg(long, value_name = "W", default_value = "both")]
    pub use_batch_norm: String,
    /// Where layer normalisation stands: none, encoder, decoder, both
    #[arg(long, value_name = "W", default_value = "none")]
    pub use_layer_norm: String,
    /// What makes the posterior's variance positive: exp, softplus
    #[arg(long, value_name = "F", default_value = "exp")]
    pub var_activation: String,
    /// Infer each cell's library size instead of taking its total
    #[arg(long)]
    pub no_use_observed_lib_size: bool,
    /// Show batch and covariates to the encoder too
    #[arg(long)]
    pub encode_covariates: bool,
    /// Give categories to the first hidden layer alone
    #[arg(long)]
    pub no_deeply_inject_covariates: bool,
    /// Show the encoder x instead of ln(1 + x)
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
    /// Cells of a minibatch
    #[arg(long, value_name = "N", default_value_t = 128)]
    pub batch_size: usize,
    /// Share of cells to train on
    #[arg(long, value_name = "F", default_value_t = 0.9)]
    pub train_size: f64,
    /// Share of cells to validate on [default: the rest]
    #[arg(long, value_name = "F")]
    pub validation_size: Option<f64>,
    /// Validate on the first cells and train on the next, instead of drawing them
    #[arg(long)]
    pub no_shuffle_set_split: bool,
    /// Leave out the cells of an epoch's order that fill no minibatch
    #[arg(long)]
    pub drop_last: bool,
    /// Adam, or AdamW, whose weight decay does not pass through the moments
    #[arg(long, value_name = "O", default_value = "Adam")]
    pub optimizer: String,
    /// Adam's step length
    #[arg(long, value_name = "X", default_value_t = 1e-3)]
    pub lr: f64,
    /// Weight decay: Adam's L2 term, or AdamW's factor [default: 1e-6; 0 where a query is mapped]
    #[arg(long, value_name = "X")]
    pub weight_decay: Option<f64>,
    /// Adam's epsilon
    #[arg(long, value_name = "X", default_value_t = 0.01)]
    pub eps: f64,
    /// Reduce the step length when the validation cells' ELBO no longer improves
    #[arg(long)]
    pub reduce_lr_on_plateau: bool,
    /// What it is multiplied by then
    #[arg(long, value_name = "X", default_value_t = 0.6)]
    pub lr_factor: f64,
    /// Epochs without improvement that leave it as it is
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub lr_patience: usize,
    /// Improvement that counts for it
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    pub lr_threshold: f64,
    /// What it goes by, as --early-stopping-monitor
    #[arg(long, value_name = "M", default_value = "elbo_validation")]
    pub lr_scheduler_metric: String,
    /// The shortest step length
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    pub lr_min: f64,
    /// Put the step length of each epoch into the history; --reduce-lr-on-plateau does
    #[arg(long)]
    pub learning_rate_monitor: bool,
    /// Epochs over which the KL's weight rises; `auto` is half of all epochs, 400 at the most
    #[arg(long, value_name = "N|auto", default_value = "400")]
    pub n_epochs_kl_warmup: String,
    /// Steps over which the KL's weight rises, instead of epochs
    #[arg(long, value_name = "N", conflicts_with = "n_epochs_kl_warmup")]
    pub n_steps_kl_warmup: Option<usize>,
    /// The KL's weight after warm-up
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    pub max_kl_weight: f64,
    /// The KL's weight at the start
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    pub min_kl_weight: f64,
    /// Stop when the validation cells' ELBO no longer improves
    #[arg(long)]
    pub early_stopping: bool,
    /// What early stopping watches: elbo, reconstruction_loss or kl_local, with _validation or
    /// _train; validation_loss; train_loss
    #[arg(long, value_name = "M", default_value = "elbo_validation")]
    pub early_stopping_monitor: String,
    /// Whether less or more of it is better: min, max
    #[arg(long, value_name = "W", default_value = "min")]
    pub early_stopping_mode: String,
    /// Epochs at the beginning that early stopping leaves out of account
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub early_stopping_warmup_epochs: usize,
    /// Epochs without improvement that early stopping waits for
    #[arg(long, value_name = "N", default_value_t = 45)]
    pub early_stopping_patience: usize,
    /// Improvement that counts for early stopping
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    pub early_stopping_min_delta: f64,
    /// Validate every N epochs [default: 1 with early stopping or step lengths in the history, else
    /// never]
    #[arg(long, value_name = "N")]
    pub check_val_every_n_epoch: Option<usize>,
}
