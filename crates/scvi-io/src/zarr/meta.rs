//! What `.zarray` and `zarr.json` say of an array.
//!
//! Sources: Zarr storage specification version 2; Zarr core specification version 3.1, sections
//! "Array metadata" and "Chunk key encoding"; numcodecs 0.16 for the codecs of version 2.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::chunk_grid::ChunkGrid;
use crate::codec::Codec;
use crate::element::DataType;

/// The most dimensions that are read.
const MAX_RANK: usize = 8;

/// An array's metadata, read and checked.
#[derive(Debug, Clone)]
pub(super) struct ArrayMeta {
    /// Shape, chunks and type.
    pub(super) grid: ChunkGrid,
    /// Whether bytes stand the other way round, the high ones first.
    pub(super) big_endian: bool,
    /// Bytes of an element that was never written, where they are known.
    pub(super) fill: Option<Vec<u8>>,
    /// How a chunk was packed, in the order of packing; `Err` names what is not known.
    pub(super) codecs: Result<Vec<Codec>, String>,
    /// What stands before the numbers of a chunk's key.
    pub(super) prefix: &'static str,
    /// What stands between them.
    pub(super) separator: char,
}

/// `.zarray`.
#[derive(Deserialize)]
struct Version2 {
    shape: Vec<u64>,
    chunks: Vec<u64>,
    dtype: Value,
    #[serde(default)]
    compressor: Value,
    #[serde(default)]
    fill_value: Value,
    #[serde(default)]
    order: String,
    filters: Option<Vec<Value>>,
    dimension_separator: Option<String>,
}

/// `zarr.json` of an array; attributes are read apart.
#[derive(Deserialize)]
struct Version3 {
    shape: Vec<u64>,
    data_type: Value,
    chunk_grid: Named,
    chunk_key_encoding: Named,
    #[serde(default)]
    fill_value: Value,
    codecs: Vec<Named>,
    #[serde(default)]
    storage_transformers: Vec<Value>,
}

/// An extension point: a name alone, or with what it is set to.
#[derive(Deserialize)]
#[serde(untagged)]
enum Named {
    Full {
        name: String,
        #[serde(default)]
        configuration: Map<String, Value>,
    },
    Plain(String),
}

impl Named {
    fn name(&self) -> &str {
        match self {
            Self::Full { name, .. } | Self::Plain(name) => name,
        }
    }

    fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Self::Full { configuration, .. } => configuration.get(key),
            Self::Plain(_) => None,
        }
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }
}

impl ArrayMeta {
    /// Reads `.zarray`; what is wrong with it otherwise.
    pub(super) fn of_version_2(json: &[u8]) -> Result<Self, String> {
        let meta: Version2 = serde_json::from_slice(json).map_err(|e| e.to_string())?;
        let id = |codec: &Value| codec.get("id").and_then(Value::as_str).unwrap_or("").to_owned();
        let filters: Vec<String> = meta.filters.iter().flatten().map(id).collect();
        let (data_type, big_endian) = DataType::of_version_2(&meta.dtype, &filters);
        let mut codecs = Ok(Vec::new());
        let of_text = |name: &&String| data_type == DataType::Text && *name == "vlen-utf8";
        if let Some(name) = filters.iter().find(|name| !of_text(name)) {
            codecs = Err(format!("the filter '{name}'"));
        } else if !meta.compressor.is_null() {
            codecs = Codec::named(&id(&meta.compressor)).map(|codec| vec![codec]);
        }
        let mut axes: Vec<usize> = (0..meta.shape.len()).collect();
        if meta.order == "F" {
            axes.reverse();
        }
        let separator = if meta.dimension_separator.as_deref() == Some("/") { '/' } else { '.' };
        let fill = data_type.fill(&meta.fill_value);
        let grid = ChunkGrid { shape: meta.shape, chunk: meta.chunks, data_type, axes };
        Self { grid, big_endian, fill, codecs, prefix: "", separator }.checked()
    }

    /// Reads `zarr.json` of an array; what is wrong with it otherwise.
    pub(super) fn of_version_3(json: &[u8]) -> Result<Self, String> {
        let meta: Version3 = serde_json::from_slice(json).map_err(|e| e.to_string())?;
        if meta.chunk_grid.name() != "regular" {
            return Err(format!("its chunk grid is '{}', not 'regular'", meta.chunk_grid.name()));
        }
        let chunk = meta.chunk_grid.get("chunk_shape").cloned().unwrap_or_default();
        let chunk: Vec<u64> = serde_json::from_value(chunk).map_err(|e| e.to_string())?;
        let keys = &meta.chunk_key_encoding;
        let (prefix, usual) = match keys.name() {
            "default" => ("c", "/"),
            "v2" => ("", "."),
            other => return Err(format!("its chunk key encoding is '{other}'")),
        };
        let separator = match keys.text("separator").unwrap_or(usual) {
            "/" => '/',
            "." => '.',
            other => return Err(format!("the separator of its keys is '{other}'")),
        };
        let data_type = DataType::of_version_3(&meta.data_type);
        let mut axes: Vec<usize> = (0..meta.shape.len()).collect();
        let (mut big_endian, mut codecs) = (false, Ok(Vec::new()));
        for codec in &meta.codecs {
            match codec.name() {
                "bytes" => big_endian = codec.text("endian") == Some("big"),
                "vlen-utf8" if data_type == DataType::Text => {}
                "transpose" => {
                    let order = codec.get("order").cloned().unwrap_or_default();
                    axes = serde_json::from_value(order).map_err(|e| e.to_string())?;
                }
                name => {
                    codecs = codecs.and_then(|mut all| {
                        all.push(Codec::named(name)?);
                        Ok(all)
                    });
                }
            }
        }
        if !meta.storage_transformers.is_empty() {
            codecs = Err("storage transformers".into());
        }
        let fill = data_type.fill(&meta.fill_value);
        let grid = ChunkGrid { shape: meta.shape, chunk, data_type, axes };
        Self { grid, big_endian, fill, codecs, prefix, separator }.checked()
    }

    fn checked(self) -> Result<Self, String> {
        let ChunkGrid { shape, chunk, axes, .. } = &self.grid;
        let rank = shape.len();
        let mut sorted = axes.clone();
        sorted.sort_unstable();
        let fits = chunk.len() == rank && sorted.iter().copied().eq(0..rank);
        if !fits || rank > MAX_RANK || chunk.contains(&0) {
            return Err(format!("shape {shape:?} does not go with chunks {chunk:?}"));
        }
        Ok(self)
    }

    /// The most bytes that a chunk has once it is unpacked; `None` where no number can say it.
    pub(super) fn chunk_bytes(&self) -> Option<u64> {
        bytes(&self.grid.chunk, self.grid.data_type.width())
    }

    /// Bytes of all elements.
    pub(super) fn whole_bytes(&self) -> Option<u64> {
        bytes(&self.grid.shape, self.grid.data_type.width())
    }

    /// The key of a chunk, a path below the array's folder.
    pub(super) fn key(&self, chunk: &[u64]) -> String {
        let numbers: Vec<String> = chunk.iter().map(u64::to_string).collect();
        let numbers = numbers.join(&self.separator.to_string());
        match (self.prefix, chunk.is_empty()) {
            ("", true) => "0".into(),
            ("", false) => numbers,
            (prefix, true) => prefix.into(),
            (prefix, false) => format!("{prefix}{}{numbers}", self.separator),
        }
    }
}

fn bytes(dims: &[u64], width: usize) -> Option<u64> {
    dims.iter().try_fold(width as u64, |n, &d| n.checked_mul(d))
}
