//! An AnnData in a zarr store, row by row.
//!
//! Version 2 of the format, the one that every anndata since 0.8 reads.

use std::path::Path;

use super::{Names, RowSink};
use crate::IoError;
use crate::anndata::encodings::DICT;
use crate::output::AtomicDir;
use crate::zarr::chunked_rows::{CHUNK, ChunkedRows};
use crate::zarr::store::{GROUP, Version};
use crate::zarr::write::{write_frame, write_group};

/// The file by which such a store is known.
pub const MARKER: &str = GROUP;

/// A store in the making: the names of cells and genes, and `X` or layers.
#[derive(Debug)]
pub struct ZarrRows {
    dir: AtomicDir,
    columns: Vec<usize>,
    arrays: Vec<ChunkedRows>,
}

impl ZarrRows {
    /// Starts a store for the named cells and genes, whose matrix is `X`.
    ///
    /// # Errors
    /// As [`check_output_dir`](crate::output::check_output_dir), or where it cannot be written.
    pub fn create(path: impl AsRef<Path>, names: Names, overwrite: bool) -> Result<Self, IoError> {
        Self::with_matrices(path, names, &["X".to_owned()], overwrite)
    }

    /// The same without an `X`, whose matrices are layers of these names.
    ///
    /// # Errors
    /// As [`ZarrRows::create`].
    pub fn layers(
        path: impl AsRef<Path>,
        names: Names,
        layers: &[&str],
        overwrite: bool,
    ) -> Result<Self, IoError> {
        let places: Vec<String> = layers.iter().map(|layer| format!("layers/{layer}")).collect();
        Self::with_matrices(path, names, &places, overwrite)
    }

    fn with_matrices(
        path: impl AsRef<Path>,
        names: Names,
        places: &[String],
        overwrite: bool,
    ) -> Result<Self, IoError> {
        let dir = AtomicDir::create(path, MARKER, overwrite)?;
        let root = dir.temp_path();
        write_group(root, Version::Two, ("anndata", "0.1.0"))?;
        write_frame(&root.join("obs"), Version::Two, names.rows)?;
        write_frame(&root.join("var"), Version::Two, names.columns)?;
        for name in ["layers", "obsm", "obsp", "uns", "varm", "varp"] {
            write_group(&root.join(name), Version::Two, DICT)?;
        }
        let shape = [names.rows.len(), names.columns.len()];
        // Together the chunks take no more memory than those of one matrix.
        let values = CHUNK / places.len().max(1);
        let arrays = places
            .iter()
            .map(|place| ChunkedRows::create(root.join(place), Version::Two, shape, values));
        let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { columns: vec![shape[1]; places.len()], arrays, dir })
    }
}

impl RowSink for ZarrRows {
    fn columns(&self) -> &[usize] {
        &self.columns
    }

    fn append(&mut self, matrix: usize, rows: &[f32]) -> Result<(), IoError> {
        self.arrays[matrix].append(rows)
    }

    fn finish(mut self: Box<Self>) -> Result<(), IoError> {
        self.arrays.iter_mut().try_for_each(ChunkedRows::finish)?;
        self.dir.finish()
    }
}
