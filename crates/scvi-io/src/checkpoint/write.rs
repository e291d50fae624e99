//! Writes a checkpoint.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use safetensors::Dtype;
use scvi::nn::{Slot, StateDict};
use scvi::train::{Trainable, TrainingRun};
use serde::Serialize;

use super::{CheckpointMeta, META_KEY, PREFIXES, SUM_TENSOR};
use crate::IoError;
use crate::checksum::Hashing;
use crate::model_dir::tensors::{header, to_bytes};
use crate::output::AtomicFile;

/// Writes the state of a run, whole or not at all; an existing file is replaced.
///
/// `meta` must describe the run as it is now.
///
/// # Errors
/// Where the file cannot be written, or a number is not finite.
pub fn write_checkpoint<M: Trainable<Config: Serialize>>(
    path: impl AsRef<Path>,
    meta: &CheckpointMeta<M::Config>,
    run: &TrainingRun<M>,
) -> Result<(), IoError> {
    let path = path.as_ref();
    let fault = |problem: String| IoError::BadOutput { path: path.to_owned(), problem };
    let json = serde_json::to_string(meta).map_err(|e| fault(e.to_string()))?;
    let metadata = HashMap::from([(META_KEY.to_owned(), json)]);
    // A slot at a time: the others need not be in memory with it.
    let [weights, first] = [Slot::Value, Slot::FirstMoment].map(|slot| run.state(slot));
    let named = |prefix: &'static str, state: &'_ StateDict<f32>| {
        let shape = |(name, t): (&String, &scvi::nn::Tensor<f32>)| {
            (format!("{prefix}{name}"), Dtype::F32, t.shape.clone())
        };
        state.iter().map(shape).collect::<Vec<_>>()
    };
    let [of_weights, of_first, of_second] = PREFIXES;
    let mut places = named(of_weights, &weights);
    places.extend(named(of_first, &first));
    places.extend(named(of_second, &first));
    places.push((SUM_TENSOR.to_owned(), Dtype::U8, vec![32]));
    let places = places.iter().map(|(name, dtype, shape)| (name.clone(), *dtype, &shape[..]));
    let header = header(path, Some(metadata), places)?;

    let mut out = Hashing::new(AtomicFile::create(path, true)?);
    let os = |e| IoError::os("write", path, e);
    out.write_all(&header).map_err(os)?;
    put(path, &mut out, weights)?;
    put(path, &mut out, first)?;
    put(path, &mut out, run.state(Slot::SecondMoment))?;
    let (mut file, sum) = out.finish();
    file.write_all(&sum).map_err(os)?;
    file.finish()
}

fn put(path: &Path, out: &mut impl Write, state: StateDict<f32>) -> Result<(), IoError> {
    for (name, t) in state {
        let bytes = to_bytes(path, &name, &t.shape, &t.data)?;
        out.write_all(&bytes).map_err(|e| IoError::os("write", path, e))?;
    }
    Ok(())
}
