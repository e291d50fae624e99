//! What `scvi map` takes.

use std::path::PathBuf;

use clap::Args;

use super::{CellArgs, CheckpointArgs, InputArgs, PlanArgs, ReadArgs, ShuffleArgs};

/// `scvi map`.
#[derive(Debug, Args)]
pub struct MapArgs {
    /// Folder of the reference model, or a folder saved by scvi-tools (with model.pt)
    #[arg(long, value_name = "MODEL")]
    pub reference: PathBuf,
    /// Raw counts of the query, with the columns of obs that the model reads: .h5ad, .zarr, 10x .h5
    /// or matrix folder; several are joined; @samples.csv lists them
    #[arg(id = "input", value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
    /// The one file that they come to.
    #[arg(skip)]
    pub input: PathBuf,
    /// How they come to it.
    #[command(flatten)]
    pub from: InputArgs,
    /// Folder for the model of reference and query
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// File for the latent representation of the query: .h5ad or .zarr as INPUT (a copy with
    /// obsm["X_scVI"]), .npy, .csv, .tsv [default: not written]
    #[arg(long, value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// Write cells that are left out as rows of NaN instead
    #[arg(long, requires = "output")]
    pub keep_dropped_cells: bool,
    /// Which genes.
    #[command(flatten)]
    pub query: QueryArgs,
    /// Which cells are used.
    #[command(flatten)]
    pub cells: CellArgs,
    /// How counts are read.
    #[command(flatten)]
    pub reading: ReadArgs,
    /// Freezing.
    #[command(flatten)]
    pub freeze: FreezeArgs,
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

/// How the query's genes are found.
#[derive(Debug, Args)]
#[command(next_help_heading = "Query")]
pub struct QueryArgs {
    /// Column of var with the gene names of the reference, such as symbols [default: the index]
    #[arg(long, value_name = "COLUMN")]
    pub var_names_column: Option<String>,
    /// Fraction of the genes of the reference that the query must have, 0 to 1; missing genes count
    /// as zeros
    #[arg(long, value_name = "FRACTION", default_value_t = 0.2)]
    pub min_overlap: f64,
    /// Accept columns with more new categories than half the number of query cells
    #[arg(long)]
    pub allow_many_categories: bool,
}

/// What training does not touch; scvi-tools' switches with its defaults.
#[derive(Debug, Args)]
#[command(next_help_heading = "Freezing")]
pub struct FreezeArgs {
    /// Train all weights
    #[arg(long)]
    pub unfrozen: bool,
    /// Train without dropout
    #[arg(long)]
    pub freeze_dropout: bool,
    /// Train the first layer of the encoder, including the weights of the genes
    #[arg(long)]
    pub no_freeze_expression: bool,
    /// Train the first layer of the decoder, including the weights of the latent dimensions
    #[arg(long)]
    pub no_freeze_decoder_first_layer: bool,
    /// Train the batch normalization of the encoder, and update its running moments
    #[arg(long)]
    pub no_freeze_batchnorm_encoder: bool,
    /// Freeze the batch normalization of the decoder and its running moments, so that reference
    /// cells are decoded as before
    #[arg(long)]
    pub freeze_batchnorm_decoder: bool,
    /// Train the classifier of a SCANVI on the labels of the query
    #[arg(long)]
    pub no_freeze_classifier: bool,
    /// Also train the weights of categories of the reference on the cells of the query, as
    /// scvi-tools does
    #[arg(long)]
    pub no_freeze_reference_categories: bool,
}
