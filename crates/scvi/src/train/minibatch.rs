//! One minibatch of a run: a step, or a look at validation cells.

use scvi_kernels::Cpu;
use scvi_kernels::ops::adam::AdamRule;
use scvi_kernels::ops::attended;

use super::error::TrainError;
use super::history::{EpochSums, MinibatchRecord};
use super::run::{Shown, TrainingRun};
use crate::data::Dataset;
use crate::module::{Inputs, LossSums, Minibatch, Noise, OptimizerStep};

impl TrainingRun<'_> {
    /// Weight of the KL in the step before this moment, or in the first.
    pub(super) fn kl_weight(&self) -> f64 {
        self.plan.kl_weight(self.at.epoch, self.at.step.saturating_sub(1))
    }

    /// The step length.
    pub(super) fn lr(&self) -> f64 {
        self.at.plateau.lr.unwrap_or(self.plan.adam.lr)
    }

    /// Whether z comes from stored posteriors, and the encoder is not run.
    fn uses_stored(&self) -> bool {
        self.plan.update_only_decoder && self.vae.minified_data_type().is_some()
    }

    /// One step, while another thread prepares the minibatch after it.
    pub(super) fn train_minibatch(&mut self) -> Result<(), TrainError> {
        self.load_first()?;
        self.ws.swap_inputs(&mut self.next);
        self.shown = Shown::Train(self.at.minibatch);
        let following = self.train_ranges[..self.n_train()].get(self.at.minibatch + 1).cloned();
        self.next_is_loaded = following.is_some();
        self.at.step += 1;
        let (kl_weight, noise) = (self.kl_weight(), self.noise());
        let rule = AdamRule { lr: self.lr(), ..self.plan.adam };
        let adam = self.plan.optimizer.at_step(&rule, self.at.step);
        let optimizer = OptimizerStep { adam, clip: self.plan.gradient_clip() };
        let encodes = !self.uses_stored();
        let Self { vae, ws, next, batch, order, data, .. } = self;
        let backend = *vae.backend();
        let load = || -> Result<(), TrainError> {
            let Some(range) = following else { return Ok(()) };
            load(&backend, data, &order[range], batch, next)?;
            if encodes {
                next.draw_ahead(&backend, noise);
            }
            Ok(())
        };
        let step = || match encodes {
            true => vae.train_step(ws, noise, kl_weight, optimizer),
            false => vae.train_decoder_step(ws, noise, optimizer),
        };
        attended(step, load).1?;
        let terms = self.ws.loss_sums(self.vae.backend());
        self.at.train.add(terms, kl_weight);
        self.see(terms, kl_weight, false)
    }

    /// Loads the minibatch at hand where no step before it has: at the beginning of an epoch, and
    /// of a resumed run.
    fn load_first(&mut self) -> Result<(), TrainError> {
        if self.next_is_loaded {
            return Ok(());
        }
        self.order.clear();
        self.order.extend_from_slice(&self.split.train);
        self.plan.shuffling.shuffle(self.plan.seed, self.at.epoch as u32, &mut self.order);
        let ranges = &self.train_ranges[self.at.minibatch..self.n_train()];
        let range = ranges[0].clone();
        let end = ranges[ranges.len() - 1].end;
        let validation = if self.n_validation() > 0 { &self.validation[..] } else { &[] };
        self.data.expect(self.order[range.start..end].iter().chain(validation).copied());
        let Self { vae, next, batch, order, data, .. } = self;
        load(vae.backend(), data, &order[range], batch, next)
    }

    pub(super) fn validate_minibatch(&mut self, k: usize) -> Result<(), TrainError> {
        let cells = &self.validation[self.validation_ranges[k].clone()];
        self.data.fill(cells, &mut self.batch)?;
        self.ws.load(self.vae.backend(), &self.batch);
        self.shown = Shown::Validation(k);
        let noise = self.noise();
        match self.uses_stored() {
            false => self.vae.inference(&mut self.ws, Some(noise)),
            true => self.vae.cached_inference(&mut self.ws, Some(noise)),
        }
        self.vae.generative(&mut self.ws, None);
        let terms = self.ws.loss_sums(self.vae.backend());
        let kl_weight = self.kl_weight();
        self.at.validation.add(terms, kl_weight);
        self.see(terms, kl_weight, true)
    }

    /// A cell's noise depends on the epoch: training visits it once an epoch, or validation does.
    fn noise(&self) -> Noise<'static, f32> {
        Noise::Seeded { seed: self.plan.seed, draw: self.at.epoch as u32 }
    }

    /// Puts the minibatch in the workspace on record, and looks whether its loss is finite.
    fn see(
        &mut self,
        terms: LossSums,
        kl_weight: f64,
        is_validation: bool,
    ) -> Result<(), TrainError> {
        let n_cells = self.ws.n_cells();
        self.last = Some(MinibatchRecord {
            epoch: self.at.epoch,
            step: self.at.step,
            is_validation,
            n_cells,
            kl_weight,
            lr: self.lr(),
            terms: EpochSums::of(terms, kl_weight).mean(n_cells),
        });
        self.check_loss(terms)
    }
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
