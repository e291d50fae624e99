//! What `scvi map` takes.

use std::path::PathBuf;

use clap::Args;

use super::{CheckpointArgs, PlanArgs, ReadArgs, ShuffleArgs};

/// `scvi map`.
#[derive(Debug, Args)]
pub struct MapArgs {
    /// Folder of the trained model, or of one that scvi-tools saved (with a model.pt)
    #[arg(long, value_name = "MODEL")]
    pub reference: PathBuf,
    /// Raw counts of the query, .h5ad or .zarr, with the columns that the model knows
    pub input: PathBuf,
    /// Folder for the model of reference and query
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// Also write the query's latent representation: .h5ad or .zarr, as INPUT (INPUT plus obsm["X_scVI"]), .npy, .csv,
    /// .tsv
    #[arg(long, value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// Which genes and cells.
    #[command(flatten)]
    pub query: QueryArgs,
    /// How counts are read.
    #[command(flatten)]
    pub reading: ReadArgs,
    /// What is kept as it is.
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
