//! Options as dictionaries.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use pythonize::{depythonize, pythonize};
use scvi::module::{ScanvaeConfig, VaeConfig};
use scvi::train::{TrainPlan, default_max_epochs, default_max_epochs_pretrained};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{py_error, value_error};

/// The options that `given` names, the others as in `defaults`.
pub fn with_defaults<T: Serialize + DeserializeOwned>(
    what: &str,
    defaults: &T,
    given: &Bound<PyDict>,
) -> PyResult<T> {
    let fault = |e: &dyn std::fmt::Display| value_error(format!("{what}: {e}"));
    let mut all = serde_json::to_value(defaults).map_err(|e| fault(&e))?;
    let given: Value = depythonize(given).map_err(|e| fault(&e))?;
    merge(&mut all, given);
    serde_json::from_value(all).map_err(|e| fault(&e))
}

/// Overwrites what `given` names, in dictionaries within dictionaries too.
fn merge(all: &mut Value, given: Value) {
    match (all, given) {
        (Value::Object(all), Value::Object(given)) => {
            for (key, value) in given {
                merge(all.entry(key).or_insert(Value::Null), value);
            }
        }
        (all, given) => *all = given,
    }
}

/// A value that serde can write, as Python's own.
pub fn to_python<'py, T: Serialize>(py: Python<'py>, value: &T) -> PyResult<Bound<'py, PyAny>> {
    Ok(pythonize(py, value)?)
}

/// The options of the module of a class of models, and their defaults.
#[pyfunction]
#[pyo3(signature = (model_class="SCVI"))]
pub fn default_config<'py>(py: Python<'py>, model_class: &str) -> PyResult<Bound<'py, PyAny>> {
    match model_class {
        "SCANVI" => to_python(py, &ScanvaeConfig::default()),
        _ => to_python(py, &default_vae_config(model_class)),
    }
}

/// The defaults of what encodes and decodes cells.
pub fn default_vae_config(model_class: &str) -> VaeConfig {
    if model_class == "LinearSCVI" { VaeConfig::linear() } else { VaeConfig::default() }
}

/// The options of a training run and their defaults.
#[pyfunction]
pub fn default_plan(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    to_python(py, &TrainPlan::default())
}

/// Epochs of a plan on so many cells, and optimizer steps of one; 0 steps where the plan cannot be.
#[pyfunction]
pub fn plan_length(plan: &Bound<PyDict>, n_cells: usize) -> PyResult<(usize, usize)> {
    let plan: TrainPlan = with_defaults("the training plan", &TrainPlan::default(), plan)?;
    plan.validate().map_err(py_error)?;
    Ok((plan.epochs(n_cells), plan.steps_per_epoch(n_cells)))
}

/// Epochs that scvi-tools trains a SCANVI for that begins with the weights of an SCVI.
#[pyfunction]
pub fn max_epochs_pretrained(n_cells: usize) -> usize {
    default_max_epochs_pretrained(n_cells)
}

/// Epochs that scvi-tools trains so many cells for.
#[pyfunction]
pub fn max_epochs_heuristic(n_cells: usize) -> usize {
    default_max_epochs(n_cells)
}
