//! A dense layer, y = x W + b, or y += x W + b where a layer has several inputs; b may be missing.
//!
//! x: `(cells, n_in)`, W: `(n_in, n_out)`, b: `(n_out)`, y: `(cells, n_out)`;
//! dx = dy Wᵀ, dW = xᵀ dy, db = Σ_cells dy.

mod cpu;
#[cfg(test)]
mod tests;

pub(crate) use cpu::*;

/// Sizes of a layer and of its minibatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinearDims {
    /// Rows of x and y.
    pub cells: usize,
    /// Columns of x.
    pub n_in: usize,
    /// Columns of y.
    pub n_out: usize,
}
