//! Where gradients go: dropped, kept, added up, or spent on an optimizer step.

use std::ops::Range;

use super::Device;

/// Constants of one step of Adam or AdamW for one number type; made by
/// [`crate::ops::adam::AdamRule`].
#[derive(Debug, Clone, Copy)]
pub struct AdamStep<F> {
    /// β₁.
    pub beta1: F,
    /// β₂.
    pub beta2: F,
    /// lr / (1 - β₁ᵗ).
    pub step_size: F,
    /// 1 / √(1 - β₂ᵗ).
    pub inv_sqrt_bias2: F,
    /// Added to the root of the second moment.
    pub eps: F,
    /// λ of the L2 term λw that joins the gradient; 0 of AdamW.
    pub weight_decay: F,
    /// What w is multiplied by before the step: 1 - lr λ of AdamW, 1 of Adam.
    pub shrink: F,
}

/// Where an operation leaves the gradient of a parameter.
///
/// Training applies Adam to a tile of the gradient while it is in cache. Where the gradient itself
/// is wanted (tests, clipping, sums over devices) the same operation writes it out instead.
pub enum GradSink<'a, B: Device + ?Sized> {
    /// Drop the gradient: the parameter is frozen, or only a value is wanted.
    Frozen {
        /// The parameter, unchanged.
        value: &'a B::Buf,
    },
    /// Write the gradient.
    Store {
        /// The parameter, unchanged.
        value: &'a B::Buf,
        /// Receives dL/dvalue.
        grad: &'a mut B::Buf,
    },
    /// Add the gradient to what the buffer holds: a minibatch that falls into leaves.
    Accumulate {
        /// The parameter, unchanged.
        value: &'a B::Buf,
        /// Receives dL/dvalue beside its own numbers.
        grad: &'a mut B::Buf,
    },
    /// Update the parameter.
    Adam {
        /// The parameter.
        value: &'a mut B::Buf,
        /// First moment.
        m: &'a mut B::Buf,
        /// Second moment.
        v: &'a mut B::Buf,
        /// Constants of this step.
        step: AdamStep<B::Elem>,
    },
    /// Update some of the parameter's numbers, and leave the others as they are.
    AdamWhere {
        /// The parameter.
        value: &'a mut B::Buf,
        /// First moment.
        m: &'a mut B::Buf,
        /// Second moment.
        v: &'a mut B::Buf,
        /// Constants of this step.
        step: AdamStep<B::Elem>,
        /// As long as the parameter: 0 where a number is frozen, 1 where it is not.
        mask: &'a B::Buf,
    },
}

/// What one optimizer step reads and writes of a parameter.
pub struct AdamIo<'a, B: Device + ?Sized> {
    /// The parameter.
    pub value: &'a mut B::Buf,
    /// dL/dvalue.
    pub grad: &'a B::Buf,
    /// First moment.
    pub m: &'a mut B::Buf,
    /// Second moment.
    pub v: &'a mut B::Buf,
    /// As long as the parameter: 0 where a number is frozen, 1 where it is not; none frozen without.
    pub mask: Option<&'a B::Buf>,
    /// Constants of this step.
    pub step: AdamStep<B::Elem>,
}

/// Optimizer steps on gradients that were stored, and what bounds them before.
pub trait OptimizerOps: Device {
    /// One optimizer step on a range of a parameter whose gradient was stored.
    /// See [`crate::ops::adam`].
    fn adam(&self, io: AdamIo<Self>, range: Range<usize>);
    /// `sum[0]` = Σ x² over the first `len` numbers, added to what it was to accumulate.
    /// See [`crate::ops::clip`].
    fn sum_of_squares(&self, x: &Self::Buf, len: usize, sum: &mut Self::Buf, accumulate: bool);
    /// Scales a gradient so that the norm of all gradients, `√sum[0]`, is at most `max_norm`.
    /// See [`crate::ops::clip`].
    fn clip_by_norm(&self, grad: &mut Self::Buf, len: usize, sum: &Self::Buf, max_norm: f64);
    /// Bounds every number of a gradient by ± `limit`. See [`crate::ops::clip`].
    fn clip_by_value(&self, grad: &mut Self::Buf, len: usize, limit: f64);
}
