//! How a SCANVI is trained, which learns the labels of cells.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Options of the Vae and of its data, which an SCVI gives that a SCANVI begins with.
const OF_SCVI: [&str; 23] = [
    "n_hidden",
    "n_latent",
    "n_layers",
    "dropout_rate",
    "dispersion",
    "gene_likelihood",
    "latent_distribution",
    "batch_representation",
    "batch_embedding_dim",
    "use_batch_norm",
    "use_layer_norm",
    "var_activation",
    "no_use_observed_lib_size",
    "encode_covariates",
    "no_deeply_inject_covariates",
    "no_log_variational",
    "batch_key",
    "size_factor_key",
    "categorical_covariate_key",
    "continuous_covariate_key",
    "n_top_genes",
    "flavor",
    "min_cells",
];

/// What is learned of labels.
#[derive(Debug, Args)]
#[command(next_help_heading = "Labels")]
pub struct LabelArgs {
    /// Class of the model: scvi, or scanvi, which also learns to predict the labels of --labels-key
    /// [default: scanvi with --unlabeled-category, otherwise scvi]
    #[arg(long, requires = "input", value_name = "CLASS", value_enum)]
    pub model_class: Option<ModelClassChoice>,
    /// Label of cells without a known label; nan for missing values
    #[arg(long, requires = "input", value_name = "LABEL", allow_negative_numbers = true)]
    pub unlabeled_category: Option<String>,
    /// Begin with the weights of this SCVI model, and take its columns and model options; a folder
    /// of this program or of scvi-tools [default: random weights]
    #[arg(long = "from", value_name = "MODEL", requires = "unlabeled_category", conflicts_with_all = OF_SCVI)]
    pub scvi_model: Option<PathBuf>,
    /// Labelled cells of each label that train the classifier in an epoch [default: all]
    #[arg(long, value_name = "N", requires = "unlabeled_category", value_parser = clap::value_parser!(u32).range(1..))]
    pub n_samples_per_label: Option<u32>,
    /// Weight of the classification loss
    #[arg(long, value_name = "X", requires = "unlabeled_category", default_value_t = 50.0)]
    pub classification_ratio: f64,
    /// Classify without a hidden layer
    #[arg(long, requires = "unlabeled_category")]
    pub linear_classifier: bool,
}

/// What `--model-class` may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ModelClassChoice {
    Scvi,
    Scanvi,
}
