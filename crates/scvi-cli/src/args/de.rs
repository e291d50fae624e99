//! What `scvi de` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{ModelInput, WeightArgs};

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
    /// What samples are drawn by.
    #[command(flatten)]
    pub weights: WeightArgs,
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
