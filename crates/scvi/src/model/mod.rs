//! What one does with a trained model: one file a task.

mod cells;
mod differential;
mod latent;
mod likelihood;
mod log_sum_exp;
mod marginal_ll;
mod pass;
mod sample;
mod watch;

pub use cells::Cells;
pub use differential::{
    Batches, Change, Column, Comparison, Contrast, Delta, DifferentialError, DifferentialOptions,
    Group, Hypotheses, ImportanceOptions, Test, Values, Weights, differential_expression,
};
pub use latent::{Latent, latent_representation, latent_sample};
pub use likelihood::{CellElbo, Draw, elbo};
pub use log_sum_exp::LogSumExp;
pub use marginal_ll::marginal_ll;
pub use pass::TaskError;
pub use sample::{SampleOptions, posterior_predictive_sample};
pub use watch::{Progress, Watch, unwatched};
