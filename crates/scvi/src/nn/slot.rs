//! The numbers that belong to a parameter.

/// Which numbers of a parameter are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The parameter itself.
    Value,
    /// Its gradient after a backward pass that stores gradients.
    Grad,
    /// Adam's mean of its gradients (torch's `exp_avg`).
    FirstMoment,
    /// Adam's mean of their squares (torch's `exp_avg_sq`).
    SecondMoment,
}

impl Slot {
    /// All that a step changes, and a checkpoint holds.
    pub const SAVED: [Self; 3] = [Self::Value, Self::FirstMoment, Self::SecondMoment];
}
