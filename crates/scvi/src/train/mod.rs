//! Training as scvi-tools does it: split, minibatches, KL warm-up, Adam, validation, early stopping.
//!
//! [`train`] runs from beginning to end; [`TrainingRun`] goes one minibatch at a time, and can be
//! taken down to a [`Checkpoint`] and up again after any of them.

mod batch_limit;
mod checkpoint;
mod divergence;
mod early_stopping;
mod error;
mod gradient_clip;
mod guard;
mod history;
mod label_sampler;
mod leaves;
mod loader;
mod metric;
mod minibatch;
mod optimizer;
mod outcome;
mod plan;
mod plan_error;
mod plateau;
mod run;
mod sampler;
mod scanvae;
mod setup;
mod steps;
mod trainable;
mod trainer;
mod vae;
mod validate;

pub use batch_limit::BatchLimit;
pub use checkpoint::{Checkpoint, RunDescription, RunProgress};
pub use divergence::{Divergence, LargestCount};
pub use early_stopping::{EarlyStopping, Mode, Watched};
pub use error::{ResumeError, TrainError};
pub use gradient_clip::GradientClipAlgorithm;
pub use history::{EpochRecord, EpochSums, History, LossTerms, MinibatchRecord};
pub use label_sampler::LabelSampler;
pub use leaves::Leaves;
pub use loader::{Samplers, validation_sampler};
pub use metric::Metric;
pub use optimizer::Optimizer;
pub use outcome::{Stop, Trained};
pub use plan::{TrainPlan, default_max_epochs, default_max_epochs_pretrained};
pub use plan_error::PlanError;
pub use plateau::{Plateau, ReduceLrOnPlateau};
pub use run::{Event, TrainingRun};
pub use sampler::{RandomSampler, Sampler, SequentialSampler};
pub use trainable::{MinibatchSize, Step, Trainable};
pub use trainer::train;
