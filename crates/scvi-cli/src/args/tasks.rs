//! What tasks on a trained model take.

use std::path::PathBuf;

use clap::Args;

use super::{CellArgs, InputArgs, ModelInput, OutputDirArgs, ReadArgs, WeightArgs};

/// `scvi latent`.
#[derive(Debug, Clone, Args)]
pub struct LatentArgs {
    /// Model and cells.
    #[command(flatten)]
    pub source: ModelInput,
    /// File to write: .h5ad or .zarr as INPUT (a copy with obsm["X_scVI"]), .npy, .csv, .tsv; - for
    /// csv on stdout
    #[arg(long, required_unless_present = "output_dir", value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// An output for each input.
    #[command(flatten)]
    pub dir: OutputDirArgs,
    /// Write cells that are left out as rows of NaN instead
    #[arg(long)]
    pub keep_dropped_cells: bool,
    /// Also write mean and variance of the posterior: obsm["X_latent_qzm"] and obsm["X_latent_qzv"]
    #[arg(long)]
    pub return_dist: bool,
    /// Also write the library size of each cell: obs["scvi_library_size"]
    #[arg(long)]
    pub library_size: bool,
    /// Write one sample from the posterior instead of its mean
    #[arg(long)]
    pub no_give_mean: bool,
    /// Column of obs with samples, for differential abundance: also write ln p(z | sample) as
    /// obsm["da_log_probs"], a column per sample (quadratic in cells) [default: not written]
    #[arg(long, value_name = "COLUMN")]
    pub sample_key: Option<String>,
    /// Cells drawn at random to represent each sample, at most [default: all]
    #[arg(long, value_name = "CELLS", requires = "sample_key")]
    pub num_cells_posterior: Option<usize>,
    /// Degrees of freedom of Student's t around these cells [default: normal distributions]
    #[arg(long, value_name = "X", requires = "sample_key")]
    pub dof: Option<f64>,
}

/// `scvi evaluate`.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    /// Model and cells.
    #[command(flatten)]
    pub source: ModelInput,
    /// Also estimate the marginal log-likelihood, with N Monte Carlo samples per cell [default: not
    /// estimated]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub n_mc_samples: Option<u32>,
    /// Table with the terms of each cell: csv [default: not written]
    #[arg(long, value_name = "OUT.csv")]
    pub per_cell: Option<PathBuf>,
    /// Evaluate at the mean of the posterior instead of one sample: deterministic
    #[arg(long)]
    pub posterior_mean: bool,
}

/// `scvi sample`.
#[derive(Debug, Clone, Args)]
pub struct SampleArgs {
    /// Model and cells.
    #[command(flatten)]
    pub source: ModelInput,
    /// File to write: .h5ad with the first draw in X, further ones in layers["draw_1"] and so on
    #[arg(long, required_unless_present = "output_dir", value_name = "OUT.h5ad")]
    pub output: Option<PathBuf>,
    /// An output for each input.
    #[command(flatten)]
    pub dir: OutputDirArgs,
    /// Draws of each cell
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub n_samples: u32,
    /// File with the genes to write, one name per line, in this order [default: all]
    #[arg(long, value_name = "FILE")]
    pub gene_list: Option<PathBuf>,
    /// Decode all cells as if they came from this batch; of several, the mean [default: their own]
    #[arg(long, value_name = "BATCH", num_args = 1..)]
    pub transform_batch: Vec<String>,
}

/// `scvi correlate`.
#[derive(Debug, Args)]
pub struct CorrelateArgs {
    /// Model and cells.
    #[command(flatten)]
    pub source: ModelInput,
    /// File for the matrix of genes by genes: .csv, .tsv, .npy; - for csv on stdout
    #[arg(long, value_name = "OUT")]
    pub output: PathBuf,
    /// Correlation: spearman (needs 4 bytes per cell, draw and gene), pearson
    #[arg(long, value_name = "CHOICE", default_value = "spearman")]
    pub correlation_type: String,
    /// Draws of each cell
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    pub n_samples: u32,
    /// Library size that all cells are scaled to before drawing, in counts
    #[arg(long, value_name = "COUNTS", default_value_t = 1000.0)]
    pub rna_size_factor: f64,
    /// File with the genes to correlate, one name per line, in this order [default: all]
    #[arg(long, value_name = "FILE")]
    pub gene_list: Option<PathBuf>,
    /// Decode all cells as if they came from this batch; of several, the mean [default: their own]
    #[arg(long, value_name = "BATCH", num_args = 1..)]
    pub transform_batch: Vec<String>,
}

