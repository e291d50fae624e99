//! A training run that is not lost: checkpoints, signals, and what to say when it diverges.

use std::path::Path;

use scvi::data::Dataset;
use scvi::train::{Divergence, EpochRecord, Event, TrainError, TrainPlan, Trained, TrainingRun};
use scvi_io::SavedModule;
use scvi_io::checkpoint::{RunCheckpoint, RunSetup, SavedRun, read_checkpoint, typed_run};
use serde_json::Value;

use crate::args::Common;
use crate::checkpoints::Kept;
use crate::error::CliError;
use crate::input::Prepared;
use crate::log::detail;
use crate::log::note;
use crate::signals::Signals;

/// A run to be made.
pub struct Training<'a, M> {
    /// Makes the model as it is before the first step, the same each time.
    pub begin: &'a dyn Fn() -> Result<M, CliError>,
    pub data: &'a Dataset<'a>,
    pub plan: &'a TrainPlan,
    pub prepared: &'a Prepared,
    pub setup: RunSetup,
    pub kept: &'a Kept,
    /// The command that resumes it.
    pub resume_command: String,
    pub common: &'a Common,
}

impl<M: SavedModule> Training<'_, M> {
    /// Trains to the end, from where a checkpoint left off if there is one.
    pub fn run(
        &self,
        saved: Option<SavedRun<Value>>,
        observer: &mut dyn FnMut(&EpochRecord),
    ) -> Result<Trained<M>, CliError> {
        let signals = Signals::install().map_err(|source| CliError::Signals { source })?;
        let data = self.data.fingerprint().map_err(TrainError::from)?;
        let Kept { path, schedule, .. } = self.kept;
        let mut kept = RunCheckpoint::new(path.clone(), self.setup.clone(), data, *schedule);
        let saved = saved.map(|saved| typed_run(path, saved)).transpose()?;
        let mut is_kept = saved.is_some();
        if let Some(caveat) = saved.as_ref().and_then(|(meta, _)| meta.caveat()) {
            note(self.common, &caveat);
        }
        let run = self.start(&kept, saved)?;
        match self.to_the_end(run, &mut kept, &signals, &mut is_kept, observer) {
            Err(CliError::Train { error: TrainError::Diverged(seen) }) => {
                Err(self.find_cause(*seen, is_kept, &mut kept, &signals))
            }
            other => other,
        }
    }

    /// The loop over minibatches, with a checkpoint whenever one is due.
    fn to_the_end(
        &self,
        mut run: TrainingRun<M>,
        kept: &mut RunCheckpoint,
        signals: &Signals,
        is_kept: &mut bool,
        observer: &mut dyn FnMut(&EpochRecord),
    ) -> Result<Trained<M>, CliError> {
        loop {
            let event = run.advance()?;
            match &event {
                Event::Minibatch => {}
                Event::Epoch(record) => observer(record),
                Event::Done(stop) => return Ok(run.finish(*stop)?),
            }
            let signal = signals.received();
            if signal.is_none() && !kept.is_due(&event) {
                continue;
            }
            let written = match kept.write(&run).map_err(CliError::from) {
                Err(error @ CliError::Train { error: TrainError::Diverged(_) }) => {
                    return Err(error);
                }
                written => written,
            };
            if let Some(exit_code) = signal {
                return Err(self.interrupted(exit_code, &run, written, *is_kept));
            }
            match written {
                Ok(()) => {
                    *is_kept = true;
                    detail(self.common, &format!("checkpoint in {}", self.kept.path.display()));
                }
                // The run is worth more than its checkpoint.
                Err(error) => note(self.common, &format!("no checkpoint: {error}")),
            }
        }
    }

    fn start(
        &self,
        kept: &RunCheckpoint,
        saved: Option<SavedRun<M::Config>>,
    ) -> Result<TrainingRun<'_, M>, CliError> {
        Ok(kept.start((self.begin)()?, self.data, self.plan, saved)?)
    }

    fn interrupted(
        &self,
        exit_code: u8,
        run: &TrainingRun<M>,
        written: Result<(), CliError>,
        is_kept: bool,
    ) -> CliError {
        let at = format!("in epoch {} of {}", run.progress().epoch, run.epochs());
        let path = self.kept.path.display();
        let told = match (written, is_kept) {
            (Ok(()), _) => format!("{at}; the run is kept in {path}"),
            (Err(error), true) => format!("{at}; {error}; an earlier checkpoint is in {path}"),
            (Err(error), false) => {
                return CliError::Interrupted { exit_code, told: format!("{at}; {error}") };
            }
        };
        let told = format!("{told}\nresume with: {}", self.resume_command);
        CliError::Interrupted { exit_code, told }
    }

    /// Repeats the run from its last checkpoint, looking at every number after every step, to say
    /// where it left the finite ones; and keeps the end of the epoch before.
    ///
    /// A run is reproducible: nothing need be remembered for this while all goes well.
    fn find_cause(
        &self,
        seen: Divergence,
        mut is_kept: bool,
        kept: &mut RunCheckpoint,
        signals: &Signals,
    ) -> CliError {
        note(self.common, "training diverged; repeating it from the last checkpoint to see why");
        let mut found = seen.clone();
        let saved = is_kept.then(|| read_checkpoint(&self.kept.path)).transpose().ok();
        if let Some(mut run) = saved.and_then(|saved| self.start(kept, saved).ok()) {
            run.watch_closely();
            let from = run.progress().step;
            while signals.received().is_none() {
                let at = run.progress();
                if at.epoch == seen.epoch && at.minibatch == 0 && at.step > from {
                    is_kept |= kept.write(&run).is_ok();
                }
                match run.advance() {
                    Ok(Event::Done(_)) => break,
                    Ok(_) => {}
                    Err(TrainError::Diverged(cause)) => {
                        found = *cause;
                        break;
                    }
                    Err(error) => return error.into(),
                }
            }
        }
        let kept = is_kept.then_some(self.kept.path.as_path());
        diverged(&found, self.prepared, kept, self.plan.adam.lr)
    }
}

/// A divergence in the names of the data.
fn diverged(found: &Divergence, prepared: &Prepared, kept: Option<&Path>, lr: f64) -> CliError {
    let cells = prepared.kept_names();
    let mut told = found.to_string();
    // The rows of these tensors are genes.
    let by_gene = |name: &str| name == "px_r" || name.starts_with("decoder.px_");
    let gene = found.tensor.as_ref().filter(|t| found.loss_is_finite && by_gene(&t.name));
    let gene = gene.and_then(|t| t.index.first()).and_then(|&g| prepared.var_names.get(g));
    if let Some(gene) = gene {
        told += &format!(", of gene '{gene}'");
    }
    if let Some(&cell) = found.cells.first() {
        told += &format!("; first in cell '{}'", cells[cell as usize]);
    }
    let extreme = found.largest.filter(|largest| largest.is_extreme());
    if let Some(largest) = extreme {
        let (cell, gene) =
            (&cells[largest.cell as usize], &prepared.var_names[largest.gene as usize]);
        told += &format!("; likely cause: cell '{cell}' has {:e} of gene '{gene}'", largest.count);
    }
    if let Some(path) = kept {
        told += &format!("\nthe last good weights are in {}", path.display());
    }
    CliError::Diverged {
        told,
        is_extreme: extreme.is_some(),
        lr,
        epochs_before: found.epoch,
        is_kept: kept.is_some(),
    }
}
