//! What the user may type.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use scvi::train::Checkpoint;
use scvi_io::checkpoint::CheckpointMeta;

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
    /// Show what a model or an .h5ad file holds
    Inspect(InspectArgs),
}

/// `scvi train`.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Raw counts, .h5ad [default: a simulated data set, the demonstration]
    #[arg(requires = "model")]
    pub input: Option<PathBuf>,
    /// Folder for the trained model [default without INPUT: scvi_demo_model]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Also write the latent representation: .h5ad (the input plus obsm["X_scVI"]), .npy, .csv, .tsv
    #[arg(long, value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// Where the counts are.
    #[command(flatten)]
    pub data: DataArgs,
    /// The model.
    #[command(flatten)]
    pub vae: ModelArgs,
    /// The training.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Runs that are not lost.
    #[command(flatten)]
    pub checkpoints: CheckpointArgs,
    /// The options above that make a run the run it is, as far as they were typed.
    #[arg(skip)]
    pub options: Vec<String>,
    /// What a run that is resumed left behind.
    #[arg(skip)]
    pub saved: Option<(CheckpointMeta, Checkpoint)>,
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
    /// Adam's step length
    #[arg(long, value_name = "X", default_value_t = 1e-3)]
    pub lr: f64,
    /// Adam's L2 term [default: 1e-6; 0 where a query is mapped]
    #[arg(long, value_name = "X")]
    pub weight_decay: Option<f64>,
    /// Adam's epsilon
    #[arg(long, value_name = "X", default_value_t = 0.01)]
    pub eps: f64,
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
    /// Epochs without improvement that early stopping waits for
    #[arg(long, value_name = "N", default_value_t = 45)]
    pub early_stopping_patience: usize,
    /// Improvement that counts for early stopping
    #[arg(long, value_name = "X", default_value_t = 0.0)]
    pub early_stopping_min_delta: f64,
    /// Validate every N epochs [default: 1 with early stopping, else never]
    #[arg(long, value_name = "N")]
    pub check_val_every_n_epoch: Option<usize>,
}

/// A model and the cells to use it on.
#[derive(Debug, Args)]
pub struct ModelInput {
    /// Folder of the trained model, or of one that scvi-tools saved (with a model.pt)
    #[arg(long, value_name = "MODEL")]
    pub model: PathBuf,
    /// Raw counts, .h5ad, with the genes and columns that the model knows
    pub input: PathBuf,
    /// Leave out cells without a single count; their rows in outputs are NaN
    #[arg(long)]
    pub drop_empty_cells: bool,
    /// Cells evaluated at a time
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub batch_size: usize,
}

/// `scvi latent`.
#[derive(Debug, Args)]
pub struct LatentArgs {
    /// Model and cells.
    #[command(flatten)]
    pub source: ModelInput,
    /// .h5ad (the input plus obsm["X_scVI"]), .npy, .csv, .tsv; - for csv on stdout
    #[arg(long, value_name = "OUT")]
    pub output: PathBuf,
    /// Also write the posterior's mean and variance: obsm["X_latent_qzm"], obsm["X_latent_qzv"]
    #[arg(long)]
    pub return_dist: bool,
    /// Also write each cell's library size: obs["scvi_library_size"]
    #[arg(long)]
    pub library_size: bool,
    /// One draw from the posterior instead of its mean
    #[arg(long)]
    pub no_give_mean: bool,
    /// Also write how dense the cells of each sample are where a cell lies, as ln p(z | sample):
    /// obsm["da_log_probs"], a column for each value of this column of obs (differential abundance;
    /// time grows with cells times cells)
    #[arg(long, value_name = "K")]
    pub sample_key: Option<String>,
    /// Cells that stand for a sample at most, chosen at random [default: all]
    #[arg(long, value_name = "N", requires = "sample_key")]
    pub num_cells_posterior: Option<usize>,
    /// Degrees of freedom of Student's distribution about each of these cells [default: normal]
    #[arg(long, value_name = "X", requires = "sample_key")]
    pub dof: Option<f64>,
}

/// `scvi evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// Model and cells.
    #[command(flatten)]
    pub source: ModelInput,
    /// Also estimate the marginal log-likelihood, with K draws of each cell
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    pub n_mc_samples: Option<u32>,
    /// Write every cell's terms: csv
    #[arg(long, value_name = "OUT.csv")]
    pub per_cell: Option<PathBuf>,
    /// Evaluate at the posterior's mean instead of one draw: deterministic
    #[arg(long)]
    pub posterior_mean: bool,
}