/// `scvi normalize`.
#[derive(Debug, Clone, Args)]
pub struct NormalizeArgs {
    /// Model and cells.
    #[command(flatten)]
    pub source: ModelInput,
    /// File to write: .h5ad or .zarr as INPUT (a copy with layers["scvi_normalized"]; with
    /// --gene-list obsm["X_normalized_scVI"]), .npy, .csv, .tsv; - for csv on stdout
    #[arg(long, required_unless_present = "output_dir", value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// An output for each input.
    #[command(flatten)]
    pub dir: OutputDirArgs,
    /// Write cells that are left out as rows of NaN instead
    #[arg(long)]
    pub keep_dropped_cells: bool,
    /// Library size that all cells are scaled to, in counts; latent: their own
    #[arg(long, value_name = "N|latent", default_value = "1")]
    pub library_size: String,
    /// Decode all cells as if they came from this batch; of several, the mean [default: their own]
    #[arg(long, value_name = "BATCH", num_args = 1..)]
    pub transform_batch: Vec<String>,
    /// File with the genes to write, one name per line, in this order [default: all]
    #[arg(long, value_name = "FILE")]
    pub gene_list: Option<PathBuf>,
    /// Posterior samples of each cell, of which the mean is written
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub n_samples: u32,
    /// Write all samples instead of their mean: .npy of samples x cells x genes, or
    /// layers["scvi_normalized_0"] and so on of .h5ad or .zarr
    #[arg(long, conflicts_with_all = ["n_samples_overall", "posterior_mean"])]
    pub return_samples: bool,
    /// Write N rows instead, each a sample of a cell drawn with replacement: .npy, .csv, .tsv, -
    /// [default: one row per cell]
    #[arg(long, value_name = "N", conflicts_with_all = ["n_samples", "posterior_mean"], value_parser = clap::value_parser!(u32).range(1..))]
    pub n_samples_overall: Option<u32>,
    /// Decode the mean of the posterior instead of samples: deterministic
    #[arg(long, conflicts_with = "n_samples")]
    pub posterior_mean: bool,
    /// What these rows are drawn by; their group are all cells.
    #[command(flatten)]
    pub weights: WeightArgs,
}

/// `scvi parameters`.
#[derive(Debug, Clone, Args)]
pub struct ParametersArgs {
    /// Model and cells.
    #[command(flatten)]
    pub source: ModelInput,
    /// File to write: .npz (mean, dispersions, dropout), or .h5ad or .zarr as INPUT (a copy with
    /// layers["scvi_mean"] and so on)
    #[arg(long, required_unless_present = "output_dir", value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// An output for each input.
    #[command(flatten)]
    pub dir: OutputDirArgs,
    /// Write cells that are left out as rows of NaN instead
    #[arg(long)]
    pub keep_dropped_cells: bool,
    /// Posterior samples of each cell, of which the mean is written
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub n_samples: u32,
    /// Decode the mean of the posterior instead of samples: deterministic
    #[arg(long, conflicts_with = "n_samples")]
    pub posterior_mean: bool,
}

/// `scvi predict`.
#[derive(Debug, Clone, Args)]
pub struct PredictArgs {
    /// Model and cells.
    #[command(flatten)]
    pub source: ModelInput,
    /// File to write: .h5ad or .zarr as INPUT (a copy with obs["scanvi_prediction"] and its
    /// probability), .csv, .tsv; - for csv on stdout
    #[arg(long, required_unless_present = "output_dir", value_name = "OUT")]
    pub output: Option<PathBuf>,
    /// An output for each input.
    #[command(flatten)]
    pub dir: OutputDirArgs,
    /// Write cells that are left out as rows without a label instead
    #[arg(long)]
    pub keep_dropped_cells: bool,
    /// Write the probability of every label: a column per label, in copies as
    /// obsm["scanvi_probabilities"] beside the prediction
    #[arg(long)]
    pub soft: bool,
    /// Classify one sample from the posterior instead of its mean
    #[arg(long)]
    pub no_use_posterior_mean: bool,
}

/// `scvi minify`.
#[derive(Debug, Args)]
pub struct MinifyArgs {
    /// Model folder, or a folder saved by scvi-tools (with model.pt)
    #[arg(long, value_name = "MODEL")]
    pub model: PathBuf,
    /// Raw counts, with the genes of the model and the columns of obs that it reads: .h5ad, .zarr,
    /// 10x .h5 or matrix folder; several are joined; @samples.csv lists them
    #[arg(id = "input", value_name = "INPUT", required = true)]
    pub inputs: Vec<PathBuf>,
    /// The one file that they come to.
    #[arg(skip)]
    pub input: PathBuf,
    /// How they come to it.
    #[command(flatten)]
    pub from: InputArgs,
    /// File to write: .h5ad or .zarr as INPUT
    #[arg(long, value_name = "OUT")]
    pub output: PathBuf,
    /// Keep X, layers and raw beside the posterior
    #[arg(long)]
    pub keep_counts: bool,
    /// Cells evaluated at a time; more need more memory
    #[arg(long, value_name = "CELLS", default_value_t = 256)]
    pub batch_size: usize,
    /// How counts are read.
    #[command(flatten)]
    pub reading: ReadArgs,
}

impl MinifyArgs {
    /// Model and cells, as other tasks take them: every cell of the output has a posterior, so that
    /// none can be left out.
    pub fn source(&self) -> ModelInput {
        ModelInput {
            model: self.model.clone(),
            inputs: self.inputs.clone(),
            only: None,
            input: self.input.clone(),
            from: self.from.clone(),
            cells: CellArgs::default(),
            batch_size: self.batch_size,
            reading: self.reading.clone(),
        }
    }
}
