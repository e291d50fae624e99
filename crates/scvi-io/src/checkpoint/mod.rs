//! The checkpoint of a training run: one file beside the model folder it is to become.
//!
//! A safetensors file with the weights and Adam's moments, its metadata in the header, and the
//! SHA-256 of all the rest as its last tensor; `docs/formats.md` specifies it. It is replaced in one step,
//! so that a killed run leaves the old one or the new one.

mod difference;
mod meta;
mod read;
mod run;
mod schedule;
mod write;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

pub use meta::{CHECKPOINT_VERSION, CheckpointMeta, MappingSetup, RunSetup, sha256_of_tensors};
pub use read::{read_checkpoint, typed_run};
pub use run::{CheckpointError, RunCheckpoint, SavedRun};
pub use schedule::Schedule;
pub use write::write_checkpoint;

use crate::IoError;
use crate::output::with_ending;

/// The metadata's key in the header.
const META_KEY: &str = "scvi_rs_checkpoint";
/// The last tensor.
const SUM_TENSOR: &str = "sha256";
/// What stands before the names of tensors: weights, and Adam's two moments under torch's names.
const PREFIXES: [&str; 3] = ["weights/", "adam.exp_avg/", "adam.exp_avg_sq/"];

/// Deletes a checkpoint, if there is one.
///
/// # Errors
/// [`IoError::Os`] where it cannot be deleted.
pub fn remove_checkpoint(path: &Path) -> Result<(), IoError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(IoError::os("delete", path, error))
        }
        _ => Ok(()),
    }
}

/// Where the checkpoint of a model's training lies: `DIR.checkpoint`.
pub fn checkpoint_path(model: impl AsRef<Path>) -> PathBuf {
    with_ending(model.as_ref(), ".checkpoint")
}