/// `scvi sample`.
#[derive(Debug, Args)]
pub struct SampleArgs {
    /// Model and cells.
    #[command(flatten)]
    pub source: ModelInput,
    /// The file to write: X holds the first draw, layers["draw_1"] the next and so on, all sparse
    #[arg(long, value_name = "OUT.h5ad")]
    pub output: PathBuf,
    /// Draws of each cell
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub n_samples: u32,
    /// File with the genes to draw, one a line, in the order of the columns [default: all]
    #[arg(long, value_name = "FILE")]
    pub gene_list: Option<PathBuf>,
    /// Predict cells as if they came from this batch; of several, the mean of their draws
    #[arg(long, value_name = "B", num_args = 1..)]
    pub transform_batch: Vec<String>,
}

/// `scvi correlate`.
#[derive(Debug, Args)]
pub struct CorrelateArgs {
    /// Model and cells.
    #[command(flatten)]
    pub source: ModelInput,
    /// The matrix of genes by genes: .csv, .tsv, .npy; - for csv on stdout
    #[arg(long, value_name = "OUT.csv")]
    pub output: PathBuf,
    /// Which correlation: spearman (of ranks; takes 4 bytes a cell, draw and gene), pearson
    #[arg(long, value_name = "C", default_value = "spearman")]
    pub correlation_type: String,
    /// Draws of each cell
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub n_samples: u32,
    /// Size that every cell is brought to before it is drawn, in counts
    #[arg(long, value_name = "S", default_value_t = 1000.0)]
    pub rna_size_factor: f64,
    /// File with the genes to correlate, one a line, in the order of rows and columns [default: all]
    #[arg(long, value_name = "FILE")]
    pub gene_list: Option<PathBuf>,
    /// Predict cells as if they came from this batch; of several, the mean of their correlations
    #[arg(long, value_name = "B", num_args = 1..)]
    pub transform_batch: Vec<String>,
}

/// `scvi normalize`.
#[derive(Debug, Args)]
pub struct NormalizeArgs {
    /// Model and cells.
    #[command(flatten)]
    pub source: ModelInput,
    /// .h5ad (the input plus layers["scvi_normalized"], or obsm["X_normalized_scVI"] of listed
    /// genes), .zarr, .npy, .csv, .tsv; - for csv on stdout
    #[arg(long, value_name = "OUT")]
    pub output: PathBuf,
    /// Counts that every cell is scaled to; 1 leaves shares of the whole, `latent` is its own size
    #[arg(long, value_name = "N|latent", default_value = "1")]
    pub library_size: String,
    /// Decode every cell as if it came from this batch; of several the mean [default: its own]
    #[arg(long, value_name = "B", num_args = 1..)]
    pub transform_batch: Vec<String>,
    /// Genes to write, in this order: a file with one name a line [default: all]
    #[arg(long, value_name = "FILE")]
    pub gene_list: Option<PathBuf>,
    /// Draws of each cell, of which the mean is written
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub n_samples: u32,
    /// Write K rows instead: cells drawn with replacement, each with one draw (no .h5ad)
    #[arg(long, value_name = "K", conflicts_with_all = ["n_samples", "posterior_mean"], value_parser = clap::value_parser!(u32).range(1..))]
    pub n_samples_overall: Option<u32>,
    /// Decode the posterior's mean instead of draws: deterministic
    #[arg(long, conflicts_with = "n_samples")]
    pub posterior_mean: bool,
}

/// `scvi parameters`.
#[derive(Debug, Args)]
pub struct ParametersArgs {
    /// Model and cells.
    #[command(flatten)]
    pub source: ModelInput,
    /// .npz (mean, dispersions, dropout), or .h5ad (the input plus layers["scvi_mean"] and so on; a
    /// dispersion that all cells share is var["scvi_dispersions"])
    #[arg(long, value_name = "OUT")]
    pub output: PathBuf,
    /// Draws of each cell, of which the mean is written
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub n_samples: u32,
    /// Decode the posterior's mean instead of draws: deterministic
    #[arg(long, conflicts_with = "n_samples")]
    pub posterior_mean: bool,
}

