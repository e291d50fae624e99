//! What is computed of cells with every label that they may have, and of known labels.

use super::Device;
use crate::ops::cross_entropy::CrossEntropy;
use crate::ops::label_mixture::LabelMixture;
use crate::ops::normal_log_prob::{NormalLogProb, NormalLogProbGrad};
use crate::ops::repeat::RepeatDims;

/// Labels, known and unknown.
pub trait LabelOps: Device {
    /// y = every row of x several times. See [`crate::ops::repeat`].
    fn repeat_rows(&self, x: &Self::Buf, y: &mut Self::Buf, dims: RepeatDims);
    /// Adds to each row of dx what its copies got. See [`crate::ops::repeat`].
    fn repeat_rows_grad(&self, dy: &Self::Buf, dx: &mut Self::Buf, dims: RepeatDims);
    /// Log densities of rows under normal distributions. See [`crate::ops::normal_log_prob`].
    fn normal_log_prob(&self, io: NormalLogProb<Self>, dims: RepeatDims);
    /// Gradients of [`LabelOps::normal_log_prob`]. See [`crate::ops::normal_log_prob`].
    fn normal_log_prob_grad(&self, io: NormalLogProbGrad<Self>, dims: RepeatDims);
    /// Terms of the loss of cells whose label is unknown, `dims` = `(cells, labels)`.
    /// See [`crate::ops::label_mixture`].
    fn label_mixture(&self, io: LabelMixture<Self>, dims: [usize; 2]);
    /// Cross entropy of each cell, `dims` = `(cells, labels)`. See [`crate::ops::cross_entropy`].
    fn cross_entropy(&self, io: CrossEntropy<Self>, dims: [usize; 2]);
}
