//! What tasks over cells have in common.

use scvi_kernels::Backend;

use super::cells::Cells;
use super::error::TaskError;
use crate::data::Misfit;
use crate::module::{Minibatch, Noise, Vae, Workspace};

/// The posterior of a loaded minibatch: as it was stored, where the model's data is minified, or
/// inferred from its counts.
pub(super) fn infer<B: Backend<Elem = f32>>(
    vae: &Vae<B>,
    ws: &mut Workspace<B>,
    batch: &Minibatch,
    noise: Option<Noise<f32>>,
) {
    match (vae.minified_data_type(), batch.posterior.borrow()) {
        (Some(_), Some(_)) => vae.cached_inference(ws, noise),
        _ => vae.inference(ws, noise),
    }
}

/// The batches to decode cells as, if the model has them; the cell's own where none is named.
pub(super) fn decode_as<B: Backend<Elem = f32>>(
    vae: &Vae<B>,
    transform_batch: &[u32],
) -> Result<Vec<Option<u32>>, TaskError> {
    let n_batch = vae.spec().config().n_batch.max(1);
    match transform_batch.iter().find(|&&batch| batch as usize >= n_batch) {
        Some(&found) => Err(TaskError::Batch { found, n_batch }),
        None if transform_batch.is_empty() => Ok(vec![None]),
        None => Ok(transform_batch.iter().copied().map(Some).collect()),
    }
}

/// Whether the genes to give are the model's.
pub(super) fn check_genes<B: Backend<Elem = f32>>(
    vae: &Vae<B>,
    genes: Option<&[u32]>,
) -> Result<(), TaskError> {
    let n_genes = vae.spec().config().n_input;
    match genes.unwrap_or_default().iter().find(|&&gene| gene as usize >= n_genes) {
        Some(&found) => Err(TaskError::Gene { found, n_genes }),
        None if genes.is_some_and(<[u32]>::is_empty) => Err(TaskError::NoGenes),
        None => Ok(()),
    }
}

/// Makes sure that a pass can go over the cells.
pub(super) fn check_cells<B: Backend<Elem = f32>>(
    vae: &Vae<B>,
    cells: Cells,
) -> Result<(), TaskError> {
    cells.data.check_fits(vae.spec())?;
    if vae.minified_data_type().is_some() && !cells.data.has_posterior() {
        return Err(Misfit::Missing { what: "stored posteriors" }.into());
    }
    cells.check()
}
