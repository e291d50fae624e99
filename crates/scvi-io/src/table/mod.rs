//! Matrices for everyone else: `.npy`, `.csv`, `.tsv`.

mod matrix;
mod npy;

pub use matrix::{MatrixFormat, NamedMatrix};
pub(crate) use npy::npy_header;
pub use npy::{NpyElement, write_npy};
