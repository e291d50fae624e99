//! Matrices for everyone else: `.npy`, `.csv`, `.tsv`.

mod matrix;
mod npy;

pub use matrix::{MatrixFormat, NamedMatrix};
pub use npy::{NpyElement, write_npy};
