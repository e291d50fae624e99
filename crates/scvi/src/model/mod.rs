//! What one does with a trained model: one file a task.

mod latent;
mod likelihood;
mod log_sum_exp;
mod pass;

pub use latent::{Latent, latent_representation, latent_sample};
pub use likelihood::{CellElbo, Draw, elbo};
pub use log_sum_exp::LogSumExp;
pub use pass::TaskError;
