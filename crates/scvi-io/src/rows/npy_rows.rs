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
    columns: Vec<usize>,
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
        let header = npy_header::<f32, 2>([rows, columns]);
        Self::with_header(path, &header, [1, rows, columns], overwrite)
    }

    /// Starts a file for `shape`, matrices x rows x columns: one array of three dimensions, whose
    /// matrices are filled side by side.
    ///
    /// # Errors
    /// As [`NpyRows::create`].
    pub fn stacked(
        path: impl AsRef<Path>,
        shape: [usize; 3],
        overwrite: bool,
    ) -> Result<Self, IoError> {
        Self::with_header(path, &npy_header::<f32, 3>(shape), shape, overwrite)
    }

    fn with_header(
        path: impl AsRef<Path>,
        header: &[u8],
        [matrices, rows, columns]: [usize; 3],
        overwrite: bool,
    ) -> Result<Self, IoError> {
        let size = 4 * rows as u64 * columns as u64;
        let first = header.len() as u64;
        let regions = (0..matrices as u64).map(|k| first + k * size..first + (k + 1) * size);
        let temp = AtomicFile::create(path, overwrite)?;
        let mut file = RegionFile::new(temp, regions.collect())?;
        file.write_at(0, header)?;
        Ok(Self { file, columns: vec![columns; matrices] })
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
