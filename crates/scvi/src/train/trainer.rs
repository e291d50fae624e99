//! The loop over epochs and minibatches.

use std::io;
use std::ops::{ControlFlow, Range};

use scvi_kernels::{Cpu, Philox, Stream};
use thiserror::Error;

use super::early_stopping::Watch;
use super::history::{EpochRecord, History, LossTerms};
use super::plan::{PlanError, TrainPlan};
use crate::data::{Dataset, Misfit, Split, SplitError, largest_minibatch, minibatches};
use crate::module::{Inputs, Minibatch, Noise, Vae, VaeSpec, Workspace};

/// Why training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// All epochs are done.
    MaxEpochs,
    /// The held-out loss no longer fell.
    EarlyStopping,
    /// The caller asked for it.
    Interrupted,
}

/// A trained model and how it came about.
pub struct Trained {
    /// The model.
    pub vae: Vae<Cpu<f32>>,
    /// Every epoch's losses.
    pub history: History,
    /// Which cells were trained and validated on.
    pub split: Split,
    /// Why training ended.
    pub stop: Stop,
}

/// Training could not start, or not go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// An option is outside its range.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The cells cannot be split as asked.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// Counts could not be read.
    #[error("counts could not be read")]
    Read(#[from] io::Error),
    /// The model cannot take the data.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// Early stopping watches validation cells, and there are none.
    #[error("early stopping needs validation cells, and there are none (train_size {train_size})")]
    NothingToValidate {
        /// Share of training cells.
        train_size: f64,
    },
    /// The loss left the finite numbers.
    #[error(
        "the loss is not finite in epoch {epoch} (reconstruction {reconstruction_loss}, KL {kl_local})"
    )]
    NotFinite {
        /// The epoch, from 0.
        epoch: usize,
        /// Its reconstruction loss.
        reconstruction_loss: f64,
        /// Its divergence.
        kl_local: f64,
    },
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
    plan.validate()?;
    data.check_fits(&spec)?;
    let split = Split::new(data.n_cells(), plan.train_size, plan.validation_size, plan.seed)?;
    if plan.early_stopping.is_some() && split.validation.is_empty() {
        return Err(TrainError::NothingToValidate { train_size: plan.train_size });
    }
    let vae = Vae::new(Cpu::new(), spec, plan.seed);
    let max_cells = largest_minibatch(data.n_cells(), plan.batch_size);
    let ws = vae.workspace(max_cells, data.max_nnz(max_cells), true);
    let next = vae.inputs(max_cells, data.max_nnz(max_cells));
    let order = split.train.clone();
    let mut run = Run { vae, ws, next, batch: Minibatch::default(), order, data, plan, step: 0 };
    let mut history = History::default();
    let mut watch = plan.early_stopping.map(Watch::new);
    let mut stop = Stop::MaxEpochs;
    for epoch in 0..plan.epochs(data.n_cells()) {
        let record = run.epoch(epoch, &split)?;
        history.epochs.push(record);
        if observer(&record).is_break() {
            stop = Stop::Interrupted;
            break;
        }
        if let (Some(watch), Some(validation)) = (&mut watch, record.validation)
            && watch.is_over(validation.elbo)
        {
            stop = Stop::EarlyStopping;
            break;
        }
    }
    Ok(Trained { vae: run.vae, history, split, stop })
}

/// A run under way.
struct Run<'a> {
    vae: Vae<Cpu<f32>>,
    ws: Workspace<Cpu<f32>>,
    /// the minibatch after the one at hand
    next: Inputs<Cpu<f32>>,
    /// host memory that minibatches pass through
    batch: Minibatch,
    /// training cells in this epoch's order
    order: Vec<u32>,
    data: &'a Dataset<'a>,
    plan: &'a TrainPlan,
    step: u64,
}

/// Sums over cells.
#[derive(Default)]
struct Sums {
    reconstruction: f64,
    kl: f64,
    loss: f64,
}

