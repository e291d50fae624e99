//! A run with its checkpoint.

use std::path::{Path, PathBuf};
use std::time::Instant;

use scvi::data::{Dataset, Fingerprint};
use scvi::instruction_set;
use scvi::module::VaeConfig;
use scvi::train::{
    Checkpoint, Event, RunDescription, TrainError, TrainPlan, Trainable, TrainingRun,
};
use serde::Serialize;
use thiserror::Error;

use super::schedule::Schedule;
use super::{CHECKPOINT_VERSION, CheckpointMeta, RunSetup, write_checkpoint};
use crate::IoError;

/// The checkpoint of one run: where it lies, what it says beside the run's state, and when it is
/// due.
pub struct RunCheckpoint {
    path: PathBuf,
    setup: RunSetup,
    data: Fingerprint,
    schedule: Schedule,
    /// when it was last written, or the run began
    last: Instant,
}

/// What a checkpoint holds: all but the engine's state, and that.
pub type SavedRun<C = VaeConfig> = (CheckpointMeta<C>, Checkpoint<C>);

/// A run could not go on from a checkpoint, or none could be written.
#[derive(Debug, Error)]
pub enum CheckpointError {
    /// The run itself is at fault.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The file is.
    #[error(transparent)]
    Io(#[from] IoError),
}

impl RunCheckpoint {
    /// Of a run that begins now, on data with this fingerprint.
    pub fn new(path: PathBuf, setup: RunSetup, data: Fingerprint, schedule: Schedule) -> Self {
        Self { path, setup, data, schedule, last: Instant::now() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run of `module` on `data`, from where `saved` left off if that is given.
    ///
    /// # Errors
    /// [`IoError::OtherRun`] where the checkpoint is of another run; as
    /// [`TrainingRun::of_model`] and [`TrainingRun::resume_of_model`].
    pub fn start<'a, M: Trainable<Config: Serialize>>(
        &self,
        module: M,
        data: &'a Dataset<'a>,
        plan: &'a TrainPlan,
        saved: Option<SavedRun<M::Config>>,
    ) -> Result<TrainingRun<'a, M>, CheckpointError> {
        let Some((meta, checkpoint)) = saved else {
            return Ok(TrainingRun::of_model(module, data, plan)?);
        };
        let (config, plan_now) = (module.config().clone(), plan.clone());
        let now = RunDescription { config, plan: plan_now, data: self.data.clone() };
        meta.check_same(&self.path, &self.setup, &now)?;
        Ok(TrainingRun::resume_of_model(module, data, plan, checkpoint)?)
    }

    /// Whether it is to be written after this event of the run.
    pub fn is_due(&self, event: &Event) -> bool {
        self.schedule.is_due(self.last.elapsed(), event)
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] where a number is not finite; [`IoError`] where the file cannot be
    /// written.
    pub fn write<M: Trainable<Config: Serialize>>(
        &mut self,
        run: &TrainingRun<M>,
    ) -> Result<(), CheckpointError> {
        let written = self.write_now(run);
        // Also where it failed: it is tried again when the next is due.
        self.last = Instant::now();
        written
    }

    fn write_now<M: Trainable<Config: Serialize>>(
        &self,
        run: &TrainingRun<M>,
    ) -> Result<(), CheckpointError> {
        run.check_state()?;
        let meta = CheckpointMeta {
            checkpoint_version: CHECKPOINT_VERSION,
            instruction_set: instruction_set().to_owned(),
            setup: self.setup.clone(),
            run: run.description(&self.data),
            progress: run.progress().clone(),
        };
        Ok(write_checkpoint(&self.path, &meta, run)?)
    }
}
