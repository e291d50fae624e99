//! A model: the engine's module with everything that is kept beside it.

mod files;
mod module;
mod pickle;
mod query;
mod shared;
mod state;
mod train;

use numpy::{PyArray1, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scvi::Cpu;
use scvi::data::{Registry, Split};
use scvi::module::{Scanvae, ScanvaeConfig, Vae};
use scvi_io::{
    FORMAT_VERSION, ModelMeta, SCANVI_FORMAT_VERSION, SavedModel, SavedModule, TrainingMeta,
};

use crate::config::{default_vae_config, to_python, with_defaults};
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
    /// `scvi.module.VAE`, or of `SCANVAE` for a SCANVI; those it leaves out have their defaults.
    /// `registry` is that of the native model folder; the last label of a SCANVI's stands for none.
    #[new]
    #[pyo3(signature = (config, *, registry=None, var_names=None, model_class="SCVI", seed=0))]
    fn new(
        config: &Bound<PyDict>,
        registry: Option<&Bound<PyDict>>,
        var_names: Option<Vec<String>>,
        model_class: &str,
        seed: u64,
    ) -> PyResult<Self> {
        let what = "the module's options";
        // Also a class that is derived from it.
        let classifies = model_class == "SCANVI" || config.contains("linear_classifier")?;
        let registry = registry.map_or(Ok(Registry::default()), |given| {
            with_defaults("the registry", &Registry::default(), given)
        })?;
        let (config, scanvi) = if classifies {
            let config = with_defaults(what, &ScanvaeConfig::default(), config)?;
            Scanvae::<Cpu<f32>>::described(config, &registry)
        } else {
            (with_defaults(what, &default_vae_config(model_class), config)?, None)
        };
        let n_input = config.n_input;
        let var_names =
            var_names.unwrap_or_else(|| (0..n_input).map(|gene| gene.to_string()).collect());
        if var_names.len() != n_input {
            let n = var_names.len();
            return Err(value_error(format!("{n} gene names for {n_input} genes")));
        }
        let meta = ModelMeta {
            format_version: if scanvi.is_some() { SCANVI_FORMAT_VERSION } else { FORMAT_VERSION },
            program: program(),
            model_class: model_class.to_owned(),
            config,
            scanvi,
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
        Ok(Self::of(new_model(meta, seed)?))
    }

    fn __repr__(&self) -> String {
        let meta = &self.state().saved.meta;
        format!("Model({}, {} genes)", meta.model_class, meta.var_names.len())
    }

    /// The options of the module.
    #[getter]
    fn config<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let state = self.state();
        let ModelMeta { config, scanvi, .. } = &state.saved.meta;
        match scanvi {
            Some(scanvi) => to_python(py, &scanvi.config(config)),
            None => to_python(py, config),
        }
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

/// A model that nobody has trained.
fn new_model(meta: ModelMeta, seed: u64) -> PyResult<SavedModel> {
    Ok(match &meta.scanvi {
        Some(scanvi) => {
            let spec = scanvi.config(&meta.config).validate().map_err(py_error)?;
            SavedModel::new(Scanvae::new(Cpu::new(), spec, seed), meta)
        }
        None => {
            let spec = meta.config.validate().map_err(py_error)?;
            SavedModel::new(Vae::new(Cpu::new(), spec, seed), meta)
        }
    })
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
