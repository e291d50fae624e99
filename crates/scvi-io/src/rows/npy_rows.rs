//! NumPy's `.npy`, row by row.

use std::path::Path;

use super::RowSink;
use crate::IoError;
use crate::output::{AtomicFile, RegionFile};
use crate::table::npy_header;

/// A `.npy` file in the making.
#[derive(Debug)]
pub struct NpyRows {
    file: RegionFile,
    columns: [usize; 1],
}

impl NpyRows {
    /// Starts a file for `rows` x `columns` floats.
    ///
    /// # Errors
    /// As [`check_output`](crate::output::check_output), or where it cannot be written.
    pub fn create(
        path: impl AsRef<Path>,
        rows: usize,
        columns: usize,
        overwrite: bool,
    ) -> Result<Self, IoError> {
        let header = npy_header::<f32>([rows, columns]);
        let start = header.len() as u64;
        let end = start + 4 * rows as u64 * columns as u64;
        let temp = AtomicFile::create(path, overwrite)?;
        let mut file = RegionFile::new(temp, std::iter::once(start..end).collect())?;
        file.write_at(0, &header)?;
        Ok(Self { file, columns: [columns] })
    }
}

impl RowSink for NpyRows {
    fn columns(&self) -> &[usize] {
        &self.columns
    }

    fn append(&mut self, matrix: usize, rows: &[f32]) -> Result<(), IoError> {
        self.file.append(matrix, rows, |_| ())
    }

    fn finish(self: Box<Self>) -> Result<(), IoError> {
        self.file.finish()
    }
}
