//! What commands on files take.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

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
    /// A model folder, a save of scvi-tools, or an .h5ad or .zarr file
    pub path: PathBuf,
}
