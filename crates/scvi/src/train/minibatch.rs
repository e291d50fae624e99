//! One step of a run: the optimizer's, or a look at validation cells.

use scvi_kernels::ops::adam::AdamRule;
use scvi_kernels::ops::attended;

use super::error::TrainError;
use super::history::{EpochSums, MinibatchRecord};
use super::loader::Loader;
use super::run::{Shown, TrainingRun};
use super::trainable::{Step, Trainable};
use crate::data::Dataset;
use crate::module::{Loss, Minibatch, Noise, OptimizerStep};

impl<'a, M: Trainable> TrainingRun<'a, M> {
    /// Weight of the KL in the step before this moment, or in the first.
    pub(super) fn kl_weight(&self) -> f64 {
        self.plan.kl_weight(self.at.epoch, self.at.step.saturating_sub(1))
    }

    /// The learning rate.
    pub(super) fn lr(&self) -> f64 {
        self.at.plateau.lr.unwrap_or(self.plan.adam.lr)
    }

    /// What the step before this moment, or the first, goes by. A cell's noise depends on the epoch:
    /// training visits it once an epoch, or validation does.
    pub(super) fn step(&self) -> Step<'a> {
        let plan = self.plan;
        let rule = AdamRule { lr: self.lr(), ..plan.adam };
        Step {
            plan,
            noise: Noise::Seeded { seed: plan.seed, draw: self.at.epoch as u32 },
            number: self.at.step,
            kl_weight: self.kl_weight(),
            optimizer: OptimizerStep {
                adam: plan.optimizer.at_step(&rule, self.at.step.max(1)),
                clip: plan.gradient_clip(),
            },
        }
    }

    /// One step, while another thread prepares the minibatches after it.
    pub(super) fn train_minibatch(&mut self) -> Result<(), TrainError> {
        self.load_first()?;
        M::swap_inputs(&mut self.ws, &mut self.next);
        self.shown = Shown::Train(self.at.minibatch);
        let following = Some(self.at.minibatch + 1).filter(|&step| step < self.n_train());
        self.next_is_loaded = following.is_some();
        self.at.step += 1;
        let step = self.step();
        let Self { module, ws, next, batches, train, data, .. } = self;
        let backend = module.backend().clone();
        let load = || -> Result<(), TrainError> {
            let Some(following) = following else { return Ok(()) };
            read(data, train, following, batches)?;
            M::load(&backend, batches, next, Some(&step));
            Ok(())
        };
        attended(|| module.train_step(ws, &step), load).1?;
        let loss = self.module.loss(&self.ws, &step);
        self.at.train.add(&loss);
        self.see(&loss, &step, false)
    }

    /// Loads the minibatches at hand where no step before has: at the beginning of an epoch, and of
    /// a resumed run.
    fn load_first(&mut self) -> Result<(), TrainError> {
        if self.next_is_loaded {
            return Ok(());
        }
        self.train.begin(self.at.epoch as u32);
        self.validation.begin(self.at.epoch as u32);
        let train = (self.at.minibatch..self.n_train()).flat_map(|step| self.train.step(step));
        let validation = (0..self.n_validation()).flat_map(|step| self.validation.step(step));
        self.data.expect(train.chain(validation).flatten().copied());
        let Self { module, next, batches, train, data, at, .. } = self;
        read(data, train, at.minibatch, batches)?;
        M::load(module.backend(), batches, next, None);
        Ok(())
    }

    pub(super) fn validate_minibatch(&mut self, k: usize) -> Result<(), TrainError> {
        self.validation.begin(self.at.epoch as u32);
        read(self.data, &self.validation, k, &mut self.batches)?;
        M::load(self.module.backend(), &self.batches, &mut self.next, None);
        M::swap_inputs(&mut self.ws, &mut self.next);
        self.shown = Shown::Validation(k);
        let step = self.step();
        self.module.evaluate(&mut self.ws, &step);
        let loss = self.module.loss(&self.ws, &step);
        self.at.validation.add(&loss);
        self.see(&loss, &step, true)
    }

    /// Puts the minibatches in the workspace on record, and looks whether their loss is finite.
    fn see(&mut self, loss: &Loss, step: &Step, is_validation: bool) -> Result<(), TrainError> {
        self.last = Some(MinibatchRecord {
            epoch: self.at.epoch,
            step: self.at.step,
            is_validation,
            n_cells: loss.n_cells,
            kl_weight: step.kl_weight,
            lr: self.lr(),
            terms: EpochSums::of(loss).mean(),
        });
        self.check_loss(loss)
    }
}

/// Reads the minibatches of a step.
fn read(
    data: &Dataset,
    loader: &Loader,
    step: usize,
    batches: &mut [Minibatch],
) -> Result<(), TrainError> {
    for (cells, batch) in loader.step(step).zip(batches) {
        data.fill(cells, batch)?;
    }
    Ok(())
}
