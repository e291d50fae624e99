//! `Model.train`.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use scvi::data::Split;
use scvi::train::{History, Stop, TrainPlan, Trained};
use scvi_io::checkpoint::remove_checkpoint;
use scvi_io::{InputMeta, SavedModel, SavedModule, TrainingMeta};
use serde::de::DeserializeOwned;

use super::shared::State;
use super::{Model, program};
use crate::config::with_defaults;
use crate::data::Data;
use crate::error::py_error;
use crate::supervise::{Supervised, supervise};
use crate::tables::add_history;
use crate::training::{
    Base, Begun, CheckpointOptions, Ended, Listener, News, PreparedCheckpoint, warn_of_checkpoint,
};

#[pymethods]
impl Model {
    /// Trains, from the weights there are or from where a checkpoint left off. `plan` names options
    /// of training; those it leaves out have their defaults. The `listener` is told how the run goes,
    /// in the calling thread; an exception that it raises stops training, as Ctrl-C does. With
    /// `watch_closely` every number is looked at after every step.
    ///
    /// A run that is stopped keeps what it has learned, in its checkpoint too, then raises what
    /// stopped it. One that diverges leaves the model and its last checkpoint as they were.
    #[pyo3(signature = (data, plan, *, listener=None, checkpoint=None, watch_closely=false))]
    fn train(
        &self,
        py: Python,
        data: &Data,
        plan: &Bound<PyDict>,
        listener: Option<Listener>,
        checkpoint: Option<CheckpointOptions>,
        watch_closely: bool,
    ) -> PyResult<()> {
        let plan: TrainPlan = with_defaults("the training plan", &TrainPlan::default(), plan)?;
        let path = checkpoint.as_ref().map(|checkpoint| checkpoint.path.clone());
        let run = Training { data, plan, listener, checkpoint, watch_closely };
        let (interrupted, not_written) = self.train_by(py, |state| run.train(py, state))?;
        let Some(error) = interrupted else {
            return path.map_or(Ok(()), |path| remove_checkpoint(&path).map_err(py_error));
        };
        if let Some(why) = not_written {
            warn_of_checkpoint(py, &why)?;
        }
        Err(error)
    }
}

/// A call of `train`.
struct Training<'a> {
    data: &'a Data,
    plan: TrainPlan,
    listener: Option<Listener>,
    checkpoint: Option<CheckpointOptions>,
    watch_closely: bool,
}

/// What ended a run before its time, and why its checkpoint could not be written in the end.
type Interruption = (Option<PyErr>, Option<String>);

impl<'a> Training<'a> {
    fn train(self, py: Python, mut state: State) -> PyResult<(State, Interruption)> {
        state.saved.vae.set_minified_data_type(self.data.minified()).map_err(py_error)?;
        let (records, interruption) = match state.scanvae()? {
            Some(module) => {
                let run = self.prepare(py, &mut state)?;
                let (module, records, interruption) = run.train(py, module)?;
                state.saved.set_module(module);
                (records, interruption)
            }
            None => {
                let run = self.prepare(py, &mut state)?;
                let (vae, records, interruption) = run.train(py, state.saved.vae)?;
                state.saved.vae = vae;
                (records, interruption)
            }
        };
        let Records { history, split, stop, plan, n_cells } = records;
        keep(&mut state.saved, &history, split, stop, &plan, n_cells);
        Ok((state, interruption))
    }

    fn prepare<C: Clone + DeserializeOwned>(
        self,
        py: Python,
        state: &mut State,
    ) -> PyResult<PreparedTraining<'a, C>> {
        let Self { data, mut plan, listener, checkpoint, watch_closely } = self;
        let n_cells = data.n_cells();
        let checkpoint = match checkpoint {
            None => None,
            Some(options) => {
                let State { saved, reference } = &mut *state;
                let prepared = options.prepare(saved, reference.as_ref(), &mut plan, n_cells)?;
                prepared.warn(py)?;
                Some(prepared)
            }
        };
        let plan = Arc::new(plan);
        let waits = listener.as_ref().is_some_and(|listener| listener.waits);
        let base = || Base { state: Arc::new(state.clone()), plan: plan.clone(), n_cells };
        let base = waits.then(base);
        Ok(PreparedTraining { data, plan, listener, base, checkpoint, watch_closely })
    }
}

/// A training of a module that is made from a `C`.
struct PreparedTraining<'a, C> {
    data: &'a Data,
    plan: Arc<TrainPlan>,
    listener: Option<Listener>,
    /// Where the listener has the run wait.
    base: Option<Base>,
    checkpoint: Option<PreparedCheckpoint<C>>,
    watch_closely: bool,
}

/// How a module was trained.
struct Records {
    history: History,
    split: Split,
    stop: Stop,
    plan: Arc<TrainPlan>,
    n_cells: usize,
}

impl<C> PreparedTraining<'_, C> {
    fn train<M: SavedModule<Config = C>>(
        self,
        py: Python,
        module: M,
    ) -> PyResult<(M, Records, Interruption)> {
        let Self { data, plan, listener, base, checkpoint, watch_closely } = self;
        let filter = listener.as_ref().and_then(Listener::filter);
        let waits = base.is_some();
        let listen = |py: Python, news: News| {
            listener.as_ref().map_or(Ok(()), |listener| listener.hear(py, news, base.as_ref()))
        };
        let done = data.with(py, |dataset| {
            let begun = Begun { module, data: dataset, plan: &plan, checkpoint, watch_closely };
            supervise(py, listen, |reporter| begun.run(reporter, filter, waits))
        })??;
        let Supervised { value, interrupted } = done;
        let Ended { trained, not_written } = value.map_err(py_error)?;
        let Trained { mut module, history, split, stop } = trained;
        // A later training begins with a new optimizer.
        module.reset_optimizer();
        let records = Records { history, split, stop, plan, n_cells: data.n_cells() };
        Ok((module, records, (interrupted, not_written)))
    }
}

/// Notes how a model was trained, after what it was trained before.
pub(crate) fn keep(
    saved: &mut SavedModel,
    history: &History,
    split: Split,
    stop: Stop,
    plan: &TrainPlan,
    n_cells: usize,
) {
    add_history(&mut saved.history, history.into());
    let meta = &mut saved.meta;
    meta.program = program();
    meta.split = split;
    meta.training = TrainingMeta {
        n_cells,
        epochs: saved.history.rows.len(),
        stop: TrainingMeta::stop_word(stop),
        batch_size: plan.batch_size,
        seed: plan.seed,
    };
    meta.input = Some(InputMeta::new(n_cells, &meta.var_names));
}
