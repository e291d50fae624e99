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
    fn state_dict<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let state = self.saved.vae.state_dict();
        let unused = self.saved.unused.iter().map(|(name, t)| (name.clone(), t.clone()));
        to_dict(py, state.into_iter().chain(unused))
    }

    /// Gradients of the last backward pass that kept them.
    fn gradients<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        to_dict(py, self.saved.vae.gradients())
    }

    /// Takes every tensor from a dictionary of arrays.
    fn load_state_dict(&mut self, state: &Bound<PyDict>) -> PyResult<()> {
        let mut tensors = StateDict::new();
        for (name, array) in state {
            let array: PyReadonlyArrayDyn<f32> = array.extract()?;
            let (shape, data) = (array.shape().to_vec(), array.as_array());
            let data = data.iter().copied().collect();
            tensors.insert(name.extract()?, Tensor { shape, data });
        }
        self.saved.vae.load_state_dict(tensors).map_err(py_error)
    }

    /// Weights of a linear decoder: `(genes, n_latent)`; None of another.
    fn loadings<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let n_latent = self.saved.meta.config.n_latent;
        let loadings = self.saved.vae.get_loadings();
        loadings.map(|w| Ok(crate::tables::matrix(py, w, n_latent)?.into_any())).transpose()
    }
}

fn to_dict(
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
