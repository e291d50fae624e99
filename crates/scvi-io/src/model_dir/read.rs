//! Reads a model folder.

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::tensors::{Tensors, unpack};
use super::{
    HISTORY_FILE, HistoryTable, META_FILE, SUMS_FILE, TENSORS_FILE, VERSION_KEY, checksums,
};
use crate::IoError;

fn not_model(dir: &Path, problem: String) -> IoError {
    IoError::NotModelDir { path: dir.into(), problem }
}

/// Whether a path is a folder with a `model.json` in it.
pub fn is_model_dir(dir: impl AsRef<Path>) -> bool {
    dir.as_ref().join(META_FILE).is_file()
}

/// Reads tensors and metadata of a model folder, from files whose names begin with `prefix`.
///
/// Every file must be the one that `SHA256SUMS` speaks of, where that is there. The format's
/// version is looked at before anything else is made of the metadata, so that a model of a later
/// version is refused as such.
///
/// # Errors
/// [`IoError::NotFound`] and [`IoError::NotModelDir`] where there is no model,
/// [`IoError::FormatVersion`] where its version is above `supported`, [`IoError::BadTensor`] where
/// a tensor is not of 4-byte floats or not finite.
pub fn read_model_dir<T: DeserializeOwned>(
    dir: impl AsRef<Path>,
    prefix: &str,
    supported: u32,
) -> Result<(Tensors, T), IoError> {
    let dir = dir.as_ref();
    let bad_meta = |e: serde_json::Error| not_model(dir, format!("{META_FILE}: {e}"));
    let json = read_file(dir, prefix, META_FILE)?;
    let meta: Value = serde_json::from_slice(&json).map_err(bad_meta)?;
    let version = meta.get(VERSION_KEY).and_then(Value::as_u64);
    let Some(found) = version.and_then(|v| u32::try_from(v).ok()) else {
        return Err(not_model(dir, format!("{META_FILE} has no {VERSION_KEY}")));
    };
    if found > supported {
        return Err(IoError::FormatVersion { path: dir.into(), found, supported });
    }
    // From the text once more: errors name the line.
    drop(meta);
    let meta = serde_json::from_slice(&json).map_err(bad_meta)?;
    let bytes = read_file(dir, prefix, TENSORS_FILE)?;
    Ok((unpack(&dir.join(format!("{prefix}{TENSORS_FILE}")), &bytes)?, meta))
}

/// Reads the training history of a model folder; an empty table where it has none.
///
/// # Errors
/// [`IoError::NotModelDir`] where the table is broken.
pub fn read_history(dir: impl AsRef<Path>, prefix: &str) -> Result<HistoryTable, IoError> {
    let dir = dir.as_ref();
    if !dir.join(format!("{prefix}{HISTORY_FILE}")).exists() {
        return Ok(HistoryTable::default());
    }
    let bytes = read_file(dir, prefix, HISTORY_FILE)?;
    HistoryTable::read(&bytes[..])
        .map_err(|problem| not_model(dir, format!("{HISTORY_FILE}: {problem}")))
}

fn read_file(dir: &Path, prefix: &str, name: &str) -> Result<Vec<u8>, IoError> {
    let name = &format!("{prefix}{name}");
    let path = dir.join(name);
    if !dir.exists() {
        return Err(IoError::NotFound { path: dir.into() });
    }
    if !dir.is_dir() {
        return Err(not_model(dir, "it is a file, not a folder".into()));
    }
    if !path.is_file() {
        return Err(not_model(dir, format!("no {name} in it")));
    }
    let bytes = fs::read(&path).map_err(|e| IoError::os("read", &path, e))?;
    // Folders of the first format have no sums, nor has one that was edited by hand.
    let sums = dir.join(format!("{prefix}{SUMS_FILE}"));
    if sums.exists() {
        let sums = fs::read(&sums).map_err(|e| IoError::os("read", &sums, e))?;
        let sums = String::from_utf8_lossy(&sums);
        checksums::check(&sums, name, &bytes).map_err(|problem| not_model(dir, problem))?;
    }
    Ok(bytes)
}
