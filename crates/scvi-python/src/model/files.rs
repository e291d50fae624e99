//! Models in files.

use std::path::PathBuf;

use pyo3::prelude::*;
use scvi_io::convert::to_scvi_tools;
use scvi_io::{SavedModel, TrainingMeta, open_model, open_model_with_prefix};

use super::Model;
use crate::error::py_error;

#[pymethods]
impl Model {
    /// Opens a model: a native folder, a folder that scvi-tools saved one in, or its `model.pt`.
    /// `prefix` is what the names of the model's files begin with.
    #[staticmethod]
    #[pyo3(signature = (path, prefix=None))]
    fn open(py: Python, path: PathBuf, prefix: Option<&str>) -> PyResult<Self> {
        let opened = py.detach(|| match prefix.filter(|prefix| !prefix.is_empty()) {
            None => open_model(path),
            Some(prefix) => open_model_with_prefix(path, prefix),
        });
        opened.map(Self::of).map_err(py_error)
    }

    /// Writes the model into a folder that may hold other files: `model.safetensors`, `model.json`,
    /// `history.csv` and `SHA256SUMS`, their names beginning with `prefix`.
    #[pyo3(signature = (dir, *, prefix="", overwrite=false, is_trained, minified_data_type=None))]
    fn save(
        &self,
        py: Python,
        dir: PathBuf,
        prefix: &str,
        overwrite: bool,
        is_trained: bool,
        minified_data_type: Option<String>,
    ) -> PyResult<()> {
        let mut saved = self.as_trained(is_trained);
        saved.meta.minified_data_type = minified_data_type;
        py.detach(|| saved.save_beside(dir, prefix, overwrite)).map_err(py_error)
    }

    /// Writes what `scvi.model.SCVI.load` of scvi-tools opens.
    #[pyo3(signature = (dir, *, prefix=None, overwrite=false, is_trained))]
    fn save_scvi_tools(
        &self,
        py: Python,
        dir: PathBuf,
        prefix: Option<&str>,
        overwrite: bool,
        is_trained: bool,
    ) -> PyResult<()> {
        let mut saved = self.as_trained(is_trained);
        py.detach(|| {
            let save = to_scvi_tools(&mut saved).map_err(py_error)?;
            save.write(dir, prefix, overwrite).map_err(py_error)
        })
    }
}

impl Model {
    /// The model as its user sees it, who may take one that grew from a reference as it is.
    fn as_trained(&self, is_trained: bool) -> SavedModel {
        let mut saved = self.state().saved.clone();
        if saved.meta.training.is_trained() != is_trained {
            let stop = if is_trained { TrainingMeta::UNKNOWN } else { TrainingMeta::UNTRAINED };
            saved.meta.training.stop = stop.to_owned();
        }
        saved
    }
}
