//! A run that waits at the end of an epoch, and what Python may ask of it then.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use scvi::data::Split;
use scvi::nn::{Slot, StateDict};
use scvi::train::{History, Stop, TrainPlan, TrainingRun};
use scvi_io::SavedModule;
use scvi_io::checkpoint::{CheckpointError, RunCheckpoint};

use crate::error::{py_error, value_error};
use crate::model::{Model, State, keep};

/// A run with what belongs to it.
pub struct Underway<'a, M: SavedModule> {
    pub run: TrainingRun<'a, M>,
    pub checkpoint: Option<RunCheckpoint>,
    /// Whether somebody asked it to end with the epoch.
    pub stop: bool,
    /// Whether a callback failed, so that it must not go on.
    pub is_interrupted: bool,
}

/// What may be asked of a run that waits, whatever module it trains.
pub trait Waiting {
    /// Has it end with the epoch.
    fn stop(&mut self);
    /// Has it end here: a callback failed.
    fn interrupt(&mut self);
    /// Writes its checkpoint, if it has one.
    fn write_checkpoint(&mut self) -> Option<Result<(), CheckpointError>>;
    /// What it has come to.
    fn snapshot(&self) -> Snapshot;
}

/// A run's weights, history and split.
pub struct Snapshot {
    weights: StateDict<f32>,
    history: History,
    split: Split,
}

impl<M: SavedModule> Waiting for Underway<'_, M> {
    fn stop(&mut self) {
        self.stop = true;
    }

    fn interrupt(&mut self) {
        self.is_interrupted = true;
    }

    fn write_checkpoint(&mut self) -> Option<Result<(), CheckpointError>> {
        self.checkpoint.as_mut().map(|checkpoint| checkpoint.write(&self.run))
    }

    fn snapshot(&self) -> Snapshot {
        let run = &self.run;
        Snapshot {
            weights: run.state(Slot::Value),
            history: run.progress().history.clone(),
            split: run.split().clone(),
        }
    }
}

/// Something to be done with a run that waits.
pub type Ask = Box<dyn FnOnce(&mut dyn Waiting) + Send>;
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
        self.ask(py, |run| run.stop())
    }

    /// Writes the checkpoint now.
    fn save_checkpoint(&self, py: Python) -> PyResult<()> {
        let written = self.ask(py, |run| run.write_checkpoint())?;
        let none = || value_error("there is no checkpoint to write: train(checkpoint_path=...)");
        written.ok_or_else(none)?.map_err(py_error)
    }

    /// The model as it is now, by itself.
    fn model(&self, py: Python) -> PyResult<Model> {
        let Snapshot { weights, history, split } = self.ask(py, |run| run.snapshot())?;
        let Base { state, plan, n_cells } = &self.base;
        let mut state = State::clone(state);
        state.load_weights(weights)?;
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
            let _ = asks.send(Box::new(|run| run.interrupt()));
        }
    }

    /// Has something done with the run, in its thread.
    fn ask<T: Send + 'static>(
        &self,
        py: Python,
        work: impl FnOnce(&mut dyn Waiting) -> T + Send + 'static,
    ) -> PyResult<T> {
        let gone = || {
            PyRuntimeError::new_err(
                "training has gone on: this can be called only until on_epoch_end returns",
            )
        };
        let (answer, done) = channel();
        let asks = self.asks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let ask: Ask = Box::new(move |run| drop(answer.send(work(run))));
        asks.ok_or_else(gone)?.send(ask).map_err(|_| gone())?;
        py.detach(move || done.recv()).map_err(|_| gone())
    }
}
