//! `scvi_rs._core`: what the Python package asks of the engine.
//!
//! It is thin: arrays are borrowed from numpy or handed over to it, options come as dictionaries
//! that the engine's own types are made of, and every error becomes an exception of its own. What
//! an AnnData is, the package knows in Python.

mod categories;
mod config;
mod counts;
mod data;
mod distributions;
mod error;
mod genes;
mod inputs;
mod model;
mod module;
mod supervise;
mod tables;
mod tasks;
mod threads;
mod training;

use numpy::PyArray1;
use pyo3::prelude::*;
use scvi_kernels::{Philox, Stream};

/// A permutation of `0..n` that the seed decides: validation cells come first in it, then training
/// cells, then the rest.
#[pyfunction]
fn split_permutation(py: Python<'_>, n: u32, seed: u64) -> Bound<'_, PyArray1<u32>> {
    PyArray1::from_vec(py, Philox::new(seed).permutation(Stream::Split, 0, n as usize))
}

#[pymodule]
mod _core {
    #[pymodule_export]
    use super::categories::{
        category_times, check_categories, extend_categories, listed, repeated_names, time_texts,
        transfer_categories,
    };
    #[pymodule_export]
    use super::config::{
        default_config, default_plan, max_epochs_heuristic, max_epochs_pretrained, plan_length,
    };
    #[pymodule_export]
    use super::counts::Counts;
    #[pymodule_export]
    use super::data::{Data, library_prior};
    #[pymodule_export]
    use super::distributions::distribution;
    #[pymodule_export]
    use super::genes::{choose_genes, choose_genes_of_file};
    #[pymodule_export]
    use super::inputs::join_inputs;
    #[pymodule_export]
    use super::model::Model;
    #[pymodule_export]
    use super::split_permutation;
    #[pymodule_export]
    use super::tasks::{AggregatedPosterior, compare_samples};
    #[pymodule_export]
    use super::threads::{num_threads, set_num_threads};
    #[pymodule_export]
    use super::training::Run;

    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
