//! What ends a job, and what helps then.

use scvi::data::DatasetError;
use scvi::model::{DifferentialError, TaskError};
use scvi::module::{ConfigError, UnknownChoice};
use scvi::train::TrainError;
use scvi_io::IoError;
use thiserror::Error;

/// A job that failed.
#[derive(Debug, Error)]
pub enum CliError {
    #[error(transparent)]
    Io(#[from] IoError),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Choice(#[from] UnknownChoice),
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    #[error("{error}{}", source_text(error))]
    Train { error: TrainError },
    #[error("{error}{}", source_text(error))]
    Task { error: TaskError },
    #[error("cannot start threads: {source}")]
    Threads { source: rayon::ThreadPoolBuildError },
    #[error("{path}: {n_empty} of {n_cells} cells have no counts at all, first: {first}")]
    EmptyCells { path: String, n_empty: usize, n_cells: usize, first: String },
    #[error("{path} has {n_cells} cells{after}; at least 2 are needed")]
    TooFewCells { path: String, n_cells: usize, after: &'static str },
    #[error("{path} has no genes")]
    NoGenes { path: String },
    #[error("{path} has {found} genes, the model was trained on {expected}")]
    GeneCount { path: String, found: usize, expected: usize },
    #[error("{path}: gene '{gene}' of the model is missing ({n_missing} of {n_genes} are)")]
    GeneNames { path: String, gene: String, n_missing: usize, n_genes: usize },
    #[error(
        "{path}: column '{key}' has categories the model does not know: {unknown} (it knows {known})"
    )]
    UnknownCategories { path: String, key: String, unknown: String, known: String },
    #[error("{path}: column '{key}' of obs holds no numbers")]
    NotNumeric { path: String, key: String },
    #[error("dispersion {dispersion} needs labels")]
    NeedsLabels { dispersion: String },
    #[error("{option} is {found}; it must be {range}")]
    Option { option: &'static str, found: String, range: &'static str },
    #[error("{told}{}", known_text(known))]
    Groups { told: String, known: Vec<String> },
    #[error("{told}")]
    Query { told: String },
    #[error("{told}")]
    Diverged { told: String, is_extreme: bool },
    #[error("{path} holds a run that is not finished")]
    Unfinished { path: String },
    #[error("{told}")]
    Interrupted { exit_code: u8, told: String },
    #[error("cannot listen to signals: {source}")]
    Signals { source: std::io::Error },
    #[error("cannot write to stdout: {source}")]
    Stdout { source: std::io::Error },
}

/// The cause behind an error that wraps one.
fn source_text(error: &dyn std::error::Error) -> String {
    error.source().map(|s| format!(": {s}")).unwrap_or_default()
}

/// What there is instead.
fn known_text(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!("; there are: {}", known.join(", ")) }
}

impl From<TrainError> for CliError {
    fn from(error: TrainError) -> Self {
        Self::Train { error }
    }
}

impl From<TaskError> for CliError {
    fn from(error: TaskError) -> Self {
        Self::Task { error }
    }
}

impl CliError {
    /// What the program ends with, and what stands before the message.
    pub fn exit(&self) -> (u8, &'static str) {
        match self {
            Self::Interrupted { exit_code, .. } => (*exit_code, "interrupted"),
            _ => (1, "error"),
        }
    }

    /// What the user can do about it, for the errors where there is something.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Io(error) => error.hint(),
            Self::EmptyCells { .. } => Some("--drop-empty-cells leaves them out"),
            Self::GeneCount { .. } | Self::GeneNames { .. } => Some(
                "select the genes that the model was trained on; scvi inspect MODEL --json lists them",
            ),
            Self::UnknownCategories { .. } => {
                Some("a model knows the categories it was trained on: leave these cells out")
            }
            Self::NotNumeric { .. } => {
                Some("columns of categories go to --batch-key or --categorical-covariate-key")
            }
            Self::NeedsLabels { .. } => Some("name the column of obs with --labels-key"),
            Self::Train { error: TrainError::NothingToValidate { .. } } => {
                Some("leave cells to validate on with --train-size or --validation-size")
            }
            Self::Query { .. } => Some("a query is such as: cell_type == \"B\" and n_counts > 500"),
            Self::Task { error: TaskError::Differential(DifferentialError::NoCounts) } => {
                Some("give them with --pseudocounts")
            }
            Self::Diverged { is_extreme: true, .. } => {
                Some("raw counts are needed; leave out this cell or gene if the count is an error")
            }
            Self::Diverged { .. } => Some("lower --lr"),
            Self::Unfinished { .. } => Some("--resume goes on with it, --overwrite gives it up"),
            _ => None,
        }
    }
}
