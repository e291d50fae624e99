//! A pass over all cells in evaluation mode.

use std::io;

use scvi_kernels::Cpu;
use thiserror::Error;

use crate::data::{Dataset, Misfit};
use crate::distributions::SampleError;
use crate::module::{Minibatch, MinifiedError, Noise, Vae, Workspace};

/// A task could not be done.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TaskError {
    /// Counts could not be read.
    #[error("counts could not be read")]
    Read(#[from] io::Error),
    /// The model cannot take the data.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// The task needs counts, and there are none.
    #[error(transparent)]
    Minified(#[from] MinifiedError),
    /// A sample could not be drawn.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// The batch to decode as is none of the model's.
    #[error("transform_batch is {found}; the model has {n_batch} batches, counted from 0")]
    Batch {
        /// What came.
        found: u32,
        /// The model's batches.
        n_batch: usize,
    },
    /// No sample was asked for.
    #[error("n_samples is 0; it must be 1 or more")]
    NoSamples,
    /// No cells fit into a minibatch of none.
    #[error("batch_size is 0; it must be 1 or more")]
    BatchSize,
}

/// The posterior of a loaded minibatch: as it was stored, where the model's data is minified, or
/// inferred from its counts.
pub(super) fn infer(
    vae: &Vae<Cpu<f32>>,
    ws: &mut Workspace<Cpu<f32>>,
    batch: &Minibatch,
    noise: Option<Noise<f32>>,
) {
    match (vae.minified_data_type(), batch.posterior.borrow()) {
        (Some(_), Some(stored)) => vae.cached_inference(ws, stored, noise),
        _ => vae.inference(ws, noise),
    }
}

/// Whether a batch to decode as is one of the model's.
pub(super) fn check_batch(vae: &Vae<Cpu<f32>>, batch: Option<u32>) -> Result<(), TaskError> {
    let n_batch = vae.spec().config().n_batch.max(1);
    match batch.filter(|&batch| batch as usize >= n_batch) {
        Some(found) => Err(TaskError::Batch { found, n_batch }),
        None => Ok(()),
    }
}

/// What is done with a loaded minibatch.
pub(super) type Task<'a> =
    dyn FnMut(&mut Workspace<Cpu<f32>>, &Minibatch) -> Result<(), TaskError> + 'a;

/// Calls `task` with every minibatch of `data` in order, loaded into a workspace.
pub(super) fn for_each_minibatch(
    vae: &Vae<Cpu<f32>>,
    data: &Dataset,
    batch_size: usize,
    task: &mut Task,
) -> Result<(), TaskError> {
    data.check_fits(vae.spec())?;
    if vae.minified_data_type().is_some() && !data.has_posterior() {
        return Err(Misfit::Missing { what: "stored posteriors" }.into());
    }
    if batch_size == 0 {
        return Err(TaskError::BatchSize);
    }
    let max_cells = batch_size.min(data.n_cells());
    let mut ws = vae.workspace(max_cells, data.max_nnz(max_cells), false);
    let mut batch = Minibatch::default();
    let cells: Vec<u32> = (0..data.n_cells() as u32).collect();
    for cells in cells.chunks(batch_size) {
        data.fill(cells, &mut batch)?;
        ws.load(vae.backend(), &batch);
        task(&mut ws, &batch)?;
    }
    Ok(())
}
