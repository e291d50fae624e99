//! The content of a save.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use scvi::nn::{StateDict, Tensor};

use super::archive::Archive;
use super::budget::Budget;
use super::decode::Decoder;
use super::find::find;
use super::history::HistoryColumn;
use super::pickle;
use super::registry::SetupRegistry;
use super::state::StateTensor;
use super::value::Value;
use super::{SaveError, unpack};
use crate::IoError;

/// A model saved by scvi-tools, as `model.save` writes it.
///
/// Equal saves hold equal values; how they were packed, and how wide a number was in the file,
/// does not matter.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScviToolsSave {
    /// Parameters, running moments and counters by name, in torch's layout.
    pub state_dict: BTreeMap<String, StateTensor>,
    /// Names of the genes, in the order of the model's inputs.
    pub var_names: Vec<String>,
    /// How the data were set up.
    pub registry: SetupRegistry,
    /// The arguments of the model's constructor, those of the module among them.
    pub init_params: BTreeMap<String, Value>,
    /// What training recorded, by name; empty before training.
    pub history: BTreeMap<String, HistoryColumn>,
    /// Cells trained on, as row numbers; `None` before training.
    pub train_indices: Option<Vec<usize>>,
    /// Cells held out for validation.
    pub validation_indices: Option<Vec<usize>>,
    /// Cells held out from both.
    pub test_indices: Option<Vec<usize>>,
    /// Whether the model was trained.
    pub is_trained: bool,
    /// The other attributes, under their names in Python: `run_name_`.
    pub attributes: BTreeMap<String, Value>,
}

impl ScviToolsSave {
    /// Reads a save from a folder: `{prefix}model.pt`, or, without a prefix, the only save there.
    ///
    /// Nothing in the file is executed. Beside the file itself, at most twice its size and some
    /// tens of MB are taken, whatever the file says.
    ///
    /// ```
    /// use scvi_io::scvi_tools::{ScviToolsSave, Value};
    ///
    /// let save = ScviToolsSave::read("../../reference/saves/default", None)?;
    /// assert_eq!(save.model_class(), Some("SCVI"));
    /// assert_eq!(save.init_params["n_hidden"], Value::Int(8));
    /// assert_eq!(save.state_dict["px_r"].shape(), [20]);
    /// # Ok::<(), scvi_io::IoError>(())
    /// ```
    ///
    /// # Errors
    /// [`IoError::NotFound`] and [`IoError::Os`] where the folder or file cannot be read;
    /// [`IoError::ScviTools`] with a [`SaveError`] where there is no save, where there are several,
    /// or where it is broken, old, or holds what is not read here.
    pub fn read(dir: impl AsRef<Path>, prefix: Option<&str>) -> Result<Self, IoError> {
        let path = find(dir.as_ref(), prefix)?;
        let bytes = fs::read(&path).map_err(|e| IoError::os("read", &path, e))?;
        Self::from_bytes(&bytes).map_err(|source| IoError::ScviTools { path, source })
    }

    /// Reads a save from the bytes of a `model.pt`.
    ///
    /// # Errors
    /// As [`ScviToolsSave::read`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SaveError> {
        let budget = Budget::for_file(bytes.len());
        let archive = Archive::open(bytes, &budget)?;
        let graph = pickle::parse(archive.pickle()?)?;
        let value = Decoder::new(&graph, &archive, &budget).value(graph.root())?;
        unpack::save(value)
    }

    /// The class of the model, where the save says it: `SCVI`, `LinearSCVI`.
    pub fn model_class(&self) -> Option<&str> {
        self.registry.model_name.as_deref()
    }

    /// Parameters and running moments in 4-byte floats.
    pub fn floats(&self) -> StateDict<f32> {
        let narrow = |t: &Tensor<f64>| Tensor {
            shape: t.shape.clone(),
            data: t.data.iter().map(|&x| x as f32).collect(),
        };
        let floats = self.state_dict.iter().filter_map(|(name, tensor)| {
            let tensor = match tensor {
                StateTensor::F32(t) => t.clone(),
                StateTensor::F64(t) => narrow(t),
                StateTensor::I64(_) => return None,
            };
            Some((name.clone(), tensor))
        });
        floats.collect()
    }
}
