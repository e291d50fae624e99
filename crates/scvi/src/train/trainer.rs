//! A training run from beginning to end.

use std::ops::ControlFlow;

use super::error::TrainError;
use super::history::{EpochRecord, History};
use super::plan::TrainPlan;
use super::run::{Event, TrainingRun};
use super::trainable::Trainable;
use crate::DefaultBackend;
use crate::data::{Dataset, Split};
use crate::module::{Vae, VaeSpec};

/// Why training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// All epochs are done.
    MaxEpochs,
    /// As many optimizer steps as `max_steps` allows are done.
    MaxSteps,
    /// The held-out loss no longer fell.
    EarlyStopping,
    /// A callback of the caller ended it with an epoch.
    Callback,
    /// The caller asked for it.
    Interrupted,
}

/// A trained model and how it came about.
pub struct Trained<M: Trainable = Vae<DefaultBackend>> {
    /// The model.
    pub module: M,
    /// Every epoch's losses.
    pub history: History,
    /// Which cells were trained and validated on.
    pub split: Split,
    /// Why training ended.
    pub stop: Stop,
}

/// Trains a new model on the processor, in the rayon pool of the caller.
///
/// `observer` sees every epoch as it ends and may stop training there. The same specification,
/// data, plan and seed give the same bits for any number of threads.
///
/// # Errors
/// [`TrainError`]; no model comes of a run that failed.
pub fn train(
    spec: VaeSpec,
    data: &Dataset,
    plan: &TrainPlan,
    observer: &mut dyn FnMut(&EpochRecord) -> ControlFlow<()>,
) -> Result<Trained, TrainError> {
    let mut run = TrainingRun::new(spec, data, plan)?;
    loop {
        match run.advance()? {
            Event::Minibatch => {}
            Event::Epoch(record) if observer(&record).is_break() => {
                return run.finish(Stop::Interrupted);
            }
            Event::Epoch(_) => {}
            Event::Done(stop) => return run.finish(stop),
        }
    }
}
