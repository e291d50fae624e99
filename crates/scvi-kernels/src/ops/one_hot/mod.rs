//! The one-hot columns of a layer's input, as rows of its weights.
//!
//! A cell belongs to one category of each covariate. `rows` holds, cell by cell, the row of W that
//! each covariate's category names: `(cells, covariates)`, offsets included; W: `(categories, n_out)`.
//! `y += Σ_k W[rows_k]`; `dW[r]` is the sum of dy over the cells that name row r.
//!
//! Where the columns themselves are wanted, [`OneHotBeside`] writes them after others.

mod beside;
mod cpu;
#[cfg(test)]
mod tests;

pub use beside::OneHotBeside;
pub(crate) use beside::{first_columns_cpu, one_hot_beside_cpu};
pub(crate) use cpu::*;
