//! Reads a checkpoint.

use std::fs;
use std::path::Path;

use safetensors::SafeTensors;
use scvi::nn::{StateDict, Tensor};
use scvi::train::Checkpoint;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{CHECKPOINT_VERSION, CheckpointMeta, META_KEY, PREFIXES, SUM_TENSOR, SavedRun};
use crate::IoError;
use crate::checksum::sha256;
use crate::model_dir::tensors;

/// Reads the checkpoint of a module that is made from a `C`: what the engine goes on from, and the
/// rest.
///
/// # Errors
/// [`IoError::NotFound`], [`IoError::NotCheckpoint`] where the file is none or is damaged,
/// [`IoError::FormatVersion`] where it is of another version, [`IoError::BadTensor`].
pub fn read_checkpoint<C: Clone + DeserializeOwned>(
    path: impl AsRef<Path>,
) -> Result<SavedRun<C>, IoError> {
    let path = path.as_ref();
    let bytes = fs::read(path).map_err(|e| IoError::os("read", path, e))?;
    parse(path, &bytes)
}

/// A checkpoint that was read as that of any module, as one of a module that is made from a `C`.
///
/// # Errors
/// [`IoError::NotCheckpoint`] where it is that of another.
pub fn typed_run<C: Clone + DeserializeOwned>(
    path: impl AsRef<Path>,
    (meta, checkpoint): SavedRun<Value>,
) -> Result<SavedRun<C>, IoError> {
    let meta: CheckpointMeta<C> = meta.typed(path.as_ref())?;
    let Checkpoint { progress, weights, moments, .. } = checkpoint;
    let run = meta.run.clone();
    Ok((meta, Checkpoint { run, progress, weights, moments }))
}

fn parse<C: Clone + DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<SavedRun<C>, IoError> {
    let fault = |problem: String| IoError::NotCheckpoint { path: path.to_owned(), problem };
    let broken = |e: &dyn std::fmt::Display| fault(format!("not a safetensors file: {e}"));
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| broken(&e))?;
    let json = header.metadata().as_ref().and_then(|of| of.get(META_KEY));
    let json = json.ok_or_else(|| fault(format!("no {META_KEY} in its header")))?;
    // Before all else: a later version may mean anything by the rest.
    let meta: CheckpointMeta<C> = meta(path, json)?;
    let (rest, sum) = bytes.split_last_chunk::<32>().ok_or_else(|| fault("cut off".to_owned()))?;
    if sha256(rest) != *sum {
        return Err(fault("it is damaged: its SHA-256 is not the one it ends with".to_owned()));
    }
    let mut states = [(); 3].map(|()| StateDict::new());
    for (name, view) in SafeTensors::deserialize(bytes).map_err(|e| broken(&e))?.iter() {
        let place = PREFIXES.iter().position(|prefix| name.starts_with(prefix));
        match place {
            Some(i) => {
                let tensor = tensors::read(path, name, &view)?;
                let tensor = Tensor { shape: tensor.shape, data: tensor.values };
                states[i].insert(name[PREFIXES[i].len()..].to_owned(), tensor);
            }
            None if name == SUM_TENSOR => {}
            None => return Err(fault(format!("tensor '{name}' has no place in it"))),
        }
    }
    let [weights, first, second] = states;
    let (run, progress) = (meta.run.clone(), meta.progress.clone());
    Ok((meta, Checkpoint { run, progress, weights, moments: [first, second] }))
}

fn meta<C: DeserializeOwned>(path: &Path, json: &str) -> Result<CheckpointMeta<C>, IoError> {
    let fault = |e: serde_json::Error| IoError::NotCheckpoint {
        path: path.to_owned(),
        problem: format!("{META_KEY}: {e}"),
    };
    let value: Value = serde_json::from_str(json).map_err(fault)?;
    let version = value.get("checkpoint_version").and_then(Value::as_u64);
    match version.and_then(|v| u32::try_from(v).ok()) {
        Some(found) if found != CHECKPOINT_VERSION => Err(IoError::FormatVersion {
            path: path.to_owned(),
            found,
            supported: CHECKPOINT_VERSION,
        }),
        // A version that is missing is told as a missing field.
        _ => serde_json::from_value(value).map_err(fault),
    }
}
