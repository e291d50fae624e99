//! Each error of the engine is an exception of its own, defined in `scvi_rs.exceptions`.

use std::error::Error;
use std::io;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyType;
use scvi::data::{CsrError, DatasetError, Misfit, RepeatedGene, SplitError};
use scvi::model::query::QueryError;
use scvi::model::{DifferentialError, TaskError};
use scvi::module::{ConfigError, MinifiedError};
use scvi::nn::{EmbeddingError, StateError};
use scvi::preprocess::GeneSelectionError;
use scvi::train::{PlanError, TrainError};
use scvi_io::IoError;
use scvi_io::checkpoint::CheckpointError;
use scvi_io::inputs::InputError;
use scvi_io::scvi_tools::SaveError;
use scvi_report::{AnalysisError, ReportError};

/// Any error of the engine, with the name of its exception.
pub struct EngineError {
    exception: &'static str,
    source: Box<dyn Error + Send + Sync>,
}

impl EngineError {
    /// An exception with a message of its own.
    pub fn with_message(exception: &'static str, message: &str) -> Self {
        Self { exception, source: message.into() }
    }
}

/// Errors with an exception each.
macro_rules! exceptions {
    ($($error:ty => $exception:literal),* $(,)?) => {
        $(impl From<$error> for EngineError {
            fn from(error: $error) -> Self {
                Self { exception: $exception, source: Box::new(error) }
            }
        })*
    };
}

exceptions! {
    ConfigError => "ConfigError",
    CsrError => "CountsError",
    DatasetError => "DatasetError",
    DifferentialError => "DifferentialError",
    RepeatedGene => "GenesError",
    EmbeddingError => "EmbeddingError",
    GeneSelectionError => "GenesError",
    InputError => "FileError",
    IoError => "FileError",
    MinifiedError => "MinifiedError",
    Misfit => "MisfitError",
    PlanError => "PlanError",
    QueryError => "QueryError",
    ReportError => "ReportError",
    SaveError => "FileError",
    SplitError => "SplitError",
    StateError => "StateError",
}

impl From<TaskError> for EngineError {
    fn from(error: TaskError) -> Self {
        match error {
            TaskError::Misfit(error) => error.into(),
            TaskError::Minified(error) => error.into(),
            TaskError::Embedding(error) => error.into(),
            TaskError::Differential(error) => error.into(),
            TaskError::Read(error) | TaskError::Write(error) => error.into(),
            error => Self { exception: "TaskError", source: Box::new(error) },
        }
    }
}

impl From<AnalysisError> for EngineError {
    fn from(error: AnalysisError) -> Self {
        match error {
            AnalysisError::Task(error) => error.into(),
            error => Self { exception: "ReportError", source: Box::new(error) },
        }
    }
}

impl From<TrainError> for EngineError {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Plan(error) => error.into(),
            TrainError::Split(error) => error.into(),
            TrainError::Misfit(error) => error.into(),
            TrainError::Minified(error) => error.into(),
            TrainError::Read(error) => error.into(),
            TrainError::Diverged(error) => Self { exception: "DivergedError", source: error },
            error => Self { exception: "TrainError", source: Box::new(error) },
        }
    }
}

impl From<CheckpointError> for EngineError {
    fn from(error: CheckpointError) -> Self {
        match error {
            CheckpointError::Train(error) => error.into(),
            CheckpointError::Io(error) => error.into(),
        }
    }
}

/// What reading counts failed with: an exception of Python's, or a fault in the counts.
impl From<io::Error> for EngineError {
    fn from(error: io::Error) -> Self {
        Self { exception: "CountsError", source: Box::new(error) }
    }
}

impl From<EngineError> for PyErr {
    fn from(EngineError { exception, source }: EngineError) -> Self {
        Python::attach(|py| {
            if let Some(raised) = raised(py, source.as_ref()) {
                return raised;
            }
            let class = py
                .import("scvi_rs.exceptions")
                .and_then(|module| module.getattr(exception))
                .and_then(|class| Ok(class.cast_into::<PyType>()?));
            match class {
                Ok(class) => PyErr::from_type(class, message(source.as_ref())),
                Err(_) => PyRuntimeError::new_err(message(source.as_ref())),
            }
        })
    }
}

/// The exception that a callback raised, where that is what happened.
fn raised(py: Python, error: &(dyn Error + 'static)) -> Option<PyErr> {
    let io = error.downcast_ref::<io::Error>()?;
    Some(io.get_ref()?.downcast_ref::<PyErr>()?.clone_ref(py))
}

/// What it says, and what was behind it.
fn message(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            text += &format!(": {more}");
        }
        source = error.source();
    }
    text
}

/// An error of the engine as an exception.
pub fn py_error(error: impl Into<EngineError>) -> PyErr {
    error.into().into()
}

/// A change to a model that is being trained.
pub fn busy_error(message: &str) -> PyErr {
    EngineError { exception: "BusyError", source: message.into() }.into()
}

/// A file that is not as it should be.
pub fn file_error(message: String) -> PyErr {
    EngineError { exception: "FileError", source: message.into() }.into()
}

/// A wrong argument.
pub fn value_error(message: impl Into<String>) -> PyErr {
    PyValueError::new_err(message.into())
}
