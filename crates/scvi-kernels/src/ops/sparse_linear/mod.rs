//! The encoder's first layer on sparse counts, y = X W + b; b may be missing.
//!
//! X: `(cells, genes)` sparse, W: `(genes, n_out)`, y: `(cells, n_out)`. A cell's output is the sum
//! of the rows of W that its counts name; `dW[g]` = Σ over the cells that have gene g of x dy.
//! Every gene's row takes part in Adam, whether the minibatch has the gene or not.

mod cpu;
#[cfg(test)]
mod tests;

pub(crate) use cpu::*;
