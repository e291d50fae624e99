//! An AnnData in a zarr store, row by row.
//!
//! Version 2 of the format, the one that every anndata since 0.8 reads: a folder of folders, each
//! with its metadata as JSON; arrays in chunks of whole rows, uncompressed, a file each (zarr
//! storage specification version 2; numcodecs' `vlen-utf8` for strings).

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Names, RowSink};
use crate::IoError;
use crate::output::AtomicDir;

/// The file by which such a store is known.
pub const MARKER: &str = ".zgroup";
/// About how many values a chunk has.
const CHUNK: usize = 1 << 20;

/// A store in the making: the names of cells and genes, and `X` or layers.
#[derive(Debug)]
pub struct ZarrRows {
    dir: AtomicDir,
    columns: Vec<usize>,
    arrays: Vec<Chunks>,
}

/// An array in the making, chunk by chunk.
#[derive(Debug)]
struct Chunks {
    folder: PathBuf,
    columns: usize,
    rows: usize,
    chunk_rows: usize,
    /// Rows of the chunk to come.
    chunk: Vec<f32>,
    written: usize,
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
        group(root, encoding("anndata", "0.1.0"))?;
        for (name, index) in [("obs", names.rows), ("var", names.columns)] {
            let frame = root.join(name);
            let mut attrs = encoding("dataframe", "0.2.0");
            attrs["_index"] = "_index".into();
            attrs["column-order"] = json!([]);
            group(&frame, attrs)?;
            strings(&frame.join("_index"), index)?;
        }
        for name in ["layers", "obsm", "obsp", "uns", "varm", "varp"] {
            group(&root.join(name), encoding("dict", "0.1.0"))?;
        }
        let shape = [names.rows.len(), names.columns.len()];
        // Together the chunks take no more memory than those of one matrix.
        let values = CHUNK / places.len().max(1);
        let arrays = places.iter().map(|place| Chunks::create(root.join(place), shape, values));
        let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { columns: vec![shape[1]; places.len()], arrays, dir })
    }
}

impl Chunks {
    /// Of about so many values each.
    fn create(
        folder: PathBuf,
        [rows, columns]: [usize; 2],
        values: usize,
    ) -> Result<Self, IoError> {
        let chunk_rows = (values / columns.max(1)).clamp(1, rows.max(1));
        let meta = json!({
            "zarr_format": 2, "shape": [rows, columns], "chunks": [chunk_rows, columns.max(1)],
            "dtype": "<f4", "compressor": null, "fill_value": 0.0, "order": "C", "filters": null,
        });
        array(&folder, &meta, encoding("array", "0.2.0"))?;
        Ok(Self { folder, columns, rows, chunk_rows, chunk: Vec::new(), written: 0 })
    }

    fn append(&mut self, mut rows: &[f32]) -> Result<(), IoError> {
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
        write(&self.folder.join(format!("{number}.0")), &bytes)
    }

    fn finish(&mut self) -> Result<(), IoError> {
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

impl RowSink for ZarrRows {
    fn columns(&self) -> &[usize] {
        &self.columns
    }

    fn append(&mut self, matrix: usize, rows: &[f32]) -> Result<(), IoError> {
        self.arrays[matrix].append(rows)
    }

    fn finish(mut self: Box<Self>) -> Result<(), IoError> {
        self.arrays.iter_mut().try_for_each(Chunks::finish)?;
        self.dir.finish()
    }
}

fn encoding(kind: &str, version: &str) -> Value {
    json!({"encoding-type": kind, "encoding-version": version})
}

fn group(path: &Path, attrs: Value) -> Result<(), IoError> {
    fs::create_dir_all(path).map_err(|e| IoError::os("create", path, e))?;
    write(&path.join(MARKER), json!({"zarr_format": 2}).to_string().as_bytes())?;
    write(&path.join(".zattrs"), attrs.to_string().as_bytes())
}

fn array(path: &Path, meta: &Value, attrs: Value) -> Result<(), IoError> {
    fs::create_dir_all(path).map_err(|e| IoError::os("create", path, e))?;
    write(&path.join(".zarray"), meta.to_string().as_bytes())?;
    write(&path.join(".zattrs"), attrs.to_string().as_bytes())
}

/// Strings in one chunk: how many, then the length and the bytes of each.
fn strings(path: &Path, texts: &[String]) -> Result<(), IoError> {
    let meta = json!({
        "zarr_format": 2, "shape": [texts.len()], "chunks": [texts.len().max(1)], "dtype": "|O",
        "compressor": null, "fill_value": 0, "order": "C", "filters": [{"id": "vlen-utf8"}],
    });
    array(path, &meta, encoding("string-array", "0.2.0"))?;
    if texts.is_empty() {
        return Ok(());
    }
    let mut bytes = (texts.len() as u32).to_le_bytes().to_vec();
    for text in texts {
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    write(&path.join("0"), &bytes)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), IoError> {
    fs::write(path, bytes).map_err(|e| IoError::os("write", path, e))
}
