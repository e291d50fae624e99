//! Groups and arrays of a store in the making: each a folder with its metadata as JSON, chunks
//! uncompressed, a file each.
//!
//! Sources: Zarr storage specification version 2; Zarr core specification version 3.1; numcodecs'
//! `vlen-utf8` for strings; AnnData's on-disk format for the names of encodings.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::store::{self, Version};
use crate::IoError;
use crate::anndata::encodings::{DATAFRAME, Encoding, STRING, STRING_ARRAY};

/// The types that are written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Element {
    /// Floats of 4 bytes.
    Single,
    /// Floats of 8 bytes.
    Double,
    /// Whole numbers of 8 bytes.
    Integer,
    /// The same without a sign.
    Unsigned,
    /// True or false, a byte each.
    Bool,
    /// Strings.
    Text,
}

impl Element {
    /// Names in versions 2 and 3, and what was never written.
    fn names(self) -> (&'static str, &'static str, Value) {
        match self {
            Self::Single => ("<f4", "float32", json!(0.0)),
            Self::Double => ("<f8", "float64", json!(0.0)),
            Self::Integer => ("<i8", "int64", json!(0)),
            Self::Unsigned => ("<u8", "uint64", json!(0)),
            Self::Bool => ("|b1", "bool", json!(false)),
            Self::Text => ("|O", "string", json!("")),
        }
    }
}

/// An array to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewArray<'a> {
    /// Length of each dimension.
    pub(crate) shape: &'a [usize],
    /// Length of each dimension of a chunk.
    pub(crate) chunk: &'a [usize],
    /// Type of the values.
    pub(crate) element: Element,
}

impl NewArray<'_> {
    fn version_2(self) -> Value {
        let (name, _, fill) = self.element.names();
        let filters = match self.element {
            Element::Text => json!([{"id": "vlen-utf8"}]),
            _ => Value::Null,
        };
        json!({
            "zarr_format": 2, "shape": self.shape, "chunks": self.chunk, "dtype": name,
            "compressor": null, "fill_value": fill, "order": "C", "filters": filters,
        })
    }

    fn version_3(self, attributes: Map<String, Value>) -> Value {
        let (_, name, fill) = self.element.names();
        let codec = match self.element {
            Element::Text => json!({"name": "vlen-utf8"}),
            _ => json!({"name": "bytes", "configuration": {"endian": "little"}}),
        };
        json!({
            "zarr_format": 3, "node_type": "array", "shape": self.shape, "data_type": name,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": self.chunk}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": fill, "codecs": [codec], "attributes": attributes,
        })
    }
}

/// The file of a chunk, below the array's folder.
pub(crate) fn key(version: Version, chunk: &[usize]) -> PathBuf {
    let numbers = chunk.iter().map(usize::to_string);
    match version {
        Version::Two if chunk.is_empty() => "0".into(),
        Version::Two => numbers.collect::<Vec<_>>().join(".").into(),
        Version::Three => std::iter::once("c".to_owned()).chain(numbers).collect(),
    }
}

/// Starts a group.
pub(crate) fn write_group(
    folder: &Path,
    version: Version,
    encoding: Encoding,
) -> Result<(), IoError> {
    fs::create_dir_all(folder).map_err(|e| IoError::os("create", folder, e))?;
    match version {
        Version::Two => {
            write_json(&folder.join(store::GROUP), &json!({"zarr_format": 2}))?;
            write_json(&folder.join(store::ATTRS), &Value::Object(attributes(encoding)))
        }
        Version::Three => write_json(
            &folder.join(store::NODE),
            &json!({"zarr_format": 3, "node_type": "group", "attributes": attributes(encoding)}),
        ),
    }
}

/// Starts an array; its chunks are yet to come.
pub(crate) fn write_array(
    folder: &Path,
    version: Version,
    array: NewArray,
    encoding: Encoding,
) -> Result<(), IoError> {
    fs::create_dir_all(folder).map_err(|e| IoError::os("create", folder, e))?;
    let attributes = attributes(encoding);
    match version {
        Version::Two => {
            write_json(&folder.join(store::ARRAY), &array.version_2())?;
            write_json(&folder.join(store::ATTRS), &Value::Object(attributes))
        }
        Version::Three => write_json(&folder.join(store::NODE), &array.version_3(attributes)),
    }
}

