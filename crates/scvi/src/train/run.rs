//! A training run, one minibatch at a time.

use std::ops::Range;

use scvi_kernels::{Cpu, Philox, Stream};

use super::checkpoint::{Checkpoint, Progress, RunDescription};
use super::error::TrainError;
use super::guard::ALL;
use super::history::EpochRecord;
use super::plan::TrainPlan;
use super::trainer::{Stop, Trained};
use crate::data::{Dataset, Fingerprint, Split, largest_minibatch, minibatches};
use crate::module::{Inputs, Minibatch, Noise, Vae, VaeSpec, Workspace};
use crate::nn::{Slot, StateDict};

/// What [`TrainingRun::advance`] has done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// One minibatch.
    Minibatch,
    /// One minibatch, the last of its epoch.
    Epoch(EpochRecord),
    /// Nothing: training is over.
    Done(Stop),
}

/// A training run on the processor, in the rayon pool of the caller, that goes one minibatch at a
/// time.
///
/// After every minibatch it can be taken down to a [`Checkpoint`]; a run resumed from there gives
/// the same bits as one that never stopped, for any number of threads.
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
pub struct TrainingRun<'a> {
    pub(super) vae: Vae<Cpu<f32>>,
    pub(super) ws: Workspace<Cpu<f32>>,
    /// the minibatch after the one at hand
    next: Inputs<Cpu<f32>>,
    /// whether it is loaded
    next_is_loaded: bool,
    /// host memory that minibatches pass through
    pub(super) batch: Minibatch,
    /// training cells in this epoch's order
    pub(super) order: Vec<u32>,
    pub(super) data: &'a Dataset<'a>,
    plan: &'a TrainPlan,
    pub(super) split: Split,
    /// minibatches as places in the order, and among the validation cells
    pub(super) train_ranges: Vec<Range<usize>>,
    pub(super) validation_ranges: Vec<Range<usize>>,
    epochs: usize,
    pub(super) at: Progress,
    /// the minibatch in the workspace
    pub(super) shown: Shown,
    watches_closely: bool,
}

/// A minibatch by its number among those of its kind.
#[derive(Clone, Copy)]
pub(super) enum Shown {
    None,
    Train(usize),
    Validation(usize),
}

impl<'a> TrainingRun<'a> {
    /// A new model, before its first step.
    ///
    /// # Errors
    /// [`TrainError`] where plan, model and data do not go together.
    pub fn new(
        spec: VaeSpec,
        data: &'a Dataset<'a>,
        plan: &'a TrainPlan,
    ) -> Result<Self, TrainError> {
        let split = check(&spec, data, plan)?;
        Ok(Self::assemble(Vae::new(Cpu::new(), spec, plan.seed), data, plan, split))
    }

    /// Goes on with a model that is there already, its optimiser new.
    ///
    /// # Errors
    /// As [`TrainingRun::new`].
    pub fn of_model(
        vae: Vae<Cpu<f32>>,
        data: &'a Dataset<'a>,
        plan: &'a TrainPlan,
    ) -> Result<Self, TrainError> {
        let split = check(vae.spec(), data, plan)?;
        Ok(Self::assemble(vae, data, plan, split))
    }

    fn assemble(
        vae: Vae<Cpu<f32>>,
        data: &'a Dataset<'a>,
        plan: &'a TrainPlan,
        split: Split,
    ) -> Self {
        let max_cells = largest_minibatch(data.n_cells(), plan.batch_size);
        let ws = vae.workspace(max_cells, data.max_nnz(max_cells), true);
        let next = vae.inputs(max_cells, data.max_nnz(max_cells));
        Self {
            vae,
            ws,
            next,
            next_is_loaded: false,
            batch: Minibatch::default(),
            order: Vec::with_capacity(split.train.len()),
            data,
            plan,
            train_ranges: minibatches(split.train.len(), plan.batch_size).collect(),
            validation_ranges: minibatches(split.validation.len(), plan.batch_size).collect(),
            split,
            epochs: plan.epochs(data.n_cells()),
            at: Progress::default(),
            shown: Shown::None,
            watches_closely: false,
        }
    }

