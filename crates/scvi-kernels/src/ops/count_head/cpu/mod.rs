//! The three stages on the CPU, each over the same parts of genes.

mod activation;
mod cell_rows;
mod dispersion;
mod dropout;
mod forward;
mod gradient;
mod input;
mod lanes;
mod layer;
mod norm;
mod pass;
mod positives;
mod read;
mod samples;
mod weights;
mod workspace;
mod zeros;

pub(crate) use forward::head_forward_cpu;
pub(crate) use gradient::head_grad_cpu;
pub(crate) use pass::{head_library_grad_cpu, head_likelihood_cpu};
pub(crate) use read::head_read_cpu;
pub use samples::CountSamples;
pub(crate) use samples::head_scale_rows_cpu;
pub(crate) use weights::WeightBlocks;
pub use workspace::CountHead;
