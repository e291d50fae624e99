//! Training as scvi-tools does it: split, minibatches, KL warm-up, Adam, validation, early stopping.

mod early_stopping;
mod history;
mod plan;
mod trainer;

pub use early_stopping::EarlyStopping;
pub use history::{EpochRecord, History, LossTerms};
pub use plan::{PlanError, TrainPlan, default_max_epochs};
pub use trainer::{Stop, TrainError, Trained, train};
