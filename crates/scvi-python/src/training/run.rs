//! A run from beginning to end, in the engine's threads.

use std::sync::mpsc::channel;

use scvi::data::Dataset;
use scvi::train::{EpochRecord, Event, Stop, TrainPlan, Trained, TrainingRun};
use scvi_io::SavedModule;
use scvi_io::checkpoint::CheckpointError;

use super::checkpoint::PreparedCheckpoint;
use super::listener::{Filter, News};
use super::underway::{Ask, Underway};
use crate::supervise::Reporter;

/// What a run begins with.
pub struct Begun<'a, M: SavedModule> {
    pub module: M,
    pub data: &'a Dataset<'a>,
    pub plan: &'a TrainPlan,
    pub checkpoint: Option<PreparedCheckpoint<M::Config>>,
    /// Whether every number is looked at after every step.
    pub watch_closely: bool,
}

/// What a run ends with.
pub struct Ended<M: SavedModule> {
    pub trained: Trained<M>,
    /// Why its end could not be kept in its checkpoint.
    pub not_written: Option<String>,
}

impl<'a, M: SavedModule> Begun<'a, M> {
    /// Trains to the end, or until the caller wants it to stop.
    ///
    /// # Errors
    /// Where the run cannot begin or go on, or diverges.
    pub fn run(
        self,
        reporter: &Reporter<News>,
        filter: Option<Filter>,
        waits: bool,
    ) -> Result<Ended<M>, CheckpointError> {
        let min_epochs = self.plan.min_epochs;
        self.start()?.into_the_end(reporter, filter, waits, min_epochs)
    }

    fn start(self) -> Result<Underway<'a, M>, CheckpointError> {
        let Self { module, data, plan, checkpoint, watch_closely } = self;
        let (mut run, checkpoint) = match checkpoint {
            None => (TrainingRun::of_model(module, data, plan)?, None),
            Some(mut prepared) => {
                let saved = prepared.saved.take();
                let checkpoint = prepared.begin(data)?;
                (checkpoint.start(module, data, plan, saved)?, Some(checkpoint))
            }
        };
        if watch_closely {
            run.watch_closely();
        }
        Ok(Underway { run, checkpoint, stop: false, is_interrupted: false })
    }
}

impl<M: SavedModule> Underway<'_, M> {
    fn into_the_end(
        mut self,
        reporter: &Reporter<News>,
        mut filter: Option<Filter>,
        waits: bool,
        min_epochs: Option<usize>,
    ) -> Result<Ended<M>, CheckpointError> {
        loop {
            let event = self.run.advance()?;
            if let Event::Done(stop) = event {
                // Whoever listens may still be behind, and be interrupted.
                let not_written = self.write()?;
                return self.finish(stop, not_written);
            }
            if let Some(record) = self.run.last_minibatch()
                && filter.as_mut().is_some_and(|filter| filter.takes(record))
            {
                reporter.send(News::Minibatch(record.clone()));
            }
            if let Event::Epoch(record) = &event {
                self.tell_epoch(reporter, record.clone(), waits);
                let is_long_enough = min_epochs.is_none_or(|least| record.epoch + 1 >= least);
                if self.stop && is_long_enough && !self.is_interrupted {
                    return self.finish(Stop::Callback, None);
                }
            }
            if self.is_interrupted || reporter.is_stopped() {
                let not_written = self.write()?;
                return self.finish(Stop::Interrupted, not_written);
            }
            if self.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.is_due(&event))
                && let Some(why) = self.write()?
            {
                reporter.send(News::NotWritten(why));
            }
        }
    }

    /// Tells of an epoch, and does what is asked of the run then.
    fn tell_epoch(&mut self, reporter: &Reporter<News>, record: EpochRecord, waits: bool) {
        let step = self.run.progress().step;
        if !waits {
            return reporter.send(News::Epoch { record, step, asks: None });
        }
        let (asks, asked) = channel::<Ask>();
        reporter.send(News::Epoch { record, step, asks: Some(asks) });
        // Until nobody has the other end: the listener is done, or is gone.
        for ask in asked {
            ask(self);
        }
    }

    /// Writes the checkpoint, if there is one; why it could not be written: the run is worth more.
    fn write(&mut self) -> Result<Option<String>, CheckpointError> {
        let Self { run, checkpoint, .. } = self;
        match checkpoint.as_mut().map_or(Ok(()), |checkpoint| checkpoint.write(run)) {
            Ok(()) => Ok(None),
            Err(CheckpointError::Io(error)) => Ok(Some(error.to_string())),
            Err(diverged) => Err(diverged),
        }
    }

    fn finish(self, stop: Stop, not_written: Option<String>) -> Result<Ended<M>, CheckpointError> {
        let trained = self.run.finish(stop)?;
        Ok(Ended { trained, not_written })
    }
}
