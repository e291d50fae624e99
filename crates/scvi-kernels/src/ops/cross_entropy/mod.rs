//! Cross entropy of a classifier's logits against known labels.
//!
//! u: `(cells, labels)`, y: `(cells)`; loss = -ln softmax(u)_y of each cell: `(cells)`.
//! Gradient with each cell weighted: du = weight (softmax(u) - one-hot(y)).
//!
//! `torch.nn.functional.cross_entropy`.

mod cpu;
#[cfg(test)]
mod tests;

pub(crate) use cpu::*;

use crate::backend::Device;

/// Inputs and outputs of [`crate::LabelOps::cross_entropy`].
pub struct CrossEntropy<'a, B: Device + ?Sized> {
    /// u: `(cells, labels)`.
    pub logits: &'a B::Buf,
    /// y of each cell.
    pub labels: &'a B::Ids,
    /// `(cells)`.
    pub losses: &'a mut B::Buf,
    /// Weight of each cell, and du, `(cells, labels)`, where it is wanted.
    pub grad: Option<(B::Elem, &'a mut B::Buf)>,
}
