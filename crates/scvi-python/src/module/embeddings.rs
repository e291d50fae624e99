//! Embeddings by key.

use numpy::{PyArray2, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scvi::module::EmbeddingKwargs;
use scvi::nn::NewRows;

use crate::config::with_defaults;
use crate::error::py_error;
use crate::model::Model;
use crate::tables::matrix;

/// How the vectors of new categories start.
#[derive(FromPyObject)]
enum Start {
    /// So many from N(0, 1).
    Random(usize),
    /// Copies of these categories' vectors.
    Copies(Vec<u32>),
}

#[pymethods]
impl Model {
    /// Adds an embedding of `rows` categories under a key.
    fn init_embedding(
        &self,
        py: Python,
        key: &str,
        rows: usize,
        kwargs: &Bound<PyDict>,
        seed: u64,
        overwrite: bool,
    ) -> PyResult<()> {
        let kwargs = with_defaults("the embedding's options", &EmbeddingKwargs::default(), kwargs)?;
        self.change(py, |state| {
            let vae = &mut state.saved.vae;
            let embedding = vae.init_embedding(rows, &kwargs, seed).map_err(py_error)?;
            vae.add_embedding(key, embedding, overwrite).map_err(py_error)
        })
    }

    /// Takes an embedding out.
    fn remove_embedding(&self, py: Python, key: &str) -> PyResult<()> {
        self.change(py, |state| state.saved.vae.remove_embedding(key).map(drop).map_err(py_error))
    }

    /// Number of categories of an embedding, and of numbers in a vector.
    fn embedding_shape(&self, key: &str) -> PyResult<(usize, usize)> {
        let state = self.state();
        let embedding = state.saved.vae.embedding(key).map_err(py_error)?;
        Ok((embedding.rows(), embedding.dim()))
    }

    /// Vectors of categories: `(indices, dim)`.
    fn compute_embedding<'py>(
        &self,
        py: Python<'py>,
        key: &str,
        indices: PyReadonlyArray1<u32>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let state = self.state();
        let vae = &state.saved.vae;
        let dim = vae.embedding(key).map_err(py_error)?.dim();
        let vectors = vae.compute_embedding(key, indices.as_slice()?).map_err(py_error)?;
        matrix(py, vectors, dim)
    }

    /// Adds categories to an embedding.
    fn extend_embedding(
        &self,
        py: Python,
        key: &str,
        init: Start,
        freeze_prev: bool,
        seed: u64,
    ) -> PyResult<()> {
        let new = match &init {
            Start::Random(n) => NewRows::Random { n: *n, seed },
            Start::Copies(rows) => NewRows::CopiesOf(rows),
        };
        self.change(py, |state| {
            state.saved.vae.extend_embedding(key, new, freeze_prev).map_err(py_error)
        })
    }
}
