//! A training run, one minibatch at a time.

use super::checkpoint::{Checkpoint, RunDescription, RunProgress};
use super::error::TrainError;
use super::history::{EpochRecord, MinibatchRecord};
use super::loader::Loader;
use super::outcome::{Stop, Trained};
use super::plan::TrainPlan;
use super::steps::Steps;
use super::trainable::Trainable;
use crate::DefaultBackend;
use crate::data::{Dataset, Fingerprint, Split};
use crate::module::{Minibatch, Vae};
use crate::nn::{Slot, StateDict};

/// What [`TrainingRun::advance`] has done.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// One minibatch.
    Minibatch,
    /// One minibatch, the last of its epoch.
    Epoch(EpochRecord),
    /// Nothing: training is over.
    Done(Stop),
}

/// A training run of a module, in the rayon pool of the caller, that goes one step at a time.
///
/// After every minibatch it can be taken down to a [`Checkpoint`]; a run resumed from there gives
/// bit-identical to one that never stopped, for any number of threads.
///
/// ```
/// # use scvi::data::{Dataset, simulate::{SimulateConfig, simulate}};
/// # use scvi::module::VaeConfig;
/// use scvi::train::{Event, TrainPlan, TrainingRun};
/// # let sim = simulate(&SimulateConfig { n_cells: 60, n_genes: 40, ..Default::default() });
/// # let data = Dataset::new(&sim.counts, sim.batch.clone())?;
/// # let config = VaeConfig { n_input: 40, n_batch: 2, n_hidden: 16, ..Default::default() };
/// # let spec = config.validate()?;
/// let plan = TrainPlan { max_epochs: Some(2), ..Default::default() };
/// let mut run = TrainingRun::new(spec.clone(), &data, &plan)?;
/// run.advance()?;
/// let checkpoint = run.checkpoint(&data.fingerprint()?)?;
///
/// let mut run = TrainingRun::resume(spec, &data, &plan, checkpoint)?;
/// let trained = loop {
///     if let Event::Done(stop) = run.advance()? {
///         break run.finish(stop)?;
///     }
/// };
/// assert_eq!(trained.history.epochs.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TrainingRun<'a, M: Trainable = Vae<DefaultBackend>> {
    pub(super) module: M,
    pub(super) ws: M::Workspace,
    /// the minibatches after those at hand
    pub(super) next: M::Inputs,
    /// whether they are loaded
    pub(super) next_is_loaded: bool,
    /// host memory that minibatches pass through, one of each sampler
    pub(super) batches: Vec<Minibatch>,
    /// cells of the steps of this epoch
    pub(super) train: Loader,
    pub(super) validation: Loader,
    pub(super) data: &'a Dataset<'a>,
    pub(super) plan: &'a TrainPlan,
    pub(super) split: Split,
    pub(super) epochs: usize,
    pub(super) steps: Steps,
    pub(super) at: RunProgress,
    /// the minibatches in the workspace
    pub(super) shown: Shown,
    pub(super) last: Option<MinibatchRecord>,
    pub(super) watches_closely: bool,
}

/// A step by its number among those of its kind.
#[derive(Clone, Copy)]
pub(super) enum Shown {
    None,
    Train(usize),
    Validation(usize),
}

