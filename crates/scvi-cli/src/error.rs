//! What ends a job; `hint.rs` says what helps then.

use std::path::PathBuf;

use scvi::data::{CategoryError, DatasetError, RepeatedGene};
use scvi::listed;
use scvi::model::TaskError;
use scvi::model::query::QueryError;
use scvi::module::{ConfigError, UnknownChoice};
use scvi::nn::StateError;
use scvi::train::TrainError;
use scvi_io::IoError;
use scvi_io::checkpoint::CheckpointError;
use scvi_io::inputs::InputError;
use scvi_io::obs_query::QueryMismatch;
use scvi_report::{AnalysisError, ReportError};
use thiserror::Error;

use crate::results::Results;

/// A job that failed.
#[derive(Debug, Error)]
pub enum CliError {
    #[error(transparent)]
    Io(#[from] IoError),
    #[error(transparent)]
    Input(Box<InputError>),
    #[error("{}", error.to_string().replace(path.as_str(), typed))]
    OfInputs { error: Box<CliError>, path: String, typed: String },
    #[error("{path} has obs column '{key}': --batch-name is for files without one")]
    BatchNameBeside { path: String, key: String },
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Choice(#[from] UnknownChoice),
    #[error(transparent)]
    State(#[from] StateError),
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    #[error("{error}{}", source_text(error))]
    Train { error: TrainError },
    #[error("{error}{}", source_text(error))]
    Task { error: TaskError },
    #[error("cannot start threads: {source}")]
    Threads { source: rayon::ThreadPoolBuildError },
    #[error("{path}: {n_empty} of {n_cells} cells have no counts {within}: {names}")]
    EmptyCells {
        path: String,
        n_empty: usize,
        n_cells: usize,
        /// Among which genes.
        within: String,
        names: String,
        /// What is true in Python of the other cells of `adata`, where that can be said.
        others: Option<String>,
    },
    #[error("{path} holds its counts gene by gene (csc): single cells cannot be read from it")]
    ByGene { path: String },
    #[error("{path} has {n_cells} cells{after}; at least 2 are needed")]
    TooFewCells { path: String, n_cells: usize, after: &'static str },
    #[error("{path}: no cell is left; {told}")]
    NoCellsLeft { path: String, told: String },
    #[error("{path}: no name of a gene begins with {prefix} (they are such as {first})")]
    NoMitoGenes { path: String, prefix: String, first: String },
    #[error("'{name}' names an input, and no file: an output of its own would be called so")]
    SampleName { name: String },
    #[error("{path} has no genes")]
    NoGenes { path: String },
    #[error("{path} has {found} genes in {matrix}, the model was trained on {expected}")]
    GeneCount { path: String, matrix: String, found: usize, expected: usize },
    #[error("{path} has no {wanted}{why} (it has: {})", listed(available))]
    NoMatrix {
        path: String,
        wanted: String,
        why: &'static str,
        available: Vec<String>,
        /// How --layer names those that may be meant.
        spelled: Vec<String>,
    },
    #[error(
        "{path}: {matrix} holds no counts ({} in cell '{cell}', gene '{gene}'); counts are in {}",
        *value as f32, listed(counts)
    )]
    NotCounts {
        path: String,
        matrix: Box<str>,
        value: f64,
        cell: Box<str>,
        gene: Box<str>,
        /// Matrices that do.
        counts: Box<[String]>,
        /// How --layer names them.
        spelled: Box<[String]>,
    },
    #[error(
        "{path}: a copy has a value for each of the {n_vars} genes of var, and the model has others: \
         {n_genes}"
    )]
    GenesOfCopy { path: String, n_vars: usize, n_genes: usize },
    #[error("{path}: gene '{gene}' of the model is missing ({n_missing} of {n_genes} are)")]
    GeneNames { path: String, gene: String, n_missing: usize, n_genes: usize },
    #[error("{path}: {error}")]
    RepeatedGene { path: String, error: RepeatedGene },
    #[error(
        "{path} has {n_shared} of the reference's {n_genes} genes ({:.1} %), fewer than the {:.1} % asked for",
        100.0 * *n_shared as f64 / *n_genes as f64, 100.0 * min_overlap
    )]
    Overlap {
        path: String,
        n_shared: usize,
        n_genes: usize,
        min_overlap: f64,
        /// A column of var with more of the names than those that were taken.
        column: Option<String>,
    },
    #[error("{model} is not trained: what it says of cells is that of random weights")]
    Untrained {
        model: String,
        /// The options that name its columns, as they are typed.
        columns: String,
        /// Whether it is a reference that has not learned its query yet.
        is_mapped: bool,
    },
    #[error("{}: {error}", path.display())]
    Category { path: PathBuf, error: Box<CategoryError> },
    #[error("{path} is minified: {task} needs counts, and it has none")]
    Minified { path: String, task: &'static str },
    #[error("{path} is minified already")]
    IsMinified { path: String },
    #[error(
        "{path}: {n_empty} of {n_cells} cells have no counts at all, so no posterior that could be stored: {names}"
    )]
    NoPosterior {
        path: String,
        n_empty: usize,
        n_cells: usize,
        names: String,
        others: Option<String>,
    },
    #[error(transparent)]
    Mapping(#[from] QueryError),
    #[error("{path}: {n_unknown} of {n_genes} genes are none of the model's: {unknown}")]
    UnknownGenes { path: String, n_unknown: usize, n_genes: usize, unknown: String },
    #[error("{path} names no gene")]
    NoGenesListed { path: String },
    #[error("{path}, line {line}: {} genes of the model are named '{gene}' ({})", columns.len(), numbers("columns", columns))]
    RepeatedGeneListed { path: String, line: usize, gene: String, columns: Vec<usize> },
    #[error("{told}")]
    Cells { told: String, fault: ListFault },
    #[error("'{found}' is none of the model's batches (they are: {known})")]
    UnknownBatch { found: String, known: String },
    #[error("{path}: column '{key}' of obs holds no numbers")]
    NotNumeric { path: String, key: String },
    #[error("{path}: obs column '{key}' {problem}")]
    Numbers { path: String, key: String, problem: String },
    #[error("{what} needs labels")]
    NeedsLabels { what: String },
    #[error("SCANVI needs to know the label of cells without a known one")]
    NeedsUnlabeled,
    #[error("{path}: {n_missing} of {n_cells} cells have no value in labels column '{key}'")]
    MissingLabels { path: String, key: String, n_missing: usize, n_cells: usize },
    #[error("{model} is a {class}: a SCANVI begins with an SCVI")]
    NotScvi { model: String, class: String },
    #[error("{model} is a {class}, which has learned no labels")]
    NoClassifier { model: String, class: String },
    #[error("{option} is {found}; it must be {range}")]
    Option { option: &'static str, found: String, range: &'static str },
    #[error("{told}{}", known_text(known))]
    Groups { told: String, known: Vec<String> },
    #[error("{told}")]
    Query { told: String },
    #[error("{told}")]
    Diverged {
        told: String,
        is_extreme: bool,
        /// The learning rate.
        lr: f64,
        /// Epochs that ended before.
        epochs_before: usize,
        /// Whether a checkpoint was left behind, which another run may not replace unasked.
        is_kept: bool,
    },
    #[error("{path} holds a run that is not finished")]
    Unfinished { path: String },
    #[error(transparent)]
    Analysis(AnalysisError),
    #[error(transparent)]
    Chart(#[from] ReportError),
    #[error("{path} has no obs column and no gene '{name}' (columns: {})", listed(known))]
    UnknownColor { path: String, name: String, known: Vec<String> },
    #[error("{} genes are named '{name}' ({})", columns.len(), numbers("columns", columns))]
    RepeatedColor { name: String, columns: Vec<usize> },
    #[error("{path}: obs column '{key}' has {found} categories; at most {most} can be colored")]
    ManyColors { path: String, key: String, found: usize, most: usize },
    #[error("{0}")]
    Results(Box<Results>),
    #[error("{told}")]
    Interrupted { exit_code: u8, told: String },
    #[error("cannot listen to signals: {source}")]
    Signals { source: std::io::Error },
    #[error("cannot write to stdout: {source}")]
    Stdout { source: std::io::Error },
}

/// What is wrong with a list of cells.
#[derive(Debug, Clone, Copy)]
pub enum ListFault {
    /// Its lines may be names or row numbers, of different cells.
    Ambiguous,
    /// A name stands for several cells.
    Repeated,
    /// A line is no cell.
    Unknown,
    /// The list has the name of a query.
    NamedAsQuery,
}

impl From<QueryMismatch> for CliError {
    fn from(error: QueryMismatch) -> Self {
        Self::Query { told: error.to_string() }
    }
}

/// The cause behind an error that wraps one.
fn source_text(error: &dyn std::error::Error) -> String {
    error.source().map(|s| format!(": {s}")).unwrap_or_default()
}

/// Places for a message: the first of many.
pub fn numbers(what: &str, places: &[usize]) -> String {
    format!("{what} {}, from 0", listed(places))
}

/// What there is instead.
fn known_text(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!("; there are: {}", listed(known)) }
}

impl From<TrainError> for CliError {
    fn from(error: TrainError) -> Self {
        Self::Train { error }
    }
}

impl From<AnalysisError> for CliError {
    fn from(error: AnalysisError) -> Self {
        match error {
            AnalysisError::Task(error) => error.into(),
            error => Self::Analysis(error),
        }
    }
}

impl From<CheckpointError> for CliError {
    fn from(error: CheckpointError) -> Self {
        match error {
            CheckpointError::Train(error) => error.into(),
            CheckpointError::Io(error) => error.into(),
        }
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
            Self::OfInputs { error, .. } => error.exit(),
            _ => (1, "error"),
        }
    }
}

impl From<InputError> for CliError {
    fn from(error: InputError) -> Self {
        Self::Input(Box::new(error))
    }
}