/// `scvi map`.
#[derive(Debug, Args)]
pub struct MapArgs {
    /// Folder of the trained model, or of one that scvi-tools saved (with a model.pt)
    #[arg(long, value_name = "MODEL")]
    pub reference: PathBuf,
    /// Raw counts of the query, .h5ad, with the columns that the model knows
    pub input: PathBuf,
    /// Folder for the model of reference and query
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// Also write the query's latent representation: .h5ad (INPUT plus obsm["X_scVI"]), .npy, .csv,
    /// .tsv
    #[arg(long, value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// Which genes and cells.
    #[command(flatten)]
    pub query: QueryArgs,
    /// What is kept as it is.
    #[command(flatten)]
    pub freeze: FreezeArgs,
    /// The training.
    #[command(flatten)]
    pub plan: PlanArgs,
}

/// How the query's genes are found.
#[derive(Debug, Args)]
#[command(next_help_heading = "Query")]
pub struct QueryArgs {
    /// Column of var with the names that the reference uses, such as symbols [default: the index]
    #[arg(long, value_name = "K")]
    pub var_names_column: Option<String>,
    /// Share of the reference's genes that the query must have
    #[arg(long, value_name = "F", default_value_t = 0.2)]
    pub min_overlap: f64,
    /// Leave out cells without a single count in these genes; their rows in outputs are NaN
    #[arg(long)]
    pub drop_empty_cells: bool,
}

/// What training does not touch; scvi-tools' switches with its defaults.
#[derive(Debug, Args)]
#[command(next_help_heading = "Freezing")]
pub struct FreezeArgs {
    /// Train every weight
    #[arg(long)]
    pub unfrozen: bool,
    /// No dropout while training
    #[arg(long)]
    pub freeze_dropout: bool,
    /// Train the encoder's first layer, the genes' weights included
    #[arg(long)]
    pub no_freeze_expression: bool,
    /// Train the decoder's first layer, the latent dimensions' weights included
    #[arg(long)]
    pub no_freeze_decoder_first_layer: bool,
    /// Train the encoder's batch normalisation, and let its running moments move
    #[arg(long)]
    pub no_freeze_batchnorm_encoder: bool,
    /// Keep the decoder's batch normalisation, running moments included: what is decoded of
    /// reference cells stays as it is
    #[arg(long)]
    pub freeze_batchnorm_decoder: bool,
    /// Train the columns of the reference's categories on the query's cells, too, as scvi-tools does
    #[arg(long)]
    pub no_freeze_reference_categories: bool,
}

/// `scvi minify`.
#[derive(Debug, Args)]
pub struct MinifyArgs {
    /// Folder of the trained model, or of one that scvi-tools saved (with a model.pt)
    #[arg(long, value_name = "MODEL")]
    pub model: PathBuf,
    /// Raw counts, .h5ad, with the genes and columns that the model knows
    pub input: PathBuf,
    /// The file to write
    #[arg(long, value_name = "OUT.h5ad")]
    pub output: PathBuf,
    /// Keep X, layers and raw beside the posteriors
    #[arg(long)]
    pub keep_counts: bool,
    /// Cells evaluated at a time
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub batch_size: usize,
}

