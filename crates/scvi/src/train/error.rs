//! What may go wrong with a training run.

use std::io;

use thiserror::Error;

use super::divergence::Divergence;
use super::plan_error::PlanError;
use crate::data::{Misfit, SplitError};
use crate::module::MinifiedError;
use crate::nn::StateError;

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
    /// An option goes by validation cells, and none are validated on.
    #[error("{option} goes by {metric}, which needs validation cells, and none are validated on")]
    NothingToValidate {
        /// The option: `early_stopping`, `reduce_lr_on_plateau`.
        option: &'static str,
        /// What it goes by.
        metric: &'static str,
    },
    /// With `drop_last` nothing is left to train on.
    #[error("drop_last leaves no minibatch of {batch_size}: there are {train} cells to train on")]
    NoFullMinibatch {
        /// Cells of a minibatch.
        batch_size: usize,
        /// Training cells.
        train: usize,
    },
    /// Batch normalisation needs two cells.
    #[error("1 cell with a label to train on; at least 2 are needed, or none")]
    OneLabelledCell,
    /// An option of classifiers.
    #[error("{option} needs a model that learns labels, and this one does not")]
    NothingToClassify {
        /// The option.
        option: &'static str,
    },
    /// A step of this model goes by all cells of a minibatch at once.
    #[error(
        "{size} workers cannot share the training of this model: SCANVI, batch-normalised linear \
         decoders, and embeddings with max_norm or scale_grad_by_freq are trained by one worker"
    )]
    OneWorker {
        /// Workers there are.
        size: usize,
    },
    /// The model's data is minified, and has no counts.
    #[error(transparent)]
    Minified(#[from] MinifiedError),
    /// The numbers left the finite ones.
    #[error(transparent)]
    Diverged(#[from] Box<Divergence>),
    /// A checkpoint is not this run's.
    #[error(transparent)]
    Resume(#[from] ResumeError),
}

/// A checkpoint that a run cannot go on from.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ResumeError {
    /// It was written by a run of another model, with another plan, or on other data.
    #[error("the checkpoint was written with another {what}")]
    OtherRun {
        /// What differs: `configuration`, `plan`, `data`.
        what: &'static str,
    },
    /// How far it says to be is not a place in this run.
    #[error("the checkpoint contradicts itself: {problem}")]
    Progress {
        /// What does not fit.
        problem: String,
    },
    /// Its tensors do not fit the model.
    #[error("the checkpoint does not fit the model: {0}")]
    State(#[from] StateError),
}
