//! Tensors of a model by their names in scvi-tools' state dict.

use numpy::{PyArray1, PyArrayDyn, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scvi::nn::{StateDict, Tensor};

use super::Model;
use crate::error::py_error;

#[pymethods]
impl Model {
    /// Every tensor, in torch's layout; those that no option of the model reads, too.
    fn state_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let state = self.state();
        let saved = &state.saved;
        to_dict(py, saved.state_dict().into_iter().chain(saved.unused.clone()))
    }

    /// Takes every tensor from a dictionary of arrays.
    fn load_state_dict(&self, py: Python, state: &Bound<PyDict>) -> PyResult<()> {
        let tensors = from_dict(state)?;
        self.change(py, |state| state.load_weights(tensors))
    }

    /// Takes the weights of another model of this shape. From an SCVI a SCANVI takes what it has of
    /// one.
    fn take_weights(&self, py: Python, other: &Self) -> PyResult<()> {
        let other = other.state();
        let weights = other.saved.state_dict();
        self.change(py, |state| match other.saved.meta.scanvi {
            Some(_) => state.load_weights(weights),
            None => state.saved.vae.load_state_dict(weights).map_err(py_error),
        })
    }

    /// Weights of a linear decoder: `(genes, n_latent)`; None of another.
    fn loadings<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let state = self.state();
        let n_latent = state.saved.meta.config.n_latent;
        let loadings = state.saved.vae.get_loadings();
        loadings.map(|w| Ok(crate::tables::matrix(py, w, n_latent)?.into_any())).transpose()
    }
}

/// Tensors from a dictionary of arrays.
pub(super) fn from_dict(dict: &Bound<PyDict>) -> PyResult<StateDict<f32>> {
    let mut tensors = StateDict::new();
    for (name, array) in dict {
        let array: PyReadonlyArrayDyn<f32> = array.extract()?;
        let (shape, data) = (array.shape().to_vec(), array.as_array());
        let data = data.iter().copied().collect();
        tensors.insert(name.extract()?, Tensor { shape, data });
    }
    Ok(tensors)
}

/// Tensors as a dictionary of arrays.
pub(crate) fn to_dict(
    py: Python<'_>,
    tensors: impl IntoIterator<Item = (String, Tensor<f32>)>,
) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    for (name, Tensor { shape, data }) in tensors {
        let array: Bound<PyArrayDyn<f32>> = PyArray1::from_vec(py, data).reshape(shape)?;
        dict.set_item(name, array)?;
    }
    Ok(dict)
}