    /// Goes on from a checkpoint.
    ///
    /// # Errors
    /// As [`TrainingRun::new`]; [`super::ResumeError`] where the checkpoint is of another run, or
    /// contradicts itself.
    pub fn resume(
        spec: VaeSpec,
        data: &'a Dataset<'a>,
        plan: &'a TrainPlan,
        checkpoint: Checkpoint,
    ) -> Result<Self, TrainError> {
        let mut run = Self::new(spec, data, plan)?;
        let Checkpoint { run: then, progress, weights, moments } = checkpoint;
        then.check_same(&run.description(&data.fingerprint()?))?;
        progress.check(run.epochs, run.train_ranges.len(), run.validation_ranges.len())?;
        run.vae.load_state_dict(weights).map_err(super::ResumeError::State)?;
        run.vae.load_moments(moments).map_err(super::ResumeError::State)?;
        run.at = progress;
        Ok(run)
    }

    /// What makes this run this run; `data` is the fingerprint of the data it was made with.
    pub fn description(&self, data: &Fingerprint) -> RunDescription {
        let (config, plan) = (self.vae.spec().config().clone(), self.plan.clone());
        RunDescription { config, plan, data: data.clone() }
    }

    /// Epochs it is to have.
    pub fn epochs(&self) -> usize {
        self.epochs
    }

    /// How far it is.
    pub fn progress(&self) -> &Progress {
        &self.at
    }

    /// One slot of every tensor, as it is now.
    pub fn state(&mut self, slot: Slot) -> StateDict<f32> {
        self.vae.export(slot)
    }

    /// Its whole state; `data` is the fingerprint of the data it was made with.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] where a number is not finite: nothing goes on from there.
    pub fn checkpoint(&mut self, data: &Fingerprint) -> Result<Checkpoint, TrainError> {
        self.check_finite(&ALL)?;
        Ok(Checkpoint {
            run: self.description(data),
            progress: self.at.clone(),
            weights: self.vae.state_dict(),
            moments: self.vae.moments(),
        })
    }

    /// From now on looks at every number after every step, not at the loss alone: slower, but
    /// where a run diverges it is seen at the step and in the tensor where it begins.
    pub fn watch_closely(&mut self) {
        self.watches_closely = true;
    }

