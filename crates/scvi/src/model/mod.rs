//! What one does with a trained model: one file a task.

mod latent;
mod likelihood;
mod pass;

pub use latent::{Latent, latent_representation, latent_sample};
pub use likelihood::{CellElbo, Draw, elbo};
pub use pass::TaskError;
