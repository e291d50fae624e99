//! How a [`Vae`] is trained (scvi-tools' `TrainingPlan`).

use std::sync::Arc;

use scvi_kernels::Backend;

use super::error::TrainError;
use super::leaves::{Leaves, sum_of_leaves};
use super::plan::TrainPlan;
use super::trainable::{MinibatchSize, Step, Trainable};
use crate::comm::Comm;
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
    type Workspace = Leaves<Workspace<B>>;
    type Inputs = Leaves<Inputs<B>>;

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

    fn takes_workers(&self) -> bool {
        self.takes_leaves()
    }

    fn workspace(&self, sizes: &[MinibatchSize], comm: &Arc<dyn Comm>) -> Self::Workspace {
        let [size] = one(sizes);
        let leaf = |i, MinibatchSize { cells, nnz }| match i {
            0 => self.workspace(cells, nnz, true),
            _ => self.leaf_workspace(cells, nnz),
        };
        Leaves::new(*size, self.takes_leaves(), comm, leaf)
    }

    fn inputs(&self, sizes: &[MinibatchSize], comm: &Arc<dyn Comm>) -> Self::Inputs {
        let [size] = one(sizes);
        let leaf = |_, MinibatchSize { cells, nnz }| self.inputs(cells, nnz);
        Leaves::new(*size, self.takes_leaves(), comm, leaf)
    }

    fn load(
        backend: &B,
        minibatches: &[Minibatch],
        inputs: &mut Self::Inputs,
        ahead: Option<&Step>,
    ) {
        let [minibatch] = one(minibatches);
        inputs.load(minibatch, |inputs, minibatch| {
            inputs.load(backend, minibatch);
            let encodes = |step: &&Step| !(step.plan.update_only_decoder && inputs.has_posterior());
            if let Some(step) = ahead.filter(encodes) {
                inputs.draw_ahead(backend, step.noise);
            }
        });
    }

    fn swap_inputs(workspace: &mut Self::Workspace, inputs: &mut Self::Inputs) {
        workspace.swap_with(inputs, Workspace::swap_inputs);
    }

    fn train_step(&mut self, workspace: &mut Self::Workspace, step: &Step) {
        let Step { plan, noise, kl_weight, optimizer, .. } = step;
        let (leaves, share) = workspace.get_mut_and_share();
        match self.uses_stored(plan) {
            false => self.train_leaves(leaves, share, *noise, *kl_weight, *optimizer),
            true => self.train_decoder_leaves(leaves, share, *noise, *optimizer),
        }
    }

    fn evaluate(&self, workspace: &mut Self::Workspace, step: &Step) {
        let leaves = workspace.get_mut();
        for leaf in &mut *leaves {
            match self.uses_stored(step.plan) {
                false => self.inference(leaf, Some(step.noise)),
                true => self.cached_inference(leaf, Some(step.noise)),
            }
        }
        self.generative_leaves(leaves);
    }

    fn loss(&self, workspace: &Self::Workspace, step: &Step) -> Loss {
        let of = |leaf: &Workspace<B>| leaf.loss(self.backend(), step.kl_weight);
        let (leaves, share) = (workspace.get(), workspace.share());
        if share.is_single() {
            return of(&leaves[0]);
        }
        let mut of_leaves: Vec<Loss> = leaves.iter().map(of).collect();
        let own = of_leaves.iter().flat_map(|loss| &loss.terms);
        let own: Vec<f64> = own.map(|term| term.sum).collect();
        // A worker without a leaf asks only for the names of the terms.
        let mut loss = of_leaves.pop().unwrap_or_else(|| of(workspace.any()));
        loss.n_cells = share.n_cells();
        let n = loss.terms.len();
        let all = share.gather(&own, n);
        for (i, term) in loss.terms.iter_mut().enumerate() {
            term.sum = sum_of_leaves(all.iter().skip(i).step_by(n).copied());
        }
        loss
    }

    fn cell_losses(&self, workspace: &Self::Workspace) -> Vec<f64> {
        let leaves = workspace.get().iter();
        let own = leaves.flat_map(|leaf| leaf.cell_outputs(self.backend()).losses());
        workspace.gather_cells(&own.collect::<Vec<_>>())
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
