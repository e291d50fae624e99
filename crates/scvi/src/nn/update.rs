//! What becomes of gradients.

use scvi_kernels::AdamStep;

/// What becomes of gradients in a backward pass.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Update<F> {
    /// Written out, parameters unchanged.
    Store,
    /// Written out where the optimizer moves the parameter, beside those of the step's other passes:
    /// their sum and the optimizer's step follow. Passes are leaves of a minibatch, and this is the
    /// number of the worker's first; or they are the minibatches of a step, and this is 0.
    Stage(usize),
    /// Added to what an earlier pass of the same step wrote out.
    Add,
    /// Applied at once.
    Adam(AdamStep<F>),
}

/// How gradients are clipped before the optimizer's step (Lightning's `gradient_clip_val` and
/// `gradient_clip_algorithm`); the formulas are in [`scvi_kernels::ops::clip`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GradientClip {
    /// All gradients are scaled so that their common norm is at most this.
    Norm(f64),
    /// Every number is bounded by ± this.
    Value(f64),
}

/// What becomes of a step's gradients.
#[derive(Debug, Clone, Copy)]
pub struct OptimizerStep<F> {
    /// Constants of Adam or AdamW.
    pub adam: AdamStep<F>,
    /// How gradients are clipped before.
    pub clip: Option<GradientClip>,
}

impl<F> From<AdamStep<F>> for OptimizerStep<F> {
    fn from(adam: AdamStep<F>) -> Self {
        Self { adam, clip: None }
    }
}

impl<F: Copy> OptimizerStep<F> {
    /// What becomes of a gradient that comes whole: without clipping Adam follows each tile of it
    /// while it is in cache.
    pub(crate) fn update(&self) -> Update<F> {
        match self.clip {
            None => Update::Adam(self.adam),
            Some(_) => Update::Stage(0),
        }
    }
}
