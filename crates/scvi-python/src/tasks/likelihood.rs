//! `get_elbo`, `get_reconstruction_error` and `get_marginal_ll`.

use numpy::PyArray1;
use pyo3::prelude::*;
use scvi::model::{elbo, marginal_ll};

use super::{Selection, point_estimate};
use crate::model::Model;

#[pymethods]
impl Model {
    /// Reconstruction loss -ln p(x|z) and divergence of every cell, in nats, at the posterior's mean
    /// where `seed` is None, else at a draw: `(cells)` each.
    #[allow(clippy::type_complexity)]
    fn elbo<'py>(
        &self,
        py: Python<'py>,
        cells: Selection,
        seed: Option<u64>,
    ) -> PyResult<(Bound<'py, PyArray1<f32>>, Bound<'py, PyArray1<f32>>)> {
        let draw = point_estimate(seed);
        let state = self.state_for(&cells.data)?;
        let terms = match state.scanvae()? {
            Some(module) => {
                cells.run_on_cells(py, |cells, watch| elbo(&module, cells, draw, watch))?
            }
            None => {
                cells.run_on_cells(py, |cells, watch| elbo(&state.saved.vae, cells, draw, watch))?
            }
        };
        let of = |values| PyArray1::from_vec(py, values);
        Ok((of(terms.reconstruction_loss), of(terms.kl_local)))
    }

    /// ln p(x) of every cell by importance sampling, in nats: `(cells)`.
    fn marginal_ll<'py>(
        &self,
        py: Python<'py>,
        cells: Selection,
        n_mc_samples: u32,
        seed: u64,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let values = cells.run(py, self, |vae, cells, watch| {
            marginal_ll(vae, cells, n_mc_samples, seed, watch)
        })?;
        Ok(PyArray1::from_vec(py, values))
    }
}
