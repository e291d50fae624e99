//! A copy of a store with some of its cells.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::copy::ZarrCopy;
use super::store::{ARRAY, NODE, Version};
use super::write::{edit_attributes, key, packed, read_json, write, write_json};
use crate::IoError;
use crate::anndata::{SubsetArray, SubsetParts};
use crate::element::DataType;

/// About how many bytes a chunk has.
const CHUNK_BYTES: usize = 4 << 20;

/// Writes a copy in which the arrays of `parts` are those of the subset.
pub(crate) fn write_subset(
    input: &Path,
    output: &Path,
    parts: &SubsetParts<'_>,
    overwrite: bool,
) -> Result<(), IoError> {
    let dropped: Vec<PathBuf> = parts.arrays.iter().map(|array| (&array.place).into()).collect();
    let copy = ZarrCopy::of(input, output, &dropped, overwrite)?;
    let (root, version) = (copy.root().to_owned(), copy.version());
    for array in &parts.arrays {
        let folder = root.join(&array.place);
        fs::create_dir_all(&folder).map_err(|e| IoError::os("create", &folder, e))?;
        let mut chunks = Chunks::start(&input.join(&array.place), folder, version, array)?;
        match array.texts() {
            Some(texts) => chunks.write(&packed(texts))?,
            None => parts.each_block(array, &mut |bytes| chunks.append(bytes))?,
        }
        chunks.finish()?;
    }
    for (place, shape) in &parts.shapes {
        let put = |all: &mut Map<String, Value>| _ = all.insert("shape".into(), json!(shape));
        edit_attributes(&root.join(place), version, put)?;
    }
    copy.close()
}

/// An array in the making, in chunks of whole rows.
struct Chunks {
    folder: PathBuf,
    version: Version,
    rank: usize,
    /// Bytes of a whole chunk.
    bytes: usize,
    pending: Vec<u8>,
    written: usize,
}

impl Chunks {
    /// Takes over the array's metadata, but for its shape and how it is stored.
    fn start(
        from: &Path,
        folder: PathBuf,
        version: Version,
        array: &SubsetArray,
    ) -> Result<Self, IoError> {
        let columns: u64 = array.shape[1..].iter().product();
        let row_bytes = (columns as usize * array.data_type.width()).max(1);
        let n_rows = array.shape[0].max(1);
        let chunk_rows = match array.data_type {
            // Strings come as one chunk.
            DataType::Text => n_rows,
            _ => ((CHUNK_BYTES / row_bytes) as u64).clamp(1, n_rows),
        };
        let mut chunk: Vec<u64> = array.shape.iter().map(|&n| n.max(1)).collect();
        chunk[0] = chunk_rows;
        let file = match version {
            Version::Two => ARRAY,
            Version::Three => NODE,
        };
        let mut meta = read_json(&from.join(file))?;
        meta.insert("shape".into(), json!(array.shape));
        let is_text = array.data_type == DataType::Text;
        match version {
            Version::Two => {
                meta.remove("dimension_separator");
                let filters = if is_text { json!([{"id": "vlen-utf8"}]) } else { Value::Null };
                let changed = [
                    ("chunks", json!(chunk)),
                    ("dtype", json!(name_of_version_2(&array.data_type))),
                    ("compressor", Value::Null),
                    ("filters", filters),
                    ("order", json!("C")),
                ];
                meta.extend(changed.map(|(key, value)| (key.to_owned(), value)));
                if is_text {
                    meta.insert("fill_value".into(), json!(""));
                }
                copy_attributes(from, &folder)?;
            }
            Version::Three => {
                let codec = match is_text {
                    true => json!({"name": "vlen-utf8"}),
                    false => json!({"name": "bytes", "configuration": {"endian": "little"}}),
                };
                let keys = json!({"name": "default", "configuration": {"separator": "/"}});
                let grid = json!({"name": "regular", "configuration": {"chunk_shape": chunk}});
                let changed = [
                    ("data_type", json!(array.data_type.name())),
                    ("chunk_grid", grid),
                    ("chunk_key_encoding", keys),
                    ("codecs", json!([codec])),
                ];
                meta.extend(changed.map(|(key, value)| (key.to_owned(), value)));
                if is_text {
                    meta.insert("fill_value".into(), json!(""));
                }
            }
        }
        write_json(&folder.join(file), &Value::Object(meta))?;
        let (rank, bytes) = (array.shape.len(), chunk_rows as usize * row_bytes);
        Ok(Self { folder, version, rank, bytes, pending: Vec::new(), written: 0 })
    }

    fn append(&mut self, mut bytes: &[u8]) -> Result<(), IoError> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(self.bytes - self.pending.len()));
            self.pending.extend_from_slice(now);
            bytes = later;
            if self.pending.len() == self.bytes {
                let whole = std::mem::take(&mut self.pending);
                self.write(&whole)?;
            }
        }
        Ok(())
    }

    /// Writes the last chunk, which is filled up with zeros.
    fn finish(mut self) -> Result<(), IoError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let mut last = std::mem::take(&mut self.pending);
        last.resize(self.bytes, 0);
        self.write(&last)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), IoError> {
        let mut index = vec![0; self.rank];
        index[0] = self.written;
        self.written += 1;
        let file = self.folder.join(key(self.version, &index));
        let parent = file.parent().unwrap_or(&self.folder);
        fs::create_dir_all(parent).map_err(|e| IoError::os("create", parent, e))?;
        write(&file, bytes)
    }
}

fn copy_attributes(from: &Path, to: &Path) -> Result<(), IoError> {
    let file = from.join(super::store::ATTRS);
    if !file.is_file() {
        return Ok(());
    }
    let copy = to.join(super::store::ATTRS);
    fs::copy(&file, &copy).map(drop).map_err(|e| IoError::os("write", &copy, e))
}

fn name_of_version_2(data_type: &DataType) -> String {
    match data_type {
        DataType::Float(n) => format!("<f{n}"),
        DataType::Signed(1) => "|i1".into(),
        DataType::Unsigned(1) => "|u1".into(),
        DataType::Signed(n) => format!("<i{n}"),
        DataType::Unsigned(n) => format!("<u{n}"),
        DataType::Bool => "|b1".into(),
        _ => "|O".into(),
    }
}