    /// Trains or validates on one minibatch.
    ///
    /// # Errors
    /// [`TrainError::Diverged`] at the first loss that is not finite, and at the end of the epoch
    /// in which a parameter no longer is; [`TrainError::Read`].
    pub fn advance(&mut self) -> Result<Event, TrainError> {
        if let Some(stop) = self.is_over() {
            return Ok(Event::Done(stop));
        }
        let n_train = self.train_ranges.len();
        match self.at.minibatch.checked_sub(n_train) {
            None => self.train_minibatch()?,
            Some(k) => self.validate_minibatch(k)?,
        }
        if self.watches_closely {
            self.check_finite(&ALL)?;
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
    pub fn finish(mut self, stop: Stop) -> Result<Trained, TrainError> {
        self.check_finite(&ALL)?;
        Ok(Trained { vae: self.vae, history: self.at.history, split: self.split, stop })
    }

    fn is_over(&self) -> Option<Stop> {
        let Progress { epoch, minibatch, early_stopping, .. } = &self.at;
        let rule = self.plan.early_stopping;
        if *minibatch == 0 && rule.is_some_and(|rule| early_stopping.is_over(rule)) {
            return Some(Stop::EarlyStopping);
        }
        (*epoch >= self.epochs).then_some(Stop::MaxEpochs)
    }

    /// Minibatches to validate on in this epoch.
    fn n_validation(&self) -> usize {
        if self.plan.validates(self.at.epoch) { self.validation_ranges.len() } else { 0 }
    }

    /// Weight of the KL in the step before this moment, or in the first.
    fn kl_weight(&self) -> f64 {
        self.plan.kl_weight(self.at.epoch, self.at.step.saturating_sub(1))
    }

    /// One step, while another thread prepares the minibatch after it.
    fn train_minibatch(&mut self) -> Result<(), TrainError> {
        self.load_first()?;
        self.ws.swap_inputs(&mut self.next);
        self.shown = Shown::Train(self.at.minibatch);
        let following = self.train_ranges.get(self.at.minibatch + 1).cloned();
        self.next_is_loaded = following.is_some();
        self.at.step += 1;
        let (kl_weight, noise) = (self.kl_weight(), self.noise());
        let adam = self.plan.adam.at_step(self.at.step);
        let Self { vae, ws, next, batch, order, data, .. } = self;
        let backend = *vae.backend();
        let load = || match following {
            None => Ok(()),
            Some(range) => load(&backend, data, &order[range], batch, next),
        };
        let step = || vae.train_step(ws, noise, kl_weight, adam);
        rayon::join(step, load).1?;
        let terms = self.ws.loss_sums(self.vae.backend());
        self.at.train.add(terms, kl_weight);
        self.check_loss(terms)
    }

    /// Loads the minibatch at hand where no step before it has: at the beginning of an epoch, and
    /// of a resumed run.
    fn load_first(&mut self) -> Result<(), TrainError> {
        if self.next_is_loaded {
            return Ok(());
        }
        self.order.clear();
        self.order.extend_from_slice(&self.split.train);
        let epoch = self.at.epoch as u32;
        Philox::new(self.plan.seed).shuffle(Stream::Shuffle, epoch, &mut self.order);
        let range = self.train_ranges[self.at.minibatch].clone();
        let Self { vae, next, batch, order, data, .. } = self;
        load(vae.backend(), data, &order[range], batch, next)
    }

    fn validate_minibatch(&mut self, k: usize) -> Result<(), TrainError> {
        let cells = &self.split.validation[self.validation_ranges[k].clone()];
        self.data.fill(cells, &mut self.batch)?;
        self.ws.load(self.vae.backend(), &self.batch);
        self.shown = Shown::Validation(k);
        let noise = self.noise();
        self.vae.inference(&mut self.ws, Some(noise));
        self.vae.generative(&mut self.ws, None);
        let terms = self.ws.loss_sums(self.vae.backend());
        let kl_weight = self.kl_weight();
        self.at.validation.add(terms, kl_weight);
        self.check_loss(terms)
    }

    /// A cell's noise depends on the epoch: training visits it once an epoch, or validation does.
    fn noise(&self) -> Noise<'static, f32> {
        Noise::Seeded { seed: self.plan.seed, draw: self.at.epoch as u32 }
    }

    /// Puts the epoch on record, and goes to the beginning of the next.
    fn end_epoch(&mut self) -> EpochRecord {
        let validated = self.n_validation() > 0;
        let record = EpochRecord {
            epoch: self.at.epoch,
            kl_weight: self.kl_weight(),
            train: self.at.train.mean(self.split.train.len()),
            validation: validated.then(|| self.at.validation.mean(self.split.validation.len())),
        };
        if let (Some(rule), Some(validation)) = (self.plan.early_stopping, record.validation) {
            self.at.early_stopping.see(rule, validation.elbo);
        }
        self.at.history.epochs.push(record);
        self.at.epoch += 1;
        self.at.minibatch = 0;
        (self.at.train, self.at.validation) = Default::default();
        record
    }
}

/// Whether plan, model and data go together; the split they come to.
fn check(spec: &VaeSpec, data: &Dataset, plan: &TrainPlan) -> Result<Split, TrainError> {
    plan.validate()?;
    data.check_fits(spec)?;
    let split = Split::new(data.n_cells(), plan.train_size, plan.validation_size, plan.seed)?;
    if plan.early_stopping.is_some() && split.validation.is_empty() {
        return Err(TrainError::NothingToValidate { train_size: plan.train_size });
    }
    Ok(split)
}

/// Reads cells, and loads them.
fn load(
    backend: &Cpu<f32>,
    data: &Dataset,
    cells: &[u32],
    batch: &mut Minibatch,
    inputs: &mut Inputs<Cpu<f32>>,
) -> Result<(), TrainError> {
    data.fill(cells, batch)?;
    inputs.load(backend, batch);
    Ok(())
}
