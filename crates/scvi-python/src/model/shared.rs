//! One model in several Python threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use scvi::module::{ScanvaeSpec, VaeSpec};
use scvi_io::SavedModel;
use scvi_io::checkpoint::MappingSetup;

use super::Model;
use crate::data::Data;
use crate::error::{busy_error, py_error};

/// A model at one time.
#[derive(Clone)]
pub(crate) struct State {
    pub(crate) saved: SavedModel,
    /// Where this model grew from a reference.
    pub(super) reference: Option<Reference>,
}

/// The reference that a query's model grew from.
#[derive(Clone)]
pub(crate) struct Reference {
    pub(super) spec: VaeSpec,
    /// The whole module of a SCANVI as it is trained on the query, which may have no dropout.
    pub(super) scanvae: Option<ScanvaeSpec>,
    /// What is frozen of it, and its tensors' sum.
    pub(crate) mapping: MappingSetup,
}

/// A state that threads share: whoever reads it keeps what it began with, and whoever changes it
/// puts another in its place.
pub(super) struct Shared {
    /// Locked for the moment in which it is looked up or replaced, never while Python code runs.
    state: Mutex<Arc<State>>,
    /// Held from the state that a change begins with to the one that it leaves.
    changes: Mutex<()>,
    is_training: AtomicBool,
}

impl Shared {
    pub(super) fn new(state: impl Into<Arc<State>>) -> Self {
        Self {
            state: Mutex::new(state.into()),
            changes: Mutex::new(()),
            is_training: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Arc<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// While it lives, the model is being trained.
struct Training<'a>(&'a AtomicBool);

impl Drop for Training<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Model {
    /// The model as it is now.
    pub(crate) fn state(&self) -> Arc<State> {
        self.shared.lock().clone()
    }

    /// The model as it is now, for data with or without counts.
    pub(crate) fn state_for(&self, data: &Data) -> PyResult<Arc<State>> {
        let (state, set) = {
            let mut state = self.shared.lock();
            let mut set = Ok(());
            if state.saved.vae.minified_data_type() != data.minified() {
                // Copied where a task in another thread works on it.
                let vae = &mut Arc::make_mut(&mut state).saved.vae;
                set = vae.set_minified_data_type(data.minified());
            }
            (state.clone(), set)
        };
        set.map(|()| state).map_err(py_error)
    }

    /// Changes the model; where that fails, it stays as it was. One change waits for another, but
    /// none for a training, whose callbacks may ask for it.
    pub(crate) fn change<T>(
        &self,
        py: Python,
        change: impl FnOnce(&mut State) -> PyResult<T>,
    ) -> PyResult<T> {
        if self.shared.is_training.load(Ordering::Acquire) {
            return Err(busy());
        }
        self.replace_by(py, |mut state| {
            let value = change(&mut state)?;
            Ok((state, value))
        })
    }

    /// Replaces the model by what training makes of it; there is one training at a time.
    pub(super) fn train_by<T>(
        &self,
        py: Python,
        train: impl FnOnce(State) -> PyResult<(State, T)>,
    ) -> PyResult<T> {
        if self.shared.is_training.swap(true, Ordering::AcqRel) {
            return Err(busy());
        }
        let _training = Training(&self.shared.is_training);
        self.replace_by(py, train)
    }

    fn replace_by<T>(
        &self,
        py: Python,
        change: impl FnOnce(State) -> PyResult<(State, T)>,
    ) -> PyResult<T> {
        let changes = self.shared.changes.lock_py_attached(py);
        let _changing = changes.unwrap_or_else(PoisonError::into_inner);
        let (next, value) = change(State::clone(&self.state()))?;
        *self.shared.lock() = Arc::new(next);
        Ok(value)
    }
}

fn busy() -> PyErr {
    busy_error(
        "the model is being trained, and that training will replace its weights: wait until it \
         returns, or work on copy.deepcopy(model)",
    )
}
