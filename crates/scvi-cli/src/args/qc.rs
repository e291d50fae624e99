//! What `scvi qc` takes.

use std::path::PathBuf;

use clap::Args;

use super::{InputArgs, ReadArgs};

/// `scvi qc`.
#[derive(Debug, Args)]
pub struct QcArgs {
    /// Raw counts: .h5ad, .zarr, 10x .h5 or matrix folder; several are joined; @samples.csv lists
    /// them
    #[arg(id = "input", value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
    /// The one file that they come to.
    #[arg(skip)]
    pub input: PathBuf,
    /// The column that tells several inputs apart.
    #[arg(skip)]
    pub label: Option<String>,
    /// Table with a row per cell and the columns of scanpy's calculate_qc_metrics: .csv or .tsv; -
    /// for csv on stdout
    #[arg(long, value_name = "OUT")]
    pub output: PathBuf,
    /// What names of mitochondrial genes begin with [default: MT- and mt-]
    #[arg(long, value_name = "PREFIX")]
    pub mito_prefix: Option<String>,
    /// How inputs become one file.
    #[command(flatten)]
    pub from: InputArgs,
    /// How counts are read.
    #[command(flatten)]
    pub reading: ReadArgs,
}
