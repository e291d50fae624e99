//! The terms of a loss in which every label is tried on a cell, weighted by the classifier.
//!
//! logits u, log densities ln p(z1|z2, y) and divergences KL(q(z2|z1, y) ‖ p(z2)):
//! `(cells, labels)`; prior π of the labels, which need not sum to 1: `(labels)`; ln q(z1|x):
//! `(cells)`. With w = softmax(u):
//!
//! ```text
//! reconstruction_loss += ln q(z1|x) - Σ_y w_y ln p(z1|z2, y)
//! kl_local             = Σ_y w_y KL_y + KL(w ‖ π/Σπ)
//! ```
//!
//! Gradient of weight · (reconstruction_loss + kl_weight · kl_local):
//! with a_y = -ln p_y + kl_weight (KL_y + ln w_y - ln π_y), du_y = weight · w_y (a_y - Σ_k w_k a_k).
//! Log densities get -weight · w, divergences weight · kl_weight · w.
//!
//! Xu et al. 2021; scvi-tools 1.4.2, `module/_scanvae.py` (`loss`). There w is clamped to the
//! smallest number above 0 before its logarithm is taken; here ln w is a difference of logits.

mod cpu;
#[cfg(test)]
mod tests;

pub(crate) use cpu::*;

use crate::backend::Device;

/// Inputs and outputs of [`crate::LabelOps::label_mixture`].
pub struct LabelMixture<'a, B: Device + ?Sized> {
    /// u: `(cells, labels)`.
    pub logits: &'a B::Buf,
    /// ln p(z1|z2, y): `(cells, labels)`.
    pub log_prob: &'a B::Buf,
    /// KL(q(z2|z1, y) ‖ p(z2)): `(cells, labels)`.
    pub kl: &'a B::Buf,
    /// ln q(z1|x): `(cells)`.
    pub log_q: &'a B::Buf,
    /// π, positive: `(labels)`.
    pub prior: &'a B::Buf,
    /// w: `(cells, labels)`.
    pub probabilities: &'a mut B::Buf,
    /// Added to -ln p(x|z1): `(cells)`.
    pub reconstruction_loss: &'a mut B::Buf,
    /// `(cells)`.
    pub kl_local: &'a mut B::Buf,
    /// Where gradients are wanted.
    pub grad: Option<LabelMixtureGrad<'a, B>>,
}

/// What the gradient of [`LabelMixture`] goes by, and where it goes.
pub struct LabelMixtureGrad<'a, B: Device + ?Sized> {
    /// Weight of a cell in the loss: 1/cells.
    pub weight: B::Elem,
    /// Weight of kl_local in the loss.
    pub kl_weight: B::Elem,
    /// du: `(cells, labels)`.
    pub d_logits: &'a mut B::Buf,
}