impl<M: Trainable> TrainingRun<'_, M> {
    /// What makes this run this run; `data` is the fingerprint of the data it was made with.
    pub fn description(&self, data: &Fingerprint) -> RunDescription<M::Config> {
        let (config, plan) = (self.module.config().clone(), self.plan.clone());
        RunDescription { config, plan, data: data.clone() }
    }

    /// Epochs it is to have.
    pub fn epochs(&self) -> usize {
        self.epochs
    }

    /// How far it is.
    pub fn progress(&self) -> &RunProgress {
        &self.at
    }

    /// What the last minibatch came to, of those that this run has trained or validated on.
    ///
    /// Each `train_loss_step` of scvi-tools (with `on_step`) is the loss of one that was trained
    /// on, each `validation_loss_step` of one that was validated on.
    pub fn last_minibatch(&self) -> Option<&MinibatchRecord> {
        self.last.as_ref()
    }

    /// Which cells it trains and validates on.
    pub fn split(&self) -> &Split {
        &self.split
    }

    /// One slot of every tensor, as it is now.
    pub fn state(&self, slot: Slot) -> StateDict<f32> {
        self.module.state(slot)
    }

    /// Its whole state; `data` is the fingerprint of the data it was made with.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] where a number is not finite: nothing goes on from there.
    pub fn checkpoint(&self, data: &Fingerprint) -> Result<Checkpoint<M::Config>, TrainError> {
        self.check_finite(&Slot::SAVED)?;
        Ok(Checkpoint {
            run: self.description(data),
            progress: self.at.clone(),
            weights: self.state(Slot::Value),
            moments: [Slot::FirstMoment, Slot::SecondMoment].map(|slot| self.state(slot)),
        })
    }

    /// From now on looks at every number after every step, not at the loss alone: slower, but
    /// where a run diverges it is seen at the step and in the tensor where it begins.
    pub fn watch_closely(&mut self) {
        self.watches_closely = true;
    }

    /// Trains or validates on one minibatch of each sampler.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] at the first loss that is not finite, and at the end of the epoch
    /// in which a parameter no longer is; [`TrainError::Read`].
    pub fn advance(&mut self) -> Result<Event, TrainError> {
        if let Some(stop) = self.is_over() {
            return Ok(Event::Done(stop));
        }
        let n_train = self.n_train();
        match self.at.minibatch.checked_sub(n_train) {
            None => self.train_minibatch()?,
            Some(k) => self.validate_minibatch(k)?,
        }
        if self.watches_closely {
            self.check_finite(&Slot::SAVED)?;
        }
        self.at.minibatch += 1;
        if self.at.minibatch < n_train + self.n_validation() {
            return Ok(Event::Minibatch);
        }
        self.check_finite(&[Slot::Value])?;
        Ok(Event::Epoch(self.end_epoch()))
    }

    /// Ends the run.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] where a number of the model is not finite.
    pub fn finish(self, stop: Stop) -> Result<Trained<M>, TrainError> {
        self.check_finite(&Slot::SAVED)?;
        Ok(Trained { module: self.module, history: self.at.history, split: self.split, stop })
    }

    fn is_over(&self) -> Option<Stop> {
        let RunProgress { epoch, minibatch, step, early_stopping, .. } = &self.at;
        if *minibatch > 0 {
            return None;
        }
        if early_stopping.is_over && self.plan.min_epochs.is_none_or(|least| *epoch >= least) {
            return Some(Stop::EarlyStopping);
        }
        if self.plan.max_steps.is_some_and(|most| *step >= most) {
            return Some(Stop::MaxSteps);
        }
        (*epoch >= self.epochs).then_some(Stop::MaxEpochs)
    }

    /// Minibatches to train on in this epoch.
    pub(super) fn n_train(&self) -> usize {
        self.steps.of(self.at.epoch)
    }

    /// Minibatches to validate on in this epoch.
    pub(super) fn n_validation(&self) -> usize {
        let validates = self.plan.validates(self.at.epoch) && !self.steps.is_cut(self.at.epoch);
        if validates { self.validation.len() } else { 0 }
    }

    /// Puts the epoch on record, and goes to the beginning of the next.
    fn end_epoch(&mut self) -> EpochRecord {
        let validated = self.n_validation() > 0;
        let record = EpochRecord {
            epoch: self.at.epoch,
            kl_weight: self.kl_weight(),
            lr: self.plan.monitors_lr().then(|| self.lr()),
            train: self.at.train.mean(),
            validation: validated.then(|| self.at.validation.mean()),
        };
        self.look_at(&record);
        self.at.history.epochs.push(record.clone());
        self.at.epoch += 1;
        self.at.minibatch = 0;
        (self.at.train, self.at.validation) = Default::default();
        record
    }

    /// What an epoch means for the learning rate and for the end of the run.
    fn look_at(&mut self, record: &EpochRecord) {
        let stopping = self.plan.early_stopping.filter(|_| self.plan.looks(record.epoch));
        if let Some((rule, value)) =
            stopping.and_then(|rule| Some((rule, rule.monitor.of(record)?)))
        {
            self.at.early_stopping.see(&rule, value);
        }
        if let Some(rule) = &self.plan.reduce_lr_on_plateau
            && let Some(value) = rule.metric.of(record)
        {
            self.at.plateau.see(rule, self.plan.adam.lr, value);
        }
    }
}
