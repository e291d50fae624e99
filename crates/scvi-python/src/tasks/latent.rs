//! `get_latent_representation`.

use numpy::PyArray2;
use pyo3::prelude::*;
use scvi::model::{latent_representation, latent_sample, latent_simplex_mean};

use super::Selection;
use crate::model::Model;
use crate::tables::matrix;

#[pymethods]
impl Model {
    /// Mean and variance of every cell's posterior: `(cells, n_latent)` each.
    #[allow(clippy::type_complexity)]
    fn latent<'py>(
        &self,
        py: Python<'py>,
        cells: Selection,
    ) -> PyResult<(Bound<'py, PyArray2<f32>>, Bound<'py, PyArray2<f32>>)> {
        let latent = cells.run(py, self, latent_representation)?;
        let (mean, var) = (latent.mean, latent.var);
        Ok((matrix(py, mean, latent.n_latent)?, matrix(py, var, latent.n_latent)?))
    }

    /// One draw of z of every cell: `(cells, n_latent)`.
    fn latent_sample<'py>(
        &self,
        py: Python<'py>,
        cells: Selection,
        seed: u64,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let z = cells.run(py, self, |vae, cells, watch| latent_sample(vae, cells, seed, watch))?;
        matrix(py, z, self.state().saved.meta.config.n_latent)
    }

    /// Mean over draws of every cell's z on the simplex: `(cells, n_latent)`.
    fn latent_simplex_mean<'py>(
        &self,
        py: Python<'py>,
        cells: Selection,
        mc_samples: u32,
        seed: u64,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let z = cells.run(py, self, |vae, cells, watch| {
            latent_simplex_mean(vae, cells, mc_samples, seed, watch)
        })?;
        matrix(py, z, self.state().saved.meta.config.n_latent)
    }
}
