//! The way of the data: counts, registry, split and minibatches.

mod csr;

pub use csr::{CsrError, CsrMatrix};
