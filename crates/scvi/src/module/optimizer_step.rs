//! One optimizer step: Adam within the backward pass, or after it where gradients are clipped.

use scvi_kernels::{AdamStep, Backend};

use super::vae::Vae;
use super::workspace::Workspace;
use crate::nn::{ClipAndStep, GradientClip, SumSquares, Update};

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
    /// Without clipping Adam follows each tile of a gradient while it is in cache.
    pub(super) fn update(&self) -> Update<F> {
        match self.clip {
            None => Update::Adam(self.adam),
            Some(_) => Update::Stage,
        }
    }
}

impl<B: Backend> Vae<B> {
    /// Clips and applies the gradients that a backward pass staged.
    pub(super) fn apply_staged(&mut self, ws: &mut Workspace<B>, step: OptimizerStep<B::Elem>) {
        let Some(clip) = step.clip else { return };
        let sum = &mut ws.sum_of_squares;
        let (backend, parts) = self.parts();
        parts
            .visit(&mut SumSquares { backend, sum, accumulate: false })
            .expect("a sum refuses nothing");
        let (backend, parts) = self.parts();
        parts
            .visit(&mut ClipAndStep { backend, clip, sum, adam: step.adam })
            .expect("a step refuses nothing");
    }
}