/// Writes an array of one chunk: of one dimension, or of none where `shape` is empty.
pub(crate) fn write_whole(
    folder: &Path,
    version: Version,
    (shape, element): (&[usize], Element),
    bytes: &[u8],
    encoding: Encoding,
) -> Result<(), IoError> {
    let chunk: Vec<usize> = shape.iter().map(|&n| n.max(1)).collect();
    write_array(folder, version, NewArray { shape, chunk: &chunk, element }, encoding)?;
    if shape.contains(&0) {
        return Ok(());
    }
    let file = folder.join(key(version, &vec![0; shape.len()]));
    let parent = file.parent().unwrap_or(folder);
    fs::create_dir_all(parent).map_err(|e| IoError::os("create", parent, e))?;
    write(&file, bytes)
}

/// Writes strings: how many, then the length and the bytes of each.
pub(crate) fn write_texts(
    folder: &Path,
    version: Version,
    texts: &[String],
) -> Result<(), IoError> {
    let shape = [texts.len()];
    write_whole(folder, version, (&shape, Element::Text), &packed(texts), STRING_ARRAY)
}

/// Writes a single string.
pub(crate) fn write_text(folder: &Path, version: Version, text: &str) -> Result<(), IoError> {
    write_whole(folder, version, (&[], Element::Text), &packed(&[text.to_owned()]), STRING)
}

/// Writes a data frame without columns.
pub(crate) fn write_frame(
    folder: &Path,
    version: Version,
    index: &[String],
) -> Result<(), IoError> {
    write_group(folder, version, DATAFRAME)?;
    edit_attributes(folder, version, |attributes| {
        attributes.insert("_index".into(), "_index".into());
        attributes.insert("column-order".into(), json!([]));
    })?;
    write_texts(&folder.join("_index"), version, index)
}

/// Changes the attributes of a group or array that is there.
pub(crate) fn edit_attributes(
    folder: &Path,
    version: Version,
    edit: impl FnOnce(&mut Map<String, Value>),
) -> Result<(), IoError> {
    match version {
        Version::Two => {
            let file = folder.join(store::ATTRS);
            let mut attributes = if file.is_file() { read_json(&file)? } else { Map::new() };
            edit(&mut attributes);
            write_json(&file, &Value::Object(attributes))
        }
        Version::Three => {
            let file = folder.join(store::NODE);
            let mut node = read_json(&file)?;
            let attributes = node.entry("attributes").or_insert_with(|| json!({}));
            match attributes.as_object_mut() {
                Some(attributes) => edit(attributes),
                None => return Err(broken(&file, "its attributes are no object".into())),
            }
            write_json(&file, &Value::Object(node))
        }
    }
}

fn attributes((name, version): Encoding) -> Map<String, Value> {
    let pairs = [("encoding-type", name), ("encoding-version", version)];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect()
}

pub(super) fn packed(texts: &[String]) -> Vec<u8> {
    let mut bytes = (texts.len() as u32).to_le_bytes().to_vec();
    for text in texts {
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes
}

/// Reads a JSON object.
pub(crate) fn read_json(file: &Path) -> Result<Map<String, Value>, IoError> {
    let bytes = fs::read(file).map_err(|e| IoError::os("read", file, e))?;
    serde_json::from_slice(&bytes).map_err(|error| broken(file, error.to_string()))
}

fn broken(file: &Path, problem: String) -> IoError {
    IoError::Broken { path: file.into(), place: "its metadata".into(), problem }
}

pub(crate) fn write_json(file: &Path, value: &Value) -> Result<(), IoError> {
    write(file, value.to_string().as_bytes())
}

pub(crate) fn write(file: &Path, bytes: &[u8]) -> Result<(), IoError> {
    fs::write(file, bytes).map_err(|e| IoError::os("write", file, e))
}
