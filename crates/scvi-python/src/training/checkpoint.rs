//! Whether a run is kept in a file, and goes on from one.

use std::ffi::CString;
use std::path::PathBuf;

use pyo3::exceptions::PyUserWarning;
use pyo3::prelude::*;
use scvi::data::Dataset;
use scvi::train::TrainPlan;
use scvi_io::checkpoint::{
    CheckpointError, RunCheckpoint, RunSetup, SavedRun, Schedule, read_checkpoint,
};
use scvi_io::output::remove_unfinished;
use scvi_io::{InputMeta, SavedModel};
use serde::de::DeserializeOwned;

use crate::error::{file_error, py_error};
use crate::model::{Reference, program};

/// Where a run is kept and how often, as a dictionary.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct CheckpointOptions {
    pub path: PathBuf,
    every_minutes: f64,
    every_n_epoch: Option<u64>,
    resume: bool,
    /// Whether a resumed run has the checkpoint's seed, because the call names none.
    takes_seed: bool,
}

/// What a run is kept by, before it begins.
pub struct PreparedCheckpoint<C> {
    path: PathBuf,
    setup: RunSetup,
    schedule: Schedule,
    /// What a run that is resumed left behind.
    pub saved: Option<SavedRun<C>>,
}

impl CheckpointOptions {
    /// Looks for a run to go on with, and makes sure that none is lost unasked.
    ///
    /// A run that goes on replaces what it had left in the model's history, and has its own seed
    /// where the call names none.
    pub fn prepare<C: Clone + DeserializeOwned>(
        self,
        saved_model: &mut SavedModel,
        reference: Option<&Reference>,
        plan: &mut TrainPlan,
        n_cells: usize,
    ) -> PyResult<PreparedCheckpoint<C>> {
        let schedule = Schedule::new(self.every_minutes, self.every_n_epoch).map_err(py_error)?;
        let path = self.path;
        if self.resume {
            remove_unfinished(&path);
        } else if path.exists() {
            return Err(file_error(format!(
                "{} holds a run that is not finished. resume=True goes on with it; delete the file \
                 to begin anew.",
                path.display()
            )));
        }
        let saved: Option<SavedRun<C>> =
            path.exists().then(|| read_checkpoint(&path)).transpose().map_err(py_error)?;
        if let Some((meta, _)) = &saved {
            saved_model.history.rows.truncate(meta.setup.epochs_before);
            if self.takes_seed {
                plan.seed = meta.run.plan.seed;
            }
        }
        let meta = &saved_model.meta;
        let setup = RunSetup {
            program: program(),
            // What was typed is for the command's --resume.
            options: Vec::new(),
            registry: meta.registry.clone(),
            input: InputMeta::new(n_cells, &meta.var_names),
            mapping: reference.map(|reference| reference.mapping.clone()),
            epochs_before: saved_model.history.rows.len(),
            began_with: None,
        };
        Ok(PreparedCheckpoint { path, setup, schedule, saved })
    }
}

impl<C> PreparedCheckpoint<C> {
    /// Warns of what differs from a run that never stopped, where something does.
    pub fn warn(&self, py: Python) -> PyResult<()> {
        let Some(caveat) = self.saved.as_ref().and_then(|(meta, _)| meta.caveat()) else {
            return Ok(());
        };
        PyErr::warn(py, &py.get_type::<PyUserWarning>(), &CString::new(caveat)?, 2)
    }

    /// The checkpoint of a run on these data, which are read once.
    pub fn begin(self, data: &Dataset) -> Result<RunCheckpoint, CheckpointError> {
        let data = data.fingerprint().map_err(scvi::train::TrainError::from)?;
        Ok(RunCheckpoint::new(self.path, self.setup, data, self.schedule))
    }
}