/// `scvi de`.
#[derive(Debug, Args)]
pub struct DeArgs {
    /// Model and cells.
    #[command(flatten)]
    pub source: ModelInput,
    /// A row a gene and comparison, .csv or .tsv, and beside it OUT.json with the settings that it was
    /// made with; - for csv on stdout alone
    #[arg(long, value_name = "OUT")]
    pub output: PathBuf,
    /// Column of obs whose groups are compared
    #[arg(long, value_name = "K", conflicts_with = "idx1", required_unless_present = "idx1")]
    pub groupby: Option<String>,
    /// Groups to compare, each for itself [default: all]
    #[arg(long, value_name = "A", num_args = 1.., requires = "groupby")]
    pub group1: Vec<String>,
    /// The group to compare with [default: all other cells]
    #[arg(long, value_name = "B", requires = "groupby")]
    pub group2: Option<String>,
    /// Cells to compare: a query such as 'cell_type == "B" and n_counts > 500', or a file with a
    /// cell's name or row number, from 0, a line
    #[arg(long, value_name = "QUERY|FILE")]
    pub idx1: Option<String>,
    /// Cells to compare them with [default: all other cells]
    #[arg(long, value_name = "QUERY|FILE", requires = "idx1")]
    pub idx2: Option<String>,
    /// Whether expression is larger, or how much it changes
    #[arg(long, value_enum, default_value_t = DeMode::Vanilla)]
    pub mode: DeMode,
    /// Least log2 fold change that counts as a change; `estimate` takes it from the data
    #[arg(long, value_name = "X|estimate", default_value = "0.25")]
    pub delta: String,
    /// Decode samples as every batch in turn, instead of each cell's own
    #[arg(long)]
    pub batch_correction: bool,
    /// Batches for the first group [default: all]
    #[arg(long, value_name = "B", num_args = 1.., requires = "batch_correction")]
    pub batchid1: Vec<String>,
    /// Batches for the second group [default: all]
    #[arg(long, value_name = "B", num_args = 1.., requires = "batch_correction")]
    pub batchid2: Vec<String>,
    /// Expected share of false discoveries among the genes that change mode calls
    #[arg(long, value_name = "F", default_value_t = 0.05)]
    pub fdr_target: f64,
    /// Posterior samples of each group
    #[arg(long, value_name = "N", default_value_t = 5000)]
    pub n_samples_overall: usize,
    /// Added to expression in fold changes [default: estimated from genes of little expression]
    #[arg(long, value_name = "X")]
    pub pseudocounts: Option<f64>,
    /// Mean count below which a gene is of little expression
    #[arg(long, value_name = "X", default_value_t = 0.01)]
    pub threshold_counts: f64,
    /// Whether genes that rise and genes that fall are two hypotheses (three with neither), or one
    #[arg(long, value_enum, default_value_t = DeTestMode::Three)]
    pub test_mode: DeTestMode,
    /// Levels of credible intervals of the fold change
    #[arg(long, value_name = "L", num_args = 1..)]
    pub cred_interval_lvls: Vec<f64>,
    /// Whether samples that explain many cells of their group count more (slow)
    #[arg(long, value_enum, default_value_t = DeWeights::Uniform)]
    pub weights: DeWeights,
    /// Cells of a group that importance weights go by, at most
    #[arg(long, value_name = "N", default_value_t = 1024)]
    pub importance_max_cells: usize,
    /// Raise importance weights below their mean to it
    #[arg(long)]
    pub importance_truncation: bool,
    /// Draws for the marginal likelihood of each of those cells
    #[arg(long, value_name = "N", default_value_t = 500)]
    pub importance_n_mc_samples: u32,
    /// Compare random pairs of samples
    #[arg(long)]
    pub use_permutation: bool,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 10000)]
    pub m_permutation: usize,
    /// Leave out the tenth of each group's cells that lies farthest out in the latent space
    #[arg(long)]
    pub filter_outlier_cells: bool,
    /// Leave out statistics of raw counts
    #[arg(long)]
    pub no_all_stats: bool,
}

/// What `scvi de` tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeMode {
    /// Whether expression is larger in the first group.
    Vanilla,
    /// Whether the fold change is large.
    Change,
}

/// Hypotheses of change mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeTestMode {
    /// A change, or none.
    Two,
    /// A rise, a fall, or neither.
    Three,
}

/// What `scvi de` draws samples by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeWeights {
    /// Equal chances.
    Uniform,
    /// Importance weights.
    Importance,
}

/// `scvi simulate`.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// The file to write
    #[arg(long, value_name = "OUT.h5ad")]
    pub output: PathBuf,
    /// Cells
    #[arg(long, value_name = "N", default_value_t = 3000)]
    pub n_cells: usize,
    /// Genes
    #[arg(long, value_name = "N", default_value_t = 2000)]
    pub n_genes: usize,
    /// Batches
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub n_batches: usize,
    /// Cell types
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub n_cell_types: usize,
    /// Expected share of non-zero counts
    #[arg(long, value_name = "F", default_value_t = 0.08)]
    pub density: f64,
}

/// `scvi convert`.
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// Folder of the model: of this program, or saved by scvi-tools; or a model.pt itself
    #[arg(long, value_name = "MODEL")]
    pub model: PathBuf,
    /// What to write: native for this program, scvi-tools for SCVI.load and LinearSCVI.load
    #[arg(long, value_enum)]
    pub to: ModelFormat,
    /// The folder to write
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
}

/// Formats of a model.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ModelFormat {
    /// model.safetensors, model.json, history.csv.
    Native,
    /// model.pt.
    ScviTools,
}

/// `scvi inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// A model folder, a save of scvi-tools, or an .h5ad file
    pub path: PathBuf,
}
