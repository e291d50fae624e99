//! One folder an operation: formula, documentation and tests in `mod.rs`, the CPU kernel beside.

pub mod activation;
pub mod adam;
mod awake;
pub mod batch_norm;
pub mod clip;
pub mod count_head;
pub mod cross_entropy;
pub mod embedding;
pub mod gram;
pub mod label_mixture;
pub mod layer_norm;
pub mod linear;
pub mod noise;
pub mod normal_log_prob;
pub mod one_hot;
pub mod pairs;
mod parallel;
pub mod posterior;
pub mod repeat;
mod sink;
pub mod softmax;
pub mod sparse_linear;

pub use awake::attended;
pub use parallel::Pooled;
pub(crate) use parallel::{Rows, Split, in_parts, scratch};
pub(crate) use sink::Sink;
