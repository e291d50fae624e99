//! What cells are read from: 10x matrices, several files, lists of samples.

use clap::{Args, ValueEnum};

/// Heading in `--help`.
pub const INPUTS: &str = "Inputs";

/// How inputs that are no single AnnData become one.
#[derive(Debug, Clone, Default, Args)]
pub struct InputArgs {
    /// Genes of several inputs: those that all have (inner), or that any has (outer)
    #[arg(long, help_heading = INPUTS, requires = "input", value_name = "JOIN", value_enum, default_value_t)]
    pub join: JoinChoice,
    /// Name of each input, in their order: its batch where obs has no batch column [default: the
    /// file names]
    #[arg(long, help_heading = INPUTS, requires = "input", value_name = "NAME", num_args = 1..)]
    pub batch_name: Vec<String>,
    /// Names of the genes of 10x matrices: symbol, id
    #[arg(long, help_heading = INPUTS, requires = "input", value_name = "NAMES", value_enum, default_value_t)]
    pub gene_names: GeneNamesChoice,
    /// Genome of a 10x .h5 file whose genes are read [default: all]
    #[arg(long, help_heading = INPUTS, requires = "input", value_name = "GENOME")]
    pub genome: Option<String>,
    /// Accept a raw 10x matrix: all barcodes, empty droplets included
    #[arg(long, help_heading = INPUTS, requires = "input")]
    pub allow_raw_matrix: bool,
}

/// Genes of several inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum JoinChoice {
    #[default]
    Inner,
    Outer,
}

/// Names of genes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum GeneNamesChoice {
    #[default]
    Symbol,
    Id,
}