impl Run<'_> {
    fn epoch(&mut self, epoch: usize, split: &Split) -> Result<EpochRecord, TrainError> {
        self.order.copy_from_slice(&split.train);
        Philox::new(self.plan.seed).shuffle(Stream::Shuffle, epoch as u32, &mut self.order);
        let mut sums = Sums::default();
        let mut kl_weight;
        let mut ranges = minibatches(self.order.len(), self.plan.batch_size);
        self.load_next(ranges.next())?;
        loop {
            self.ws.swap_inputs(&mut self.next);
            let following = ranges.next();
            kl_weight = self.plan.kl_weight(epoch, self.step);
            self.step += 1;
            self.step_and_load(epoch, kl_weight, following.clone())?;
            self.add_to(&mut sums, kl_weight);
            if following.is_none() {
                break;
            }
        }
        let train = terms(&sums, self.order.len(), epoch)?;
        let wanted = self.plan.validates(epoch) && !split.validation.is_empty();
        let validation = match wanted {
            true => Some(self.validate(epoch, &split.validation, kl_weight)?),
            false => None,
        };
        Ok(EpochRecord { epoch, kl_weight, train, validation })
    }

    /// One step, while another thread prepares the minibatch after it.
    fn step_and_load(
        &mut self,
        epoch: usize,
        kl_weight: f64,
        following: Option<Range<usize>>,
    ) -> Result<(), TrainError> {
        let noise = self.noise(epoch);
        let adam = self.plan.adam.at_step(self.step);
        let Self { vae, ws, next, batch, order, data, .. } = self;
        let backend = *vae.backend();
        let load = || load(&backend, data, order, following, batch, next);
        let step = || vae.train_step(ws, noise, kl_weight, adam);
        rayon::join(step, load).1
    }

    fn load_next(&mut self, range: Option<Range<usize>>) -> Result<(), TrainError> {
        let Self { vae, next, batch, order, data, .. } = self;
        load(vae.backend(), data, order, range, batch, next)
    }

    /// A cell's noise depends on the epoch: training visits it once an epoch, or validation does.
    fn noise(&self, epoch: usize) -> Noise<'static, f32> {
        Noise::Seeded { seed: self.plan.seed, draw: epoch as u32 }
    }

    fn validate(
        &mut self,
        epoch: usize,
        cells: &[u32],
        kl_weight: f64,
    ) -> Result<LossTerms, TrainError> {
        let mut sums = Sums::default();
        for range in minibatches(cells.len(), self.plan.batch_size) {
            self.data.fill(&cells[range], &mut self.batch)?;
            self.ws.load(self.vae.backend(), &self.batch);
            let noise = self.noise(epoch);
            self.vae.inference(&mut self.ws, Some(noise));
            self.vae.generative(&mut self.ws, None);
            self.add_to(&mut sums, kl_weight);
        }
        terms(&sums, cells.len(), epoch)
    }

    fn add_to(&self, sums: &mut Sums, kl_weight: f64) {
        let terms = self.ws.loss_sums(self.vae.backend());
        sums.reconstruction += terms.reconstruction_loss;
        sums.kl += terms.kl_local();
        sums.loss += terms.loss(kl_weight);
    }
}

/// Reads the cells at `range` of the order, and loads them.
fn load(
    backend: &Cpu<f32>,
    data: &Dataset,
    order: &[u32],
    range: Option<Range<usize>>,
    batch: &mut Minibatch,
    inputs: &mut Inputs<Cpu<f32>>,
) -> Result<(), TrainError> {
    if let Some(range) = range {
        data.fill(&order[range], batch)?;
        inputs.load(backend, batch);
    }
    Ok(())
}

fn terms(sums: &Sums, n: usize, epoch: usize) -> Result<LossTerms, TrainError> {
    let terms = LossTerms::from_sums(sums.reconstruction, sums.kl, sums.loss, n);
    if !terms.elbo.is_finite() {
        return Err(TrainError::NotFinite {
            epoch,
            reconstruction_loss: terms.reconstruction_loss,
            kl_local: terms.kl_local,
        });
    }
    Ok(terms)
}
