//! Matrices that are written row by row, so that a result need not fit into memory.

mod npy_rows;
mod npz;
mod text;
mod writer;
mod zarr;

use crate::IoError;

pub use npy_rows::NpyRows;
pub use npz::NpzRows;
pub use text::TextRows;
pub(crate) use text::write_text;
pub use writer::MatrixWriter;
pub use zarr::{MARKER as ZARR_MARKER, ZarrRows};

/// Takes the rows of one or several matrices, those of each in order, and makes a file of them that
/// appears whole or not at all.
pub trait RowSink {
    /// Number of columns of each matrix.
    fn columns(&self) -> &[usize];

    /// Takes the next rows of a matrix, one behind the other.
    ///
    /// # Errors
    /// [`IoError`] where they cannot be written, or there are more than the file was made for.
    fn append(&mut self, matrix: usize, rows: &[f32]) -> Result<(), IoError>;

    /// Gives the file its name.
    ///
    /// # Errors
    /// [`IoError`] where it cannot be written, or rows are missing.
    fn finish(self: Box<Self>) -> Result<(), IoError>;
}

/// Names of rows and columns.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a> {
    /// Heading of the column of row names.
    pub corner: &'a str,
    /// Of the rows.
    pub rows: &'a [String],
    /// Of the columns.
    pub columns: &'a [String],
}
