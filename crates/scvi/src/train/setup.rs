//! How a run begins: with a new model, one that is there already, or a checkpoint.

use std::ops::Range;

use scvi_kernels::Cpu;

use super::batch_limit::BatchLimit;
use super::checkpoint::{Checkpoint, Progress};
use super::error::{ResumeError, TrainError};
use super::plan::TrainPlan;
use super::run::{Shown, TrainingRun};
use super::steps::Steps;
use crate::data::{Dataset, Misfit, Split, full_minibatches, largest_minibatch, minibatches};
use crate::module::{Choice, Minibatch, Vae, VaeSpec};

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

    /// Goes on with a model that is there already, trained or not: its optimiser is new, and so are
    /// the epochs, from which the KL's warm-up counts.
    ///
    /// # Errors
    /// As [`TrainingRun::new`].
    pub fn of_model(
        mut vae: Vae<Cpu<f32>>,
        data: &'a Dataset<'a>,
        plan: &'a TrainPlan,
    ) -> Result<Self, TrainError> {
        let split = check(vae.spec(), data, plan)?;
        vae.require_counts("training")?;
        if plan.update_only_decoder && vae.minified_data_type().is_some() && !data.has_posterior() {
            return Err(Misfit::Missing { what: "stored posteriors" }.into());
        }
        vae.forget_moments();
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
        let validation_ranges = validation_ranges(&split, plan);
        // With a limit the first of the split, which chance drew, and not the first of the file.
        let n_validation = validation_ranges.last().map_or(0, |range| range.end);
        let mut validation = split.validation[..n_validation].to_vec();
        validation.sort_unstable();
        let train_ranges = train_ranges(&split, plan);
        let steps = Steps { per_epoch: train_ranges.len(), max_steps: plan.max_steps };
        let mut at = Progress::default();
        at.history.optimizer = plan.optimizer;
        Self {
            vae,
            ws,
            next,
            next_is_loaded: false,
            batch: Minibatch::default(),
            order: Vec::with_capacity(split.train.len()),
            validation,
            data,
            plan,
            train_ranges,
            validation_ranges,
            split,
            epochs: plan.epochs(data.n_cells()),
            steps,
            at,
            shown: Shown::None,
            last: None,
            watches_closely: false,
        }
    }

    /// Goes on from a checkpoint.
    ///
    /// # Errors
    /// As [`TrainingRun::new`]; [`ResumeError`] where the checkpoint is of another run, or
    /// contradicts itself.
    pub fn resume(
        spec: VaeSpec,
        data: &'a Dataset<'a>,
        plan: &'a TrainPlan,
        checkpoint: Checkpoint,
    ) -> Result<Self, TrainError> {
        Self::new(spec, data, plan)?.at(checkpoint)
    }

    /// Goes on from a checkpoint of a run that began with a model: `vae` is made once more as it was
    /// then, and has what a checkpoint does not hold, such as which weights are frozen
    /// ([`crate::model::query::load_query_data`]).
    ///
    /// # Errors
    /// As [`TrainingRun::of_model`] and [`TrainingRun::resume`].
    pub fn resume_of_model(
        vae: Vae<Cpu<f32>>,
        data: &'a Dataset<'a>,
        plan: &'a TrainPlan,
        checkpoint: Checkpoint,
    ) -> Result<Self, TrainError> {
        Self::of_model(vae, data, plan)?.at(checkpoint)
    }

    /// The run where a checkpoint of it was made.
    fn at(mut self, checkpoint: Checkpoint) -> Result<Self, TrainError> {
        let Checkpoint { run: then, progress, weights, moments } = checkpoint;
        then.check_same(&self.description(&self.data.fingerprint()?))?;
        progress.check(self.epochs, self.steps, self.validation_ranges.len())?;
        self.vae.load_state_dict(weights).map_err(ResumeError::State)?;
        self.vae.load_moments(moments).map_err(ResumeError::State)?;
        self.at = progress;
        Ok(self)
    }
}

/// Whether plan, model and data go together; the split they come to.
fn check(spec: &VaeSpec, data: &Dataset, plan: &TrainPlan) -> Result<Split, TrainError> {
    plan.validate()?;
    data.check_fits(spec)?;
    let split = plan.split(data.n_cells())?;
    let (train, validation) = (all_train_ranges(&split, plan), all_validation_ranges(&split, plan));
    if train.is_empty() {
        let (batch_size, train) = (plan.batch_size, split.train.len());
        return Err(TrainError::NoFullMinibatch { batch_size, train });
    }
    for (option, limit, n) in [
        ("limit_train_batches", plan.limit_train_batches, train.len()),
        ("limit_val_batches", plan.limit_val_batches, validation.len()),
    ] {
        limit.map_or(Ok(()), |limit| limit.check_leaves_one(option, n))?;
    }
    let mut metrics = plan.metrics().filter(|(_, metric)| metric.needs_validation());
    match metrics.next() {
        Some((option, metric)) if validation_ranges(&split, plan).is_empty() => {
            Err(TrainError::NothingToValidate { option, metric: metric.name() })
        }
        _ => Ok(split),
    }
}

/// Minibatches to train on in one epoch, as places in its order.
pub(super) fn train_ranges(split: &Split, plan: &TrainPlan) -> Vec<Range<usize>> {
    limited(all_train_ranges(split, plan), plan.limit_train_batches)
}

/// Minibatches to validate on, as places among the validation cells.
fn validation_ranges(split: &Split, plan: &TrainPlan) -> Vec<Range<usize>> {
    limited(all_validation_ranges(split, plan), plan.limit_val_batches)
}

fn all_train_ranges(split: &Split, plan: &TrainPlan) -> Vec<Range<usize>> {
    let (n, batch_size) = (split.train.len(), plan.batch_size);
    match plan.drop_last {
        true => full_minibatches(n, batch_size).collect(),
        false => minibatches(n, batch_size).collect(),
    }
}

fn all_validation_ranges(split: &Split, plan: &TrainPlan) -> Vec<Range<usize>> {
    minibatches(split.validation.len(), plan.batch_size).collect()
}

fn limited(mut ranges: Vec<Range<usize>>, limit: Option<BatchLimit>) -> Vec<Range<usize>> {
    let kept = limit.map_or(ranges.len(), |limit| limit.of(ranges.len()));
    ranges.truncate(kept);
    ranges
}
