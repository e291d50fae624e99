//! What comes of a run.

use super::history::History;
use super::trainable::Trainable;
use crate::DefaultBackend;
use crate::data::Split;
use crate::module::Vae;

/// Why training ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// All epochs are done.
    MaxEpochs,
    /// As many optimizer steps as `max_steps` allows are done.
    MaxSteps,
    /// The held-out loss no longer fell.
    EarlyStopping,
    /// A callback of the caller ended it with an epoch.
    Callback,
    /// The caller asked for it.
    Interrupted,
}

/// A trained model and how it came about.
pub struct Trained<M: Trainable = Vae<DefaultBackend>> {
    /// The model.
    pub module: M,
    /// Every epoch's losses.
    pub history: History,
    /// Which cells were trained and validated on.
    pub split: Split,
    /// Why training ended.
    pub stop: Stop,
}
