//! A run that waits at the end of an epoch, and what Python may ask of it then.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use scvi::nn::Slot;
use scvi::train::{Stop, TrainPlan, TrainingRun};
use scvi_io::checkpoint::RunCheckpoint;

use crate::error::{py_error, value_error};
use crate::model::{Model, State, keep};

/// A run with what belongs to it.
pub struct Underway<'a> {
    pub run: TrainingRun<'a>,
    pub checkpoint: Option<RunCheckpoint>,
    /// Whether somebody asked it to end with the epoch.
    pub stop: bool,
    /// Whether a callback failed, so that it must not go on.
    pub is_interrupted: bool,
}

/// Something to be done with a run that waits.
pub type Ask = Box<dyn FnOnce(&mut Underway) + Send>;
pub type Asks = Sender<Ask>;

/// The model that a run began with, and how it is trained.
#[derive(Clone)]
pub struct Base {
    pub state: Arc<State>,
    pub plan: Arc<TrainPlan>,
    pub n_cells: usize,
}

/// A training run at the end of an epoch.
#[pyclass(frozen, module = "scvi_rs._core")]
pub struct Run {
    /// None once the run has gone on.
    asks: Mutex<Option<Asks>>,
    base: Base,
}

#[pymethods]
impl Run {
    /// Ends training with this epoch, or with the last of `min_epochs`.
    fn stop(&self, py: Python) -> PyResult<()> {
        self.ask(py, |underway| underway.stop = true)
    }

    /// Writes the checkpoint now.
    fn save_checkpoint(&self, py: Python) -> PyResult<()> {
        let written = self.ask(py, |Underway { run, checkpoint, .. }| {
            checkpoint.as_mut().map(|checkpoint| checkpoint.write(run))
        })?;
        let none = || value_error("there is no checkpoint to write: train(checkpoint_path=...)");
        written.ok_or_else(none)?.map_err(py_error)
    }

    /// The model as it is now, by itself.
    fn model(&self, py: Python) -> PyResult<Model> {
        let (weights, history, split) = self.ask(py, |Underway { run, .. }| {
            (run.state(Slot::Value), run.progress().history.clone(), run.split().clone())
        })?;
        let Base { state, plan, n_cells } = &self.base;
        let mut state = State::clone(state);
        state.saved.vae.load_state_dict(weights).map_err(py_error)?;
        keep(&mut state.saved, &history, split, Stop::Interrupted, plan, *n_cells);
        Ok(Model::in_state(state))
    }
}

impl Run {
    pub fn new(asks: Asks, base: &Base) -> Self {
        Self { asks: Mutex::new(Some(asks)), base: base.clone() }
    }

    /// Lets the run go on, or end where it is if the callback failed.
    pub fn leave(&self, failed: bool) {
        let asks = self.asks.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(asks) = asks.filter(|_| failed) {
            // Before anything else that would stop it: it goes on as soon as nobody holds it.
            let _ = asks.send(Box::new(|underway| underway.is_interrupted = true));
        }
    }

    /// Has something done with the run, in its thread.
    fn ask<T: Send + 'static>(
        &self,
        py: Python,
        work: impl FnOnce(&mut Underway) -> T + Send + 'static,
    ) -> PyResult<T> {
        let gone = || {
            PyRuntimeError::new_err(
                "training has gone on: this can be called only until on_epoch_end returns",
            )
        };
        let (answer, done) = channel();
        let asks = self.asks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let ask: Ask = Box::new(move |underway| drop(answer.send(work(underway))));
        asks.ok_or_else(gone)?.send(ask).map_err(|_| gone())?;
        py.detach(move || done.recv()).map_err(|_| gone())
    }
}
