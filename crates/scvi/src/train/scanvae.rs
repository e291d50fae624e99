//! How a [`Scanvae`] is trained (scvi-tools' `SemiSupervisedTrainingPlan`).

use std::sync::Arc;

use scvi_kernels::Backend;

use super::error::TrainError;
use super::label_sampler::LabelSampler;
use super::loader::{Samplers, validation_sampler};
use super::plan::TrainPlan;
use super::sampler::SequentialSampler;
use super::trainable::{MinibatchSize, Step, Trainable};
use crate::comm::Comm;
use crate::data::{Dataset, Misfit, Split, SplitError};
use crate::module::{
    Loss, Minibatch, Noise, Scanvae, ScanvaeConfig, ScanvaeInputs, ScanvaeNoise, ScanvaeWorkspace,
};
use crate::nn::{NotFinite, Slot, StateDict, StateError};

impl<B: Backend<Elem = f32> + Clone> Scanvae<B> {
    /// Label of each cell; `n_labels` of those that have none.
    fn labels<'a>(&self, data: &'a Dataset) -> &'a [u32] {
        data.labels().expect("labels were checked")
    }

    fn is_labelled(&self, label: u32) -> bool {
        (label as usize) < self.spec().n_labels()
    }
}

impl<B: Backend<Elem = f32> + Clone> Trainable for Scanvae<B> {
    type Backend = B;
    type Config = ScanvaeConfig;
    type Workspace = ScanvaeWorkspace<B>;
    type Inputs = ScanvaeInputs<B>;

    fn backend(&self) -> &B {
        self.backend()
    }

    fn config(&self) -> &ScanvaeConfig {
        self.spec().config()
    }

    fn check(&self, data: &Dataset, plan: &TrainPlan) -> Result<(), TrainError> {
        data.check_fits(self.vae().spec())?;
        self.vae().require_counts("training")?;
        let labels = data.labels().ok_or(Misfit::Missing { what: "labels" })?;
        let codes = labels.iter().max().map_or(0, |&code| code as usize + 1);
        if codes > self.spec().n_labels() + 1 {
            let what = "labels, that of unlabelled cells among them";
            let model = self.spec().n_labels() + 1;
            return Err(Misfit::Number { what, model, data: codes }.into());
        }
        let split = self.split(data, plan)?;
        match split.train.iter().filter(|&&c| self.is_labelled(labels[c as usize])).count() {
            1 => Err(TrainError::OneLabelledCell),
            _ => Ok(()),
        }
    }

    /// Labelled and other cells are split each, so that both have their share of every part.
    fn split(&self, data: &Dataset, plan: &TrainPlan) -> Result<Split, SplitError> {
        if plan.external_indexing.is_some() {
            return plan.split(data.n_cells());
        }
        let cells = 0..data.n_cells() as u32;
        let labels = self.labels(data);
        let groups: (Vec<u32>, Vec<u32>) =
            cells.partition(|&cell| self.is_labelled(labels[cell as usize]));
        let seed = plan.shuffle_set_split.then_some(plan.seed);
        Split::by_group(&[groups.0, groups.1], plan.train_size, plan.validation_size, seed)
    }

    /// All cells, and beside them those that have a label.
    fn samplers(&self, data: &Dataset, plan: &TrainPlan, split: &Split) -> Samplers {
        let labels = self.labels(data);
        let mut samplers = Samplers::of_split(split, plan);
        samplers.train.push(Box::new(LabelSampler::new(
            &split.train,
            labels,
            self.spec().n_labels(),
            plan.n_samples_per_label,
            (plan.shuffling, plan.seed),
        )));
        let SequentialSampler { mut cells } = validation_sampler(&split.validation, plan);
        cells.retain(|&cell| self.is_labelled(labels[cell as usize]));
        samplers.validation.push(Box::new(SequentialSampler { cells }));
        samplers
    }

    fn workspace(&self, sizes: &[MinibatchSize], _: &Arc<dyn Comm>) -> ScanvaeWorkspace<B> {
        let [full, labelled] = two(sizes).map(size);
        self.workspace(full, labelled)
    }

    fn inputs(&self, sizes: &[MinibatchSize], _: &Arc<dyn Comm>) -> ScanvaeInputs<B> {
        let [full, labelled] = two(sizes).map(size);
        self.inputs(full, labelled)
    }

    fn load(
        backend: &B,
        minibatches: &[Minibatch],
        inputs: &mut ScanvaeInputs<B>,
        ahead: Option<&Step>,
    ) {
        let [full, labelled] = minibatches.first_chunk().expect("two samplers");
        inputs.load(backend, full, labelled);
        if let Some(step) = ahead {
            inputs.draw_ahead(backend, step.noise);
        }
    }

    fn swap_inputs(workspace: &mut ScanvaeWorkspace<B>, inputs: &mut ScanvaeInputs<B>) {
        workspace.swap_inputs(inputs);
    }

    fn train_step(&mut self, workspace: &mut ScanvaeWorkspace<B>, step: &Step) {
        let ratio = step.plan.classification_ratio;
        self.train_step(workspace, noise(step), step.kl_weight, ratio, step.optimizer);
    }

    fn evaluate(&self, workspace: &mut ScanvaeWorkspace<B>, step: &Step) {
        self.evaluate(workspace, Some(noise(step)));
    }

    fn loss(&self, workspace: &ScanvaeWorkspace<B>, step: &Step) -> Loss {
        self.loss(workspace, step.kl_weight, step.plan.classification_ratio)
    }

    fn cell_losses(&self, workspace: &ScanvaeWorkspace<B>) -> Vec<f64> {
        self.cell_outputs(workspace).losses()
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

/// The noise of a step. A labelled cell may come several times an epoch, and has other noise each
/// time.
fn noise(step: &Step) -> ScanvaeNoise<'static, f32> {
    match step.noise {
        Noise::Seeded { seed, draw } => {
            ScanvaeNoise::Seeded { seed, draw, labelled_draw: step.number as u32 }
        }
        Noise::Given(_) => unreachable!("a run draws its noise"),
    }
}

fn size(&MinibatchSize { cells, nnz }: &MinibatchSize) -> [usize; 2] {
    [cells, nnz]
}

/// Of the two samplers.
fn two<T>(of_samplers: &[T]) -> [&T; 2] {
    let [full, labelled] = of_samplers.first_chunk().expect("two samplers");
    [full, labelled]
}
