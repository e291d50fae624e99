//! A learned vector for each category, as `torch.nn.Embedding` (torch 2).
//!
//! E: `(rows, dim)`, ids: `(cells)`, out: `(cells, dim)`; `out_c = E[id_c]`.
//! Gradient: `dE[r]` = Σ over the cells with id r of d_out, divided by their number with
//! [`EmbeddingGrad::scale_grad_by_freq`]; 0 for [`EmbeddingGrad::padding_idx`].
//!
//! A bound on the norms ([`MaxNorm`]) acts on the table itself before rows are read, in training
//! and in evaluation: a row r that some cell names, and whose norm is above the bound, becomes
//! `E[r] · max_norm/(‖E[r]‖ₚ + 1e-7)`, once however many cells name it. The gradient does not see
//! it.

mod cpu;
#[cfg(test)]
mod tests;

pub(crate) use cpu::*;

/// Sizes of a table and of the minibatch that reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmbeddingDims {
    /// Rows of the table, one a category.
    pub rows: usize,
    /// Cells of the minibatch.
    pub cells: usize,
    /// Width of a row.
    pub dim: usize,
}

/// The largest norm a row in use may have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MaxNorm {
    /// The bound.
    pub max_norm: f64,
    /// p of the norm (Σ |x|ᵖ)^(1/p), above 0; infinity for the largest |x|.
    pub norm_type: f64,
}

/// How a table's gradient differs from the plain sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EmbeddingGrad {
    /// The row without a gradient.
    pub padding_idx: Option<u32>,
    /// Whether a row's gradient is divided by the number of cells that name it.
    pub scale_grad_by_freq: bool,
    /// Rows before this one get no gradient.
    pub frozen_rows: u32,
}
