//! `get_latent_library_size` and `get_batch_representation`.

use numpy::{PyArray1, PyArray2};
use pyo3::prelude::*;
use scvi::model::{batch_representation, latent_library_size};

use super::{Selection, point_estimate};
use crate::model::Model;
use crate::tables::matrix;

#[pymethods]
impl Model {
    /// Library size of every cell, in counts: the posterior's mean where `seed` is None, else a
    /// draw: `(cells)`.
    fn latent_library_size<'py>(
        &self,
        py: Python<'py>,
        cells: Selection,
        seed: Option<u64>,
    ) -> PyResult<Bound<'py, PyArray1<f32>>> {
        let estimate = point_estimate(seed);
        let sizes = cells
            .run(py, self, |vae, cells, watch| latent_library_size(vae, cells, estimate, watch))?;
        Ok(PyArray1::from_vec(py, sizes))
    }

    /// The vector of every cell's batch: `(cells, embedding_dim)`.
    fn batch_representation<'py>(
        &self,
        py: Python<'py>,
        cells: Selection,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let n = cells.len();
        let vectors = cells.run(py, self, batch_representation)?;
        let width = vectors.len() / n.max(1);
        matrix(py, vectors, width)
    }
}
