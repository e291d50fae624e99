//! What one does with a trained model: one file a task.

mod cells;
mod draws;
mod latent;
mod library;
mod likelihood;
mod log_sum_exp;
mod marginal_ll;
mod mean;
mod normalized;
mod parameters;
mod pass;
mod sample;
mod watch;

pub use cells::Cells;
pub use draws::Posterior;
pub use latent::{Latent, MC_SAMPLES, latent_representation, latent_sample, latent_simplex_mean};
pub use library::{LibraryEstimate, batch_representation, latent_library_size};
pub use likelihood::{CellElbo, Draw, elbo};
pub use log_sum_exp::LogSumExp;
pub use marginal_ll::marginal_ll;
pub use normalized::{
    ExpressionOptions, LibrarySize, Overall, Rows, Weights, normalized_expression,
    normalized_expression_overall,
};
pub use parameters::{ParameterKinds, ParameterRows, Parameters, likelihood_parameters};
pub use pass::TaskError;
pub use sample::{SampleOptions, posterior_predictive_sample};
pub use watch::{Progress, Watch, unwatched};
