//! What commands on files take.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `scvi simulate`.
#[derive(Debug, Args)]
pub struct SimulateArgs {
    /// File to write: .h5ad
    #[arg(long, value_name = "OUT.h5ad")]
    pub output: PathBuf,
    /// Number of cells
    #[arg(long, value_name = "N", default_value_t = 3000)]
    pub n_cells: usize,
    /// Number of genes
    #[arg(long, value_name = "N", default_value_t = 2000)]
    pub n_genes: usize,
    /// Number of batches
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub n_batches: usize,
    /// Number of cell types
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub n_cell_types: usize,
    /// Expected fraction of nonzero counts, above 0 and below 1
    #[arg(long, value_name = "FRACTION", default_value_t = 0.08)]
    pub density: f64,
}

/// `scvi convert`.
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// Model folder, or a folder saved by scvi-tools (with model.pt), or the model.pt itself
    #[arg(long, value_name = "MODEL")]
    pub model: PathBuf,
    /// Format to write: native, or scvi-tools for SCVI.load and LinearSCVI.load
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub to: ModelFormat,
    /// Folder to write
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
}

/// Formats of a model.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ModelFormat {
    Native,
    ScviTools,
}

/// `scvi inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// Model folder, folder saved by scvi-tools, or data: .h5ad or .zarr
    #[arg(value_name = "MODEL|INPUT")]
    pub path: PathBuf,
}

/// `scvi completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Shell that the script is for
    pub shell: clap_complete::Shell,
}

/// `scvi man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Folder for the pages, created if it is not there
    #[arg(long, value_name = "DIR")]
    pub output: PathBuf,
}
