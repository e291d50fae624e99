//! Which optimiser takes the steps.

use scvi_kernels::ops::adam::AdamRule;
use scvi_kernels::{AdamStep, Real};
use serde::{Deserialize, Serialize};

use crate::module::Choice;

/// What becomes of the weight decay λ; the formulas are in [`scvi_kernels::ops::adam`].
///
/// Source: scvi-tools 1.4.2, `train/_trainingplans.py`, `optimizer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Optimizer {
    /// An L2 term λw joins the gradient, and so the moments.
    #[default]
    Adam,
    /// w shrinks by the factor 1 - lr λ before each step.
    AdamW,
}

impl Choice for Optimizer {
    const OPTION: &'static str = "optimizer";
    const ALL: &'static [(&'static str, Self)] = &[("Adam", Self::Adam), ("AdamW", Self::AdamW)];
}

impl Optimizer {
    /// scvi-tools' key of the learning rate in `model.history`.
    pub fn lr_key(self) -> &'static str {
        match self {
            Self::Adam => "lr-Adam",
            Self::AdamW => "lr-AdamW",
        }
    }

    /// The constants of step `t`, counted from 1.
    pub fn at_step<F: Real>(self, rule: &AdamRule, t: u64) -> AdamStep<F> {
        match self {
            Self::Adam => rule.at_step(t),
            Self::AdamW => rule.decoupled_at_step(t),
        }
    }
}
