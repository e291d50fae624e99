//! `Model.train`: a run beside the interpreter, what it tells, and its checkpoint.

mod checkpoint;
mod listener;
mod run;
mod underway;

pub use checkpoint::{CheckpointOptions, PreparedCheckpoint};
pub use listener::{Listener, News, warn_of_checkpoint};
pub use run::{Begun, Ended};
pub use underway::{Base, Run};
