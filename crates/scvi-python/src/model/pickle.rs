//! `pickle` and `copy` of a model.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use scvi::Cpu;
use scvi::model::query::freeze_reference;
use scvi::module::{AddedEmbedding, ScanvaeConfig, Vae, VaeConfig};
use scvi_io::checkpoint::MappingSetup;
use scvi_io::model_dir::HistoryTable;
use scvi_io::{ModelMeta, SavedModel};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::shared::{Reference, Shared, State};
use super::state::{from_dict, to_dict};
use super::{Model, program};
use crate::error::{py_error, value_error};

/// A model without its tensors.
#[derive(Serialize, Deserialize)]
struct Description {
    meta: ModelMeta,
    /// The module's configuration in training, which may have no dropout.
    config: VaeConfig,
    /// The reference's configuration, that of a SCANVI as it is trained on the query, what is frozen,
    /// and the sum of the reference's tensors.
    reference: Option<(VaeConfig, Option<ScanvaeConfig>, MappingSetup)>,
    embeddings: Vec<AddedEmbedding>,
    columns: Vec<String>,
    left_out: Vec<String>,
}

/// What a pickled model consists of, as a dictionary.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Parts<'py> {
    /// The program that wrote it, which alone reads it.
    program: String,
    /// [`Description`], as JSON.
    description: Vec<u8>,
    tensors: Bound<'py, PyDict>,
    /// Tensors that a SCANVI has beside its VAE.
    labels: Bound<'py, PyDict>,
    /// Tensors that no pass reads.
    unused: Bound<'py, PyDict>,
    /// Rows of the history, in which numbers may be missing: NaN, which JSON has not.
    history: Vec<Vec<f64>>,
}

#[pymethods]
impl Model {
    /// The function and its argument that make this model in another process.
    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyDict>,))> {
        let py = slf.py();
        let State { saved, reference } = State::clone(&slf.get().state());
        let SavedModel { vae, labels, meta, history, unused, left_out } = saved;
        let description = Description {
            meta,
            config: vae.spec().config().clone(),
            reference: reference.map(|of| {
                let scanvae = of.scanvae.map(|spec| spec.config().clone());
                (of.spec.config().clone(), scanvae, of.mapping)
            }),
            embeddings: vae.added_embeddings(),
            columns: history.columns,
            left_out,
        };
        let description = serde_json::to_vec(&description);
        let description = description.map_err(|e| value_error(e.to_string()))?;
        let parts = PyDict::new(py);
        parts.set_item("program", program())?;
        parts.set_item("description", PyBytes::new(py, &description))?;
        parts.set_item("tensors", to_dict(py, vae.state_dict())?)?;
        parts.set_item("labels", to_dict(py, labels)?)?;
        parts.set_item("unused", to_dict(py, unused)?)?;
        parts.set_item("history", history.rows)?;
        Ok((slf.get_type().getattr("_from_parts")?, (parts,)))
    }

    /// The model that [`Model::__reduce__`] took apart.
    #[staticmethod]
    fn _from_parts(parts: Parts) -> PyResult<Self> {
        if parts.program != program() {
            return Err(value_error(format!(
                "the model was pickled by {}, and this is {}: pickles are for processes of one \
                 version. model.save(folder) there and load(folder) here carry it over.",
                parts.program,
                program()
            )));
        }
        let Description { meta, config, reference, embeddings, columns, left_out } =
            from_json(&parts.description)?;
        let mut vae = Vae::new(Cpu::new(), config.validate().map_err(py_error)?, 0);
        let reference = match reference {
            None => None,
            Some((config, scanvae, mapping)) => {
                let scanvae = scanvae.map(|config| config.validate()).transpose();
                let (spec, scanvae) = (config.validate().map_err(py_error)?, scanvae);
                Some(Reference { spec, scanvae: scanvae.map_err(py_error)?, mapping })
            }
        };
        if let Some(Reference { spec, mapping, .. }) = &reference {
            freeze_reference(&mut vae, spec, &mapping.freeze).map_err(py_error)?;
        }
        vae.add_embeddings(embeddings).map_err(py_error)?;
        vae.load_state_dict(from_dict(&parts.tensors)?).map_err(py_error)?;
        let history = HistoryTable { columns, rows: parts.history };
        let unused = from_dict(&parts.unused)?;
        let labels = from_dict(&parts.labels)?;
        let saved = SavedModel { vae, labels, meta, history, unused, left_out };
        Ok(Self::in_state(State { saved, reference }))
    }

    /// The same model; whichever of the two is changed first gets memory of its own.
    fn __copy__(&self) -> Self {
        Self { shared: Shared::new(self.state()) }
    }

    /// As [`Model::__copy__`].
    fn __deepcopy__(&self, _memo: &Bound<PyAny>) -> Self {
        self.__copy__()
    }
}

fn from_json<T: DeserializeOwned>(json: &[u8]) -> PyResult<T> {
    serde_json::from_slice(json).map_err(|e| value_error(format!("not a pickled model: {e}")))
}
