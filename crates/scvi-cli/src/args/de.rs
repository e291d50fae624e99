//! What `scvi de` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{ModelInput, WeightArgs};

/// Headings in `scvi de --help`.
const CELLS: &str = "Cells to compare";
const TEST: &str = "Test";
const SAMPLES: &str = "Samples";

/// `scvi de`.
#[derive(Debug, Args)]
pub struct DeArgs {
    /// Model and cells.
    #[command(flatten)]
    pub source: ModelInput,
    /// Table with a row per gene and comparison: .csv or .tsv, and OUT.json with the settings; -
    /// for csv on stdout
    #[arg(long, value_name = "OUT")]
    pub output: PathBuf,
    /// Leave out the statistics of raw counts
    #[arg(long)]
    pub no_all_stats: bool,
    /// Column of obs whose groups are compared
    #[arg(long, help_heading = CELLS, value_name = "COLUMN", conflicts_with = "idx1", required_unless_present = "idx1")]
    pub groupby: Option<String>,
    /// Groups to compare, one at a time [default: each]
    #[arg(long, help_heading = CELLS, value_name = "GROUP", num_args = 1.., requires = "groupby")]
    pub group1: Vec<String>,
    /// Group to compare with [default: all other cells]
    #[arg(long, help_heading = CELLS, value_name = "GROUP", requires = "groupby")]
    pub group2: Option<String>,
    /// Cells to compare, by a query such as 'cell_type == "B" and n_counts > 500', or a file with a
    /// cell name, or a row number (from 0), per line
    #[arg(long, help_heading = CELLS, value_name = "QUERY|FILE")]
    pub idx1: Option<String>,
    /// Cells to compare with, as for --idx1 [default: all other cells]
    #[arg(long, help_heading = CELLS, value_name = "QUERY|FILE", requires = "idx1")]
    pub idx2: Option<String>,
    /// What these files list: names, or row numbers [default: told by the lines, if they can]
    #[arg(long, help_heading = CELLS, value_name = "WHAT", value_enum, requires = "idx1")]
    pub cells_by: Option<CellsBy>,
    /// Leave out the 10 % of the cells of each group that are outliers in the latent space
    #[arg(long, help_heading = CELLS)]
    pub filter_outlier_cells: bool,
    /// Hypothesis: expression is higher (vanilla), or it changes by --delta or more (change)
    #[arg(long, help_heading = TEST, value_name = "MODE", value_enum, default_value_t = DeMode::Vanilla)]
    pub mode: DeMode,
    /// Smallest absolute log2 fold change that counts; estimate: from the data
    #[arg(long, help_heading = TEST, value_name = "X|estimate", default_value = "0.25")]
    pub delta: String,
    /// Decode each group as if it came from the same batches, instead of those of its cells
    #[arg(long, help_heading = SAMPLES)]
    pub batch_correction: bool,
    /// Batches for the first group, with --batch-correction [default: all]
    #[arg(long, help_heading = SAMPLES, value_name = "BATCH", num_args = 1.., requires = "batch_correction")]
    pub batchid1: Vec<String>,
    /// Batches for the second group, with --batch-correction [default: all]
    #[arg(long, help_heading = SAMPLES, value_name = "BATCH", num_args = 1.., requires = "batch_correction")]
    pub batchid2: Vec<String>,
    /// False discovery rate of the column is_de_fdr_X in mode change
    #[arg(long, help_heading = TEST, value_name = "FDR", default_value_t = 0.05)]
    pub fdr_target: f64,
    /// Posterior samples of each group
    #[arg(long, help_heading = SAMPLES, value_name = "N", default_value_t = 5000)]
    pub n_samples_overall: usize,
    /// Offset added to expression in fold changes [default: estimated from rarely expressed genes]
    #[arg(long, help_heading = TEST, value_name = "X")]
    pub pseudocounts: Option<f64>,
    /// Mean count below which a gene is rarely expressed
    #[arg(long, help_heading = TEST, value_name = "X", default_value_t = 0.01)]
    pub threshold_counts: f64,
    /// Hypotheses of mode change: change or not (two), or up, down or neither (three)
    #[arg(long, help_heading = TEST, value_name = "MODE", value_enum, default_value_t = DeTestMode::Three)]
    pub test_mode: DeTestMode,
    /// Levels of credible intervals of the fold change, above 0 and below 1 [default: none]
    #[arg(long, help_heading = TEST, value_name = "LEVEL", num_args = 1..)]
    pub cred_interval_lvls: Vec<f64>,
    /// Compare random pairs of samples
    #[arg(long, help_heading = SAMPLES)]
    pub use_permutation: bool,
    /// Number of random pairs
    #[arg(long, help_heading = SAMPLES, value_name = "N", default_value_t = 10000)]
    pub m_permutation: usize,
    /// What samples are drawn by.
    #[command(flatten)]
    pub weights: WeightArgs,
}

/// How a file lists cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CellsBy {
    Name,
    Row,
}

/// What `scvi de` tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeMode {
    Vanilla,
    Change,
}

/// Hypotheses of change mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DeTestMode {
    Two,
    Three,
}
