//! How a run begins: with a new model, one that is there already, or a checkpoint.

use std::sync::Arc;

use super::checkpoint::{Checkpoint, RunProgress};
use super::error::{ResumeError, TrainError};
use super::loader::Loader;
use super::plan::{TrainPlan, default_max_epochs};
use super::run::{Shown, TrainingRun};
use super::steps::Steps;
use super::trainable::{MinibatchSize, Trainable};
use crate::DefaultBackend;
use crate::comm::{Comm, Solo};
use crate::data::{Dataset, Split, largest_minibatch};
use crate::module::{Choice, Minibatch, Vae, VaeSpec};
use crate::nn::Slot;

impl<'a> TrainingRun<'a> {
    /// A new model on the default device, before its first step.
    ///
    /// # Errors
    /// [`TrainError`] where plan, model and data do not go together.
    pub fn new(
        spec: VaeSpec,
        data: &'a Dataset<'a>,
        plan: &'a TrainPlan,
    ) -> Result<Self, TrainError> {
        // Before a model is made: its size is what the specification says.
        plan.validate()?;
        data.check_fits(&spec)?;
        Self::of_model(Vae::new(DefaultBackend::new(), spec, plan.seed), data, plan)
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
}

impl<'a, M: Trainable> TrainingRun<'a, M> {
    /// Goes on with a module that is there already, trained or not: its optimizer is new, and so
    /// are the epochs, from which the KL's warm-up counts.
    ///
    /// # Errors
    /// [`TrainError`] where plan, module and data do not go together.
    pub fn of_model(
        module: M,
        data: &'a Dataset<'a>,
        plan: &'a TrainPlan,
    ) -> Result<Self, TrainError> {
        Self::of_worker(module, data, plan, Arc::new(Solo))
    }

    /// The same for one of the workers that share the training: each has the same module, data and
    /// plan, and comes to the same result.
    ///
    /// # Errors
    /// As [`TrainingRun::of_model`]; [`TrainError::OneWorker`] where there are several, and the
    /// module cannot be shared among them.
    pub fn of_worker(
        mut module: M,
        data: &'a Dataset<'a>,
        plan: &'a TrainPlan,
        comm: Arc<dyn Comm>,
    ) -> Result<Self, TrainError> {
        if comm.size() > 1 && !module.takes_workers() {
            return Err(TrainError::OneWorker { size: comm.size() });
        }
        plan.validate()?;
        module.check(data, plan)?;
        let split = module.split(data, plan)?;
        let samplers = module.samplers(data, plan, &split);
        let train = Loader::train(samplers.train, plan);
        let validation = Loader::validation(samplers.validation, plan);
        check(plan, &split, &validation)?;
        module.reset_optimizer();
        Ok(Self::assemble(module, data, plan, split, [train, validation], &comm))
    }

    fn assemble(
        module: M,
        data: &'a Dataset<'a>,
        plan: &'a TrainPlan,
        split: Split,
        [train, validation]: [Loader; 2],
        comm: &Arc<dyn Comm>,
    ) -> Self {
        let size = |(train, validation): (usize, usize)| {
            let cells = largest_minibatch(train.max(validation), plan.batch_size);
            MinibatchSize { cells, nnz: data.max_nnz(cells) }
        };
        let sizes: Vec<_> = train.n_cells().zip(validation.n_cells()).map(size).collect();
        let steps = Steps { per_epoch: train.len(), max_steps: plan.max_steps };
        let most = plan.max_epochs.unwrap_or_else(|| default_max_epochs(data.n_cells()));
        let mut at = RunProgress::default();
        at.history.optimizer = plan.optimizer;
        Self {
            ws: module.workspace(&sizes, comm),
            next: module.inputs(&sizes, comm),
            next_is_loaded: false,
            module,
            batches: vec![Minibatch::default(); sizes.len()],
            train,
            validation,
            data,
            plan,
            split,
            epochs: steps.epochs(most),
            steps,
            at,
            shown: Shown::None,
            last: None,
            watches_closely: false,
        }
    }

    /// Goes on from a checkpoint of a run that began with a module: `module` is made once more as
    /// it was then, and has what a checkpoint does not hold, such as which weights are frozen
    /// ([`crate::model::query::load_query_data`]).
    ///
    /// # Errors
    /// As [`TrainingRun::of_model`] and [`TrainingRun::resume`].
    pub fn resume_of_model(
        module: M,
        data: &'a Dataset<'a>,
        plan: &'a TrainPlan,
        checkpoint: Checkpoint<M::Config>,
    ) -> Result<Self, TrainError> {
        Self::of_model(module, data, plan)?.at(checkpoint)
    }

    /// The run where a checkpoint of it was made.
    fn at(mut self, checkpoint: Checkpoint<M::Config>) -> Result<Self, TrainError> {
        let Checkpoint { run: then, progress, weights, moments: [first, second] } = checkpoint;
        then.check_same(&self.description(&self.data.fingerprint()?))?;
        progress.check(self.epochs, self.steps, self.validation.len())?;
        for (slot, state) in Slot::SAVED.into_iter().zip([weights, first, second]) {
            self.module.load_state(slot, state).map_err(ResumeError::State)?;
        }
        self.at = progress;
        Ok(self)
    }
}

/// Whether the plan leaves something to train on, and to validate on where that is needed.
fn check(plan: &TrainPlan, split: &Split, validation: &Loader) -> Result<(), TrainError> {
    let train = plan.all_train_ranges(split.train.len()).len();
    let n_validation = plan.all_validation_ranges(split.validation.len()).len();
    if train == 0 {
        let (batch_size, train) = (plan.batch_size, split.train.len());
        return Err(TrainError::NoFullMinibatch { batch_size, train });
    }
    for (option, limit, n) in [
        ("limit_train_batches", plan.limit_train_batches, train),
        ("limit_val_batches", plan.limit_val_batches, n_validation),
    ] {
        limit.map_or(Ok(()), |limit| limit.check_leaves_one(option, n))?;
    }
    let mut metrics = plan.metrics().filter(|(_, metric)| metric.needs_validation());
    match metrics.next() {
        Some((option, metric)) if validation.len() == 0 => {
            Err(TrainError::NothingToValidate { option, metric: metric.name() })
        }
        _ => Ok(()),
    }
}
