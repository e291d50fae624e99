//! A matrix of a store in the making, in chunks of whole rows.

use std::fs;
use std::path::PathBuf;

use super::store::Version;
use super::write::{Element, NewArray, key, write, write_array};
use crate::IoError;
use crate::anndata::encodings::ARRAY;

/// About how many values a chunk has.
pub(crate) const CHUNK: usize = 1 << 20;

/// An array in the making, chunk by chunk.
#[derive(Debug)]
pub(crate) struct ChunkedRows {
    folder: PathBuf,
    version: Version,
    columns: usize,
    rows: usize,
    chunk_rows: usize,
    /// Rows of the chunk to come.
    chunk: Vec<f32>,
    written: usize,
}

impl ChunkedRows {
    /// Of about so many values each.
    pub(crate) fn create(
        folder: PathBuf,
        version: Version,
        [rows, columns]: [usize; 2],
        values: usize,
    ) -> Result<Self, IoError> {
        let chunk_rows = (values / columns.max(1)).clamp(1, rows.max(1));
        let (shape, chunk) = ([rows, columns], [chunk_rows, columns.max(1)]);
        let meta = NewArray { shape: &shape, chunk: &chunk, element: Element::Single };
        write_array(&folder, version, meta, ARRAY)?;
        let of_chunk = |number| folder.join(key(version, &[number, 0]));
        // In version 3 chunks lie in folders of their own.
        if let Some(parent) = of_chunk(0).parent() {
            fs::create_dir_all(parent).map_err(|e| IoError::os("create", parent, e))?;
        }
        Ok(Self { folder, version, columns, rows, chunk_rows, chunk: Vec::new(), written: 0 })
    }

    /// Takes the next rows, one behind the other.
    pub(crate) fn append(&mut self, mut rows: &[f32]) -> Result<(), IoError> {
        let full = self.chunk_rows * self.columns;
        while !rows.is_empty() {
            let (now, later) = rows.split_at(rows.len().min(full - self.chunk.len()));
            self.chunk.extend_from_slice(now);
            rows = later;
            if self.chunk.len() == full {
                self.flush()?;
            }
        }
        Ok(())
    }

    /// Writes the rows that have come as a chunk; the last one is filled up with zeros.
    fn flush(&mut self) -> Result<(), IoError> {
        let number = self.written / self.chunk_rows;
        self.written += self.chunk.len() / self.columns;
        self.chunk.resize(self.chunk_rows * self.columns, 0.0);
        let bytes: Vec<u8> = self.chunk.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.chunk.clear();
        write(&self.folder.join(key(self.version, &[number, 0])), &bytes)
    }

    /// Writes what is left.
    pub(crate) fn finish(&mut self) -> Result<(), IoError> {
        if !self.chunk.is_empty() {
            self.flush()?;
        }
        if self.written != self.rows && self.columns > 0 {
            let (expected, found) = (format!("{} rows", self.rows), self.written.to_string());
            return Err(IoError::BadInput { what: "rows".into(), expected, found });
        }
        Ok(())
    }
}
