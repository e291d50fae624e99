//! A training run from beginning to end.

use std::ops::ControlFlow;

use super::error::TrainError;
use super::history::EpochRecord;
use super::outcome::{Stop, Trained};
use super::plan::TrainPlan;
use super::run::{Event, TrainingRun};
use crate::data::Dataset;
use crate::module::VaeSpec;

/// Trains a new model on the processor, in the rayon pool of the caller.
///
/// `observer` sees every epoch as it ends and may stop training there. The same specification,
/// data, plan and seed give bit-identical results for any number of threads.
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
