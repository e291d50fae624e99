//! What tasks on a trained model take.

use std::path::PathBuf;

use clap::Args;

use super::{ModelInput, ReadArgs, WeightArgs};

/// `scvi latent`.
#[derive(Debug, Args)]
pub struct LatentArgs {
    /// Model and cells.
    #[command(flatten)]
    pub source: ModelInput,
    /// .h5ad or .zarr, as INPUT (the input plus obsm["X_scVI"]), .npy, .csv, .tsv; - for csv on stdout
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
    /// Write every draw instead of their mean: .npy of draws x cells x genes, or in a .h5ad or .zarr
    /// a layer for each, scvi_normalized_0 and so on (of listed genes in a .h5ad: in obsm); memory
    /// does not grow with cells or draws. Of one draw there is nothing to number
    #[arg(long, conflicts_with_all = ["n_samples_overall", "posterior_mean"])]
    pub return_samples: bool,
    /// Write K rows instead: cells drawn with replacement, each with one draw (no .h5ad)
    #[arg(long, value_name = "K", conflicts_with_all = ["n_samples", "posterior_mean"], value_parser = clap::value_parser!(u32).range(1..))]
    pub n_samples_overall: Option<u32>,
    /// What these rows are drawn by; their group are all cells.
    #[command(flatten)]
    pub weights: WeightArgs,
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
    /// .npz (mean, dispersions, dropout), or .h5ad or .zarr, as INPUT (the input plus layers["scvi_mean"] and so on; a
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

/// `scvi minify`.
#[derive(Debug, Args)]
pub struct MinifyArgs {
    /// Folder of the trained model, or of one that scvi-tools saved (with a model.pt)
    #[arg(long, value_name = "MODEL")]
    pub model: PathBuf,
    /// Raw counts, .h5ad or .zarr, with the genes and columns that the model knows
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
    /// How counts are read.
    #[command(flatten)]
    pub reading: ReadArgs,
}
