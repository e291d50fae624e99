//! How a [`Vae`] is trained (scvi-tools' `TrainingPlan`).

use scvi_kernels::Backend;

use super::error::TrainError;
use super::plan::TrainPlan;
use super::trainable::{MinibatchSize, Step, Trainable};
use crate::data::{Dataset, Misfit};
use crate::module::{Inputs, Loss, Minibatch, Vae, VaeConfig, Workspace};
use crate::nn::{NotFinite, Slot, StateDict, StateError};

impl<B: Backend<Elem = f32> + Clone> Vae<B> {
    /// Whether z comes from stored posteriors, and the encoder is not run.
    fn uses_stored(&self, plan: &TrainPlan) -> bool {
        plan.update_only_decoder && self.minified_data_type().is_some()
    }
}

impl<B: Backend<Elem = f32> + Clone> Trainable for Vae<B> {
    type Backend = B;
    type Config = VaeConfig;
    type Workspace = Workspace<B>;
    type Inputs = Inputs<B>;

    fn backend(&self) -> &B {
        self.backend()
    }

    fn config(&self) -> &VaeConfig {
        self.spec().config()
    }

    fn check(&self, data: &Dataset, plan: &TrainPlan) -> Result<(), TrainError> {
        data.check_fits(self.spec())?;
        self.require_counts("training")?;
        if plan.n_samples_per_label.is_some() {
            return Err(TrainError::NothingToClassify { option: "n_samples_per_label" });
        }
        match self.uses_stored(plan) && !data.has_posterior() {
            true => Err(Misfit::Missing { what: "stored posteriors" }.into()),
            false => Ok(()),
        }
    }

    fn workspace(&self, sizes: &[MinibatchSize]) -> Workspace<B> {
        let [MinibatchSize { cells, nnz }] = one(sizes);
        self.workspace(*cells, *nnz, true)
    }

    fn inputs(&self, sizes: &[MinibatchSize]) -> Inputs<B> {
        let [MinibatchSize { cells, nnz }] = one(sizes);
        self.inputs(*cells, *nnz)
    }

    fn load(backend: &B, minibatches: &[Minibatch], inputs: &mut Inputs<B>, ahead: Option<&Step>) {
        let [minibatch] = one(minibatches);
        inputs.load(backend, minibatch);
        let encodes = |step: &&Step| !(step.plan.update_only_decoder && inputs.has_posterior());
        if let Some(step) = ahead.filter(encodes) {
            inputs.draw_ahead(backend, step.noise);
        }
    }

    fn swap_inputs(workspace: &mut Workspace<B>, inputs: &mut Inputs<B>) {
        workspace.swap_inputs(inputs);
    }

    fn train_step(&mut self, workspace: &mut Workspace<B>, step: &Step) {
        let Step { plan, noise, kl_weight, optimizer, .. } = step;
        match self.uses_stored(plan) {
            false => self.train_step(workspace, *noise, *kl_weight, *optimizer),
            true => self.train_decoder_step(workspace, *noise, *optimizer),
        }
    }

    fn evaluate(&self, workspace: &mut Workspace<B>, step: &Step) {
        match self.uses_stored(step.plan) {
            false => self.inference(workspace, Some(step.noise)),
            true => self.cached_inference(workspace, Some(step.noise)),
        }
        self.generative(workspace, None);
    }

    fn loss(&self, workspace: &Workspace<B>, step: &Step) -> Loss {
        workspace.loss(self.backend(), step.kl_weight)
    }

    fn cell_losses(&self, workspace: &Workspace<B>) -> Vec<f64> {
        workspace.cell_outputs(self.backend()).losses()
    }

    fn state(&self, slot: Slot) -> StateDict<f32> {
        self.state(slot)
    }

    fn load_state(&mut self, slot: Slot, state: StateDict<f32>) -> Result<(), StateError> {
        self.load_state(slot, state)
    }

    fn first_not_finite(&self, slots: &[Slot]) -> Option<NotFinite> {
        self.first_not_finite(slots)
    }

    fn reset_optimizer(&mut self) {
        self.reset_optimizer();
    }
}

/// Of the one sampler.
fn one<T>(of_samplers: &[T]) -> &[T; 1] {
    of_samplers.first_chunk().expect("one sampler")
}
