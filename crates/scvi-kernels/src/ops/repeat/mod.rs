//! Every row of a matrix several times: what a cell's z becomes where each label is tried with it.
//!
//! x: `(rows, width)`, y: `(rows, times, width)`, y_rk = x_r; gradient: dx_r += Σ_k dy_rk.
//!
//! scvi-tools 1.4.2, `module/_utils.py` (`broadcast_labels`, which puts the labels outermost).

mod cpu;
#[cfg(test)]
mod tests;

pub(crate) use cpu::*;

/// Sizes of [`crate::LabelOps::repeat_rows`] and of what compares its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepeatDims {
    /// Rows before.
    pub rows: usize,
    /// How often each is repeated.
    pub times: usize,
    /// Numbers of a row.
    pub width: usize,
}
