//! Products with weights: dense, sparse and one-hot inputs, and embeddings.
//!
//! Weights are `(inputs, outputs)`, activations `(cells, features)`.

use super::{Device, GradSink};
use crate::ops::embedding::{EmbeddingDims, EmbeddingGrad, MaxNorm};
use crate::ops::linear::LinearDims;
use crate::ops::one_hot::OneHotBeside;

/// The linear part of a hidden layer, for every kind of input.
pub trait LinearOps: Device {
    /// y = X W + b for sparse counts; the bias may be missing. See [`crate::ops::sparse_linear`].
    fn sparse_linear(
        &self,
        x: &Self::Counts,
        w: &Self::Buf,
        bias: Option<&Self::Buf>,
        y: &mut Self::Buf,
        n_out: usize,
    );
    /// dW = Xᵀ dy. See [`crate::ops::sparse_linear`].
    fn sparse_linear_grad(&self, x: &Self::Counts, dy: &Self::Buf, n_out: usize, w: GradSink<Self>);
    /// y = x W + b, or y += x W + b to accumulate; the bias may be missing.
    /// See [`crate::ops::linear`].
    fn linear(
        &self,
        x: &Self::Buf,
        w: &Self::Buf,
        bias: Option<&Self::Buf>,
        y: &mut Self::Buf,
        dims: LinearDims,
        accumulate: bool,
    );
    /// dx = keep dx + dy Wᵀ. See [`crate::ops::linear`].
    fn linear_grad_input(
        &self,
        dy: &Self::Buf,
        w: &Self::Buf,
        dx: &mut Self::Buf,
        dims: LinearDims,
        accumulate: bool,
    );
    /// dW = xᵀ dy. See [`crate::ops::linear`].
    fn linear_grad_weight(
        &self,
        x: &Self::Buf,
        dy: &Self::Buf,
        dims: LinearDims,
        w: GradSink<Self>,
    );
    /// db = Σ_cells dy. See [`crate::ops::linear`].
    fn bias_grad(&self, dy: &Self::Buf, dims: LinearDims, bias: GradSink<Self>);
    /// `y += Σ_k W[rows_k]`. `dims.n_in` is the number of rows per cell. See [`crate::ops::one_hot`].
    fn one_hot(&self, rows: &Self::Ids, w: &Self::Buf, y: &mut Self::Buf, dims: LinearDims);
    /// `dW[r]` = Σ over cells in row r of dy. See [`crate::ops::one_hot`].
    fn one_hot_grad(&self, rows: &Self::Ids, dy: &Self::Buf, dims: LinearDims, w: GradSink<Self>);
    /// y = [x, one-hot columns], x: `(cells, n_in)`. See [`crate::ops::one_hot`].
    fn one_hot_beside(
        &self,
        x: &Self::Buf,
        columns: &Self::Ids,
        y: &mut Self::Buf,
        dims: OneHotBeside,
    );
    /// y = the first columns of x: `(cells, widths[0])` to `(cells, widths[1])`.
    fn first_columns(&self, x: &Self::Buf, y: &mut Self::Buf, cells: usize, widths: [usize; 2]);

    /// Scales down the rows that a cell names and that are too long. See [`crate::ops::embedding`].
    fn embedding_renorm(
        &self,
        table: &mut Self::Buf,
        ids: &Self::Ids,
        dims: EmbeddingDims,
        bound: MaxNorm,
    );
    /// `out_c = table[id_c]`. See [`crate::ops::embedding`].
    fn embedding(
        &self,
        ids: &Self::Ids,
        table: &Self::Buf,
        out: &mut Self::Buf,
        dims: EmbeddingDims,
    );
    /// `d_table[r]` = Σ over cells with id r of d_out. See [`crate::ops::embedding`].
    fn embedding_grad(
        &self,
        ids: &Self::Ids,
        d_out: &Self::Buf,
        dims: EmbeddingDims,
        rule: EmbeddingGrad,
        table: GradSink<Self>,
    );
}
