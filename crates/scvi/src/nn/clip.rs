//! From stored gradients to the optimizer's step: masks, clipping, Adam.

use scvi_kernels::{AdamStep, Backend};

use super::Param;
use super::state::{Place, StateError, StateVisitor};

/// How gradients are clipped before the optimizer's step (Lightning's `gradient_clip_val` and
/// `gradient_clip_algorithm`); the formulas are in [`scvi_kernels::ops::clip`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GradientClip {
    /// All gradients are scaled so that their common norm is at most this.
    Norm(f64),
    /// Every number is bounded by ± this.
    Value(f64),
}

/// Freezes what masks freeze, and adds up the squares of every gradient that a step will use.
pub(crate) struct SumSquares<'a, B: Backend> {
    pub(crate) backend: &'a B,
    /// Σ g²: `(1)`.
    pub(crate) sum: &'a mut B::Buf,
    /// Whether `sum` holds the squares of earlier gradients.
    pub(crate) accumulate: bool,
}

impl<B: Backend> StateVisitor<B> for SumSquares<'_, B> {
    fn tensor(
        &mut self,
        _: &str,
        _: &[usize],
        mut place: Place<'_, '_, B>,
    ) -> Result<(), StateError> {
        place.for_each_param(&mut |param: &mut Param<B>| {
            if param.add_squares(self.backend, self.sum, self.accumulate) {
                self.accumulate = true;
            }
        });
        Ok(())
    }
}

/// Clips every stored gradient and applies it.
pub(crate) struct ClipAndStep<'a, B: Backend> {
    pub(crate) backend: &'a B,
    pub(crate) clip: GradientClip,
    /// Σ g² over all gradients: `(1)`.
    pub(crate) sum: &'a B::Buf,
    pub(crate) adam: AdamStep<B::Elem>,
}

impl<B: Backend> StateVisitor<B> for ClipAndStep<'_, B> {
    fn tensor(
        &mut self,
        _: &str,
        _: &[usize],
        mut place: Place<'_, '_, B>,
    ) -> Result<(), StateError> {
        place.for_each_param(&mut |param: &mut Param<B>| {
            param.clip_and_step(self.backend, self.clip, self.sum, self.adam);
        });
        Ok(())
    }
}
