//! What a run knows of the module that it trains.

use std::sync::Arc;

use scvi_kernels::Backend;

use super::error::TrainError;
use super::loader::Samplers;
use super::plan::TrainPlan;
use crate::comm::Comm;
use crate::data::{Dataset, Split, SplitError};
use crate::module::{Loss, Minibatch, Noise, OptimizerStep};
use crate::nn::{NotFinite, Slot, StateDict, StateError};

/// A module that a [`super::TrainingRun`] trains: the run has the loop over epochs and minibatches,
/// the optimizer's schedule, history, early stopping, checkpoints and the guard against numbers
/// that are not finite, and knows of the module only this.
///
/// A step reads one minibatch of each of the module's samplers. All numbers that a step computes
/// stay on the device; the run reads the loss once, after the step.
///
/// [`crate::module::Vae`] is one.
pub trait Trainable: Sized + Send + Sync {
    /// The device.
    type Backend: Backend<Elem = f32> + Clone;
    /// What the module is made from: a checkpoint holds it, and is resumed with an equal one only.
    type Config: Clone + PartialEq;
    /// Buffers of a step, with the minibatches at hand.
    type Workspace: Send;
    /// The minibatches of another step, which are loaded while a step runs.
    type Inputs: Send;

    /// The device it lives on.
    fn backend(&self) -> &Self::Backend;

    /// What it was made from.
    fn config(&self) -> &Self::Config;

    /// Whether it can be trained on these data by this plan, which is legal in itself.
    ///
    /// # Errors
    /// What does not go together.
    fn check(&self, data: &Dataset, plan: &TrainPlan) -> Result<(), TrainError>;

    /// Which cells are trained and validated on.
    ///
    /// # Errors
    /// [`SplitError`] where the plan makes no split of these data.
    fn split(&self, data: &Dataset, plan: &TrainPlan) -> Result<Split, SplitError> {
        plan.split(data.n_cells())
    }

    /// Which cells each epoch reads, and in which order.
    fn samplers(&self, _data: &Dataset, plan: &TrainPlan, split: &Split) -> Samplers {
        Samplers::of_split(split, plan)
    }

    /// Whether several workers can share its training. All that they compute together is then the
    /// same on each: the module after a step, and the loss.
    fn takes_workers(&self) -> bool {
        false
    }

    /// Buffers for a worker's share of steps on minibatches of at most these sizes, one of each
    /// sampler.
    fn workspace(&self, sizes: &[MinibatchSize], comm: &Arc<dyn Comm>) -> Self::Workspace;

    /// Buffers for only the minibatches of a step.
    fn inputs(&self, sizes: &[MinibatchSize], comm: &Arc<dyn Comm>) -> Self::Inputs;

    /// Loads the minibatches of a step, one of each sampler; where `ahead` is given another step is
    /// running, and the noise of this one may be drawn already.
    fn load(
        backend: &Self::Backend,
        minibatches: &[Minibatch],
        inputs: &mut Self::Inputs,
        ahead: Option<&Step>,
    );

    /// Makes loaded minibatches those at hand, and gives back the others.
    fn swap_inputs(workspace: &mut Self::Workspace, inputs: &mut Self::Inputs);

    /// One optimizer step on the minibatches at hand: forward in training mode, gradients, update.
    fn train_step(&mut self, workspace: &mut Self::Workspace, step: &Step);

    /// Evaluates the loss of the minibatches at hand: forward in evaluation mode.
    fn evaluate(&self, workspace: &mut Self::Workspace, step: &Step);

    /// The loss of the minibatches at hand, after a step or an evaluation.
    fn loss(&self, workspace: &Self::Workspace, step: &Step) -> Loss;

    /// The loss of each cell of the minibatches at hand, in their order: where the loss is not
    /// finite it says which cells are to blame.
    fn cell_losses(&self, workspace: &Self::Workspace) -> Vec<f64>;

    /// One slot of every tensor that has it, by name.
    fn state(&self, slot: Slot) -> StateDict<f32>;

    /// Replaces one slot of every tensor that has it.
    ///
    /// # Errors
    /// [`StateError`] where the tensors are not the module's.
    fn load_state(&mut self, slot: Slot, state: StateDict<f32>) -> Result<(), StateError>;

    /// The first number among these slots that is NaN or infinite.
    fn first_not_finite(&self, slots: &[Slot]) -> Option<NotFinite>;

    /// Makes the optimizer new.
    fn reset_optimizer(&mut self);
}

/// How large the minibatches of a sampler get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MinibatchSize {
    /// Cells.
    pub cells: usize,
    /// Counts other than 0.
    pub nnz: usize,
}

/// What a step, or an evaluation, goes by.
#[derive(Debug, Clone)]
pub struct Step<'a> {
    /// How the module is trained.
    pub plan: &'a TrainPlan,
    /// Where noise comes from: a cell's depends on the epoch.
    pub noise: Noise<'static, f32>,
    /// Its number in the run, from 1; of an evaluation, that of the step before.
    pub number: u64,
    /// Weight of the KL.
    pub kl_weight: f64,
    /// The optimizer; not used by an evaluation.
    pub optimizer: OptimizerStep<f32>,
}
