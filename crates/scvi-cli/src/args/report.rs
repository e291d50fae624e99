//! `scvi report` and `scvi umap`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::ModelInput;

/// `scvi report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Model and cells.
    #[command(flatten)]
    pub source: ModelInput,
    /// Page to write: .html; with --format svg or png a folder for one file per chart
    #[arg(long, value_name = "OUT")]
    pub output: PathBuf,
    /// Columns of obs with labels such as cell types, to color by and to judge the latent space by
    /// [default: the model's labels]
    #[arg(long, value_name = "COLUMN", num_args = 1..)]
    pub labels_key: Vec<String>,
    /// Further columns of obs, or genes, to color cells by [default: none]
    #[arg(long, value_name = "COLUMN|GENE", num_args = 1..)]
    pub color_by: Vec<String>,
    /// Table that scvi de wrote, to show its top genes and volcano plots [default: none]
    #[arg(long, value_name = "DE.csv")]
    pub de: Option<PathBuf>,
    /// What to write
    #[arg(long, value_name = "CHOICE", default_value = "html")]
    pub format: ReportFormat,
}

/// What `scvi report` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    #[value(help = None)]
    Html,
    #[value(help = None)]
    Svg,
    #[value(help = None)]
    Png,
}

/// `scvi umap`.
#[derive(Debug, Args)]
pub struct UmapArgs {
    /// Model and cells.
    #[command(flatten)]
    pub source: ModelInput,
    /// File to write: .h5ad or .zarr as INPUT (a copy with obsm["X_umap"]), .npy, .csv, .tsv; - for
    /// csv on stdout
    #[arg(long, value_name = "OUT")]
    pub output: PathBuf,
    /// Write cells that are left out as rows of NaN instead
    #[arg(long)]
    pub keep_dropped_cells: bool,
    /// Cells of a neighborhood, the cell included, as in scanpy
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u16).range(2..))]
    pub n_neighbors: u16,
    /// Least distance between cells in the plane
    #[arg(long, value_name = "X", default_value_t = 0.5)]
    pub min_dist: f64,
}
