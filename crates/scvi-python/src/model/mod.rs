//! A model: the engine's module with everything that is kept beside it.

mod files;
mod pickle;
mod query;
mod shared;
mod state;
mod train;

use std::collections::BTreeMap;

use numpy::{PyArray1, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scvi::Cpu;
use scvi::data::{Registry, Split};
use scvi::module::{Vae, VaeConfig};
use scvi_io::model_dir::HistoryTable;
use scvi_io::{FORMAT_VERSION, ModelMeta, SavedModel, TrainingMeta};

use crate::config::{to_python, with_defaults};
use crate::error::{py_error, value_error};
use crate::tables;

use shared::Shared;
pub(crate) use shared::{Reference, State};
pub(crate) use state::to_dict;
pub(crate) use train::keep;

/// scVI's module with its registry, gene names, split and history.
///
/// Python threads may use one model beside each other. A task works on the model as it was when
/// the task was called, whatever changes it meanwhile.
#[pyclass(frozen, module = "scvi_rs._core")]
pub struct Model {
    shared: Shared,
}

#[pymethods]
impl Model {
    /// A new module with torch's default initial weights. `config` names options of
    /// `scvi.module.VAE`; those it leaves out have their defaults. `registry` is that of the native
    /// model folder.
    #[new]
    #[pyo3(signature = (config, *, registry=None, var_names=None, model_class="SCVI", seed=0))]
    fn new(
        config: &Bound<PyDict>,
        registry: Option<&Bound<PyDict>>,
        var_names: Option<Vec<String>>,
        model_class: &str,
        seed: u64,
    ) -> PyResult<Self> {
        let is_linear = model_class == "LinearSCVI";
        let defaults = if is_linear { VaeConfig::linear() } else { VaeConfig::default() };
        let config: VaeConfig = with_defaults("the module's options", &defaults, config)?;
        let registry = registry.map_or(Ok(Registry::default()), |given| {
            with_defaults("the registry", &Registry::default(), given)
        })?;
        let spec = config.validate().map_err(py_error)?;
        let var_names =
            var_names.unwrap_or_else(|| (0..config.n_input).map(|gene| gene.to_string()).collect());
        if var_names.len() != config.n_input {
            return Err(value_error(format!(
                "{} gene names for {} genes",
                var_names.len(),
                config.n_input
            )));
        }
        let meta = ModelMeta {
            format_version: FORMAT_VERSION,
            program: program(),
            model_class: model_class.to_owned(),
            config,
            scanvi: None,
            registry,
            var_names,
            split: Split::default(),
            training: untrained(),
            scvi_tools: None,
            input: None,
            gene_selection: None,
            mapped_from: None,
            minified_data_type: None,
        };
        let vae = Vae::new(Cpu::new(), spec, seed);
        Ok(Self::of(SavedModel {
            vae,
            labels: BTreeMap::new(),
            meta,
            history: HistoryTable::default(),
            unused: BTreeMap::new(),
            left_out: Vec::new(),
        }))
    }

    fn __repr__(&self) -> String {
        let meta = &self.state().saved.meta;
        format!("Model({}, {} genes)", meta.model_class, meta.var_names.len())
    }

    /// The options of the module.
    #[getter]
    fn config<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.state().saved.meta.config)
    }

    /// Layer and columns that the model was set up with.
    #[getter]
    fn registry<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.state().saved.meta.registry)
    }

    /// Names of the genes.
    #[getter]
    fn var_names(&self) -> Vec<String> {
        self.state().saved.meta.var_names.clone()
    }

    /// The class of scvi-tools that it corresponds to.
    #[getter]
    fn model_class(&self) -> String {
        self.state().saved.meta.model_class.clone()
    }

    /// The program that wrote it.
    #[getter]
    fn program(&self) -> String {
        self.state().saved.meta.program.clone()
    }

    /// How it was trained.
    #[getter]
    fn training<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.state().saved.meta.training)
    }

    /// Whether it was.
    #[getter]
    fn is_trained(&self) -> bool {
        self.state().saved.meta.training.is_trained()
    }

    /// What training recorded: a list of numbers a column, NaN where there is none.
    #[getter]
    fn history<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        tables::history(py, &self.state().saved.history)
    }

    /// Numbers of the cells it was trained, validated and tested on.
    #[getter]
    fn split<'py>(&self, py: Python<'py>) -> [Bound<'py, PyArray1<u32>>; 3] {
        let Split { train, validation, test } = &self.state().saved.meta.split;
        [train, validation, test].map(|cells| cells.to_pyarray(py))
    }

    /// What its data kept, where they were minified when the model was saved.
    #[getter]
    fn minified_data_type(&self) -> Option<String> {
        self.state().saved.meta.minified_data_type.clone()
    }

    /// What a save of scvi-tools held and the model has no place for.
    #[getter]
    fn left_out(&self) -> Vec<String> {
        self.state().saved.left_out.clone()
    }
}

impl Model {
    fn of(saved: SavedModel) -> Self {
        Self::in_state(State { saved, reference: None })
    }

    pub(crate) fn in_state(state: State) -> Self {
        Self { shared: Shared::new(state) }
    }
}

/// The program, as files name it.
pub(crate) fn program() -> String {
    format!("scvi-rs {}", env!("CARGO_PKG_VERSION"))
}

fn untrained() -> TrainingMeta {
    TrainingMeta {
        n_cells: 0,
        epochs: 0,
        stop: TrainingMeta::UNTRAINED.to_owned(),
        batch_size: 0,
        seed: 0,
    }
}
