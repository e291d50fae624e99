//! How gradients are clipped.

use serde::{Deserialize, Serialize};

use crate::module::{Choice, GradientClip};

/// What `gradient_clip_val` bounds; the formulas are in [`scvi_kernels::ops::clip`].
///
/// Source: Lightning 2.6, `Trainer(gradient_clip_val, gradient_clip_algorithm)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum GradientClipAlgorithm {
    /// The norm of all gradients together.
    #[default]
    Norm,
    /// Every number of a gradient.
    Value,
}

impl Choice for GradientClipAlgorithm {
    const OPTION: &'static str = "gradient_clip_algorithm";
    const ALL: &'static [(&'static str, Self)] = &[("norm", Self::Norm), ("value", Self::Value)];
}

impl GradientClipAlgorithm {
    /// The clipping at a bound.
    pub(super) fn at(self, bound: f64) -> GradientClip {
        match self {
            Self::Norm => GradientClip::Norm(bound),
            Self::Value => GradientClip::Value(bound),
        }
    }
}
