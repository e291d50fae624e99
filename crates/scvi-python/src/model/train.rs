//! `Model.train`.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use scvi::Cpu;
use scvi::data::{Dataset, Split};
use scvi::module::Vae;
use scvi::train::{
    EpochRecord, Event, MinibatchRecord, Stop, TrainError, TrainPlan, Trained, TrainingRun,
};
use scvi_io::{InputMeta, SavedModel, TrainingMeta};

use super::{Model, program};
use crate::config::{to_python, with_defaults};
use crate::data::Data;
use crate::error::py_error;
use crate::supervise::{Reporter, Supervised, supervise};
use crate::tables::add_history;

#[pymethods]
impl Model {
    /// Trains, from the weights there are. `plan` names options of training; those it leaves out
    /// have their defaults. `progress` is called with a dictionary of each epoch's losses as it
    /// ends, `on_step` with one of each minibatch's, both in the calling thread; an exception that
    /// they raise stops training, as Ctrl-C does.
    ///
    /// A run that is stopped keeps what it has learnt, then raises what stopped it. One that
    /// diverges leaves the model as it was.
    #[pyo3(signature = (data, plan, progress=None, on_step=None))]
    fn train(
        &self,
        py: Python,
        data: &Data,
        plan: &Bound<PyDict>,
        progress: Option<Py<PyAny>>,
        on_step: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let plan: TrainPlan = with_defaults("the training plan", &TrainPlan::default(), plan)?;
        let listen = |py: Python, news: News| match (news, &progress, &on_step) {
            (News::Epoch(record), Some(callable), _) => {
                callable.call1(py, (to_python(py, &record)?,)).map(drop)
            }
            (News::Minibatch(record), _, Some(callable)) => {
                callable.call1(py, (step(py, &record)?,)).map(drop)
            }
            _ => Ok(()),
        };
        let tells_steps = on_step.is_some();
        let interrupted = self.train_by(py, |mut state| {
            let mut vae = state.saved.vae;
            vae.set_minified_data_type(data.minified()).map_err(py_error)?;
            let done = data.with(py, |dataset| {
                supervise(py, listen, |reporter| run(vae, dataset, &plan, reporter, tells_steps))
            })??;
            let Supervised { value, interrupted } = done;
            let Trained { vae, history, split, stop } = value.map_err(py_error)?;
            state.saved.vae = vae;
            // A later training begins with a new optimizer.
            state.saved.vae.forget_moments();
            add_history(&mut state.saved.history, (&history).into());
            record(&mut state.saved, split, stop, &plan, data.n_cells());
            Ok((state, interrupted))
        })?;
        interrupted.map_or(Ok(()), Err)
    }
}

/// Notes how a model was trained.
fn record(saved: &mut SavedModel, split: Split, stop: Stop, plan: &TrainPlan, n_cells: usize) {
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

/// What a run tells.
enum News {
    Minibatch(MinibatchRecord),
    Epoch(EpochRecord),
}

fn step<'py>(py: Python<'py>, record: &MinibatchRecord) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("epoch", record.epoch)?;
    dict.set_item("step", record.step)?;
    dict.set_item("is_validation", record.is_validation)?;
    dict.set_item("kl_weight", record.kl_weight)?;
    dict.set_item("loss", record.terms.loss)?;
    Ok(dict)
}

/// Trains to the end, or until the caller wants it to stop.
fn run(
    vae: Vae<Cpu<f32>>,
    data: &Dataset,
    plan: &TrainPlan,
    reporter: &Reporter<News>,
    tells_steps: bool,
) -> Result<Trained, TrainError> {
    let mut run = TrainingRun::of_model(vae, data, plan)?;
    loop {
        let event = run.advance()?;
        if let Some(record) = run.last_minibatch().filter(|_| tells_steps) {
            reporter.send(News::Minibatch(*record));
        }
        match event {
            Event::Minibatch => {}
            Event::Epoch(record) => reporter.send(News::Epoch(record)),
            Event::Done(stop) => return run.finish(stop),
        }
        if reporter.is_stopped() {
            return run.finish(Stop::Interrupted);
        }
    }
}
