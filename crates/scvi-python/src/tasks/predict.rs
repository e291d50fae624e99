//! `predict`.

use numpy::PyArray2;
use pyo3::prelude::*;
use scvi::model::predict;

use super::{Selection, point_estimate};
use crate::error::value_error;
use crate::model::Model;
use crate::tables::matrix;

#[pymethods]
impl Model {
    /// Probability of each label of every cell, at the posterior's mean where `seed` is None, else
    /// at a draw: `(cells, n_labels)`.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        cells: Selection,
        seed: Option<u64>,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let state = self.state_for(&cells.data)?;
        let module = state.scanvae()?.ok_or_else(|| {
            value_error(format!("a model of class {} has no labels", state.saved.meta.model_class))
        })?;
        let estimate = point_estimate(seed);
        let predictions =
            cells.run_on_cells(py, |cells, watch| predict(&module, cells, estimate, watch))?;
        matrix(py, predictions.probabilities, predictions.n_labels)
    }
}
