//! `scvi_rs._core`: what the Python package asks of the engine.
//!
//! It is thin: arrays are borrowed from numpy or handed over to it, options come as dictionaries
//! that the engine's own types are made of, and every error becomes an exception of its own. What
//! an AnnData is, the package knows in Python.

mod config;
mod counts;
mod data;
mod error;
mod model;
mod supervise;
mod tables;
mod tasks;
mod threads;

use numpy::{PyArray1, ToPyArray};
use pyo3::prelude::*;
use scvi::data::Split;

use crate::error::py_error;

/// Training, validation and test cells of `n`, by a permutation that the seed decides.
#[pyfunction]
#[pyo3(signature = (n, train_size, validation_size, seed))]
#[allow(clippy::type_complexity)]
fn split<'py>(
    py: Python<'py>,
    n: usize,
    train_size: f64,
    validation_size: Option<f64>,
    seed: u64,
) -> PyResult<[Bound<'py, PyArray1<u32>>; 3]> {
    let split = Split::new(n, train_size, validation_size, seed).map_err(py_error)?;
    Ok([split.train, split.validation, split.test].map(|cells| cells.to_pyarray(py)))
}

#[pymodule]
mod _core {
    #[pymodule_export]
    use super::config::{default_config, default_plan, max_epochs_heuristic};
    #[pymodule_export]
    use super::counts::Counts;
    #[pymodule_export]
    use super::data::{Data, library_prior};
    #[pymodule_export]
    use super::model::Model;
    #[pymodule_export]
    use super::split;
    #[pymodule_export]
    use super::tasks::{AggregatedPosterior, compare_samples};
    #[pymodule_export]
    use super::threads::{num_threads, set_num_threads};

    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
