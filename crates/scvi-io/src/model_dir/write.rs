//! Writes a model folder.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::tensors::{Tensors, pack};
use super::{
    HISTORY_FILE, HistoryTable, META_FILE, SUMS_FILE, TENSORS_FILE, VERSION_KEY, checksums,
};
use crate::IoError;
use crate::output::{AtomicDir, AtomicFile, check_output_dir};

/// Checks, before the work, that a model folder can be written at `dir`.
///
/// # Errors
/// As [`check_output_dir`]: an existing folder is replaced only with `overwrite`, and only if it
/// is empty or a model folder.
pub fn check_model_output(dir: impl AsRef<Path>, overwrite: bool) -> Result<(), IoError> {
    check_output_dir(dir, META_FILE, overwrite)
}

/// Writes a model folder, in whole or not at all.
///
/// `meta` must serialise to a JSON object with a whole number `format_version`.
///
/// # Errors
/// [`IoError`] where the folder cannot be written, a tensor's values are not finite or do not fit
/// its shape, or a row of the history is too short or too long.
pub fn write_model_dir<T: Serialize>(
    dir: impl AsRef<Path>,
    tensors: &Tensors,
    meta: &T,
    history: &HistoryTable,
    overwrite: bool,
) -> Result<(), IoError> {
    let dir = dir.as_ref();
    let files = files(dir, "", tensors, meta, history)?;
    let temp = AtomicDir::create(dir, META_FILE, overwrite)?;
    for (name, bytes) in files {
        fs::write(temp.temp_path().join(name), bytes).map_err(|e| IoError::os("write", dir, e))?;
    }
    temp.finish()
}

/// Writes a model into a folder beside whatever else it holds; names of its files begin with
/// `prefix`.
///
/// Each file appears whole or not at all, once all of them are written; the checksums tell files
/// of two models apart, should the program be killed in between.
///
/// # Errors
/// As [`write_model_dir`]; a folder that is there already needs `overwrite`.
pub fn write_model_beside<T: Serialize>(
    dir: impl AsRef<Path>,
    prefix: &str,
    tensors: &Tensors,
    meta: &T,
    history: &HistoryTable,
    overwrite: bool,
) -> Result<(), IoError> {
    let dir = dir.as_ref();
    if !dir.exists() && prefix.is_empty() {
        return write_model_dir(dir, tensors, meta, history, overwrite);
    }
    if dir.exists() && !overwrite {
        return Err(IoError::Exists { path: dir.into() });
    }
    if prefix.contains(['/', '\\']) {
        return Err(IoError::BadInput {
            what: "prefix".into(),
            expected: "the beginning of a file's name".into(),
            found: format!("'{prefix}'"),
        });
    }
    let files = files(dir, prefix, tensors, meta, history)?;
    fs::create_dir_all(dir).map_err(|e| IoError::os("create", dir, e))?;
    let mut written = Vec::with_capacity(files.len());
    for (name, bytes) in files {
        let mut file = AtomicFile::create(dir.join(name), overwrite)?;
        file.write_all(&bytes).map_err(|e| IoError::os("write", dir, e))?;
        written.push(file);
    }
    written.into_iter().try_for_each(AtomicFile::finish)
}

/// Names and contents of a model's files, the checksums last.
fn files<T: Serialize>(
    dir: &Path,
    prefix: &str,
    tensors: &Tensors,
    meta: &T,
    history: &HistoryTable,
) -> Result<Vec<(String, Vec<u8>)>, IoError> {
    let bad = |what: &str, expected: &str, found: String| IoError::BadInput {
        what: what.into(),
        expected: expected.into(),
        found,
    };
    // By way of a value: its maps are sorted by key, whatever order `meta` has them in.
    let meta = serde_json::to_value(meta)
        .map_err(|e| bad("the metadata", "something that JSON can hold", e.to_string()))?;
    if meta.get(VERSION_KEY).and_then(|v| v.as_u64()).is_none() {
        return Err(bad("the metadata", "an object with a format_version", "none".into()));
    }
    let json = format!("{meta:#}\n");
    let packed = pack(&dir.join(TENSORS_FILE), tensors)?;
    let mut table = Vec::new();
    history
        .write(&mut table)
        .map_err(|e| bad("the history", "rows as long as the header", e.to_string()))?;
    let files = [(HISTORY_FILE, table), (META_FILE, json.into_bytes()), (TENSORS_FILE, packed)];
    let mut files: Vec<(String, Vec<u8>)> =
        files.into_iter().map(|(name, bytes)| (format!("{prefix}{name}"), bytes)).collect();
    let sums = checksums::lines(&files);
    files.push((format!("{prefix}{SUMS_FILE}"), sums.into_bytes()));
    Ok(files)
}
