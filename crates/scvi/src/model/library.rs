//! `get_latent_library_size` and `get_batch_representation`.

use super::cells::Cells;
use super::draws::PointEstimate;
use super::error::TaskError;
use super::minibatches::{Loaded, Room, for_each_minibatch};
use super::pass::infer;
use super::watch::Watch;
use crate::module::Inference;
use crate::nn::BATCH;

/// Library size of each cell, in counts: `(cells)`. The mean is that of the posterior,
/// LogNormal(q_m, √q_v), e^(q_m + q_v/2) (`give_mean=True`); the sample of a model that infers no
/// library is what was observed, Σ_g x (`give_mean=False`).
///
/// Source: scvi-tools 1.4.2, `model/base/_rnamixin.py`, `get_latent_library_size`.
///
/// # Errors
/// [`TaskError`] where the data does not fit the model, is minified or cannot be read, or the mean
/// is asked of a model that infers no library.
pub fn latent_library_size(
    model: &impl Inference,
    cells: Cells,
    estimate: PointEstimate,
    watch: &mut Watch,
) -> Result<Vec<f32>, TaskError> {
    let vae = model.vae();
    vae.require_counts("latent_library_size")?;
    let mut sizes = Vec::with_capacity(cells.len());
    let work = |Loaded { ws, batch, .. }: Loaded<_>, sizes: &mut Vec<f32>| {
        infer(vae, ws, batch, estimate.noise());
        match estimate {
            PointEstimate::Sample { .. } => {
                sizes.extend(ws.library(vae.backend()).iter().map(|l| l.exp()));
            }
            PointEstimate::Mean => {
                let [mean, var] = ws.ql(vae.backend()).ok_or(TaskError::ObservedLibrary)?;
                sizes.extend(mean.iter().zip(&var).map(|(m, v)| (m + v / 2.0).exp()));
            }
        }
        Ok(())
    };
    for_each_minibatch(vae, cells, Room::Hidden, watch, work, |some| {
        sizes.append(some);
        Ok(())
    })?;
    Ok(sizes)
}

/// The vector of each cell's batch, where batches are embedded: `(cells, embedding_dim)`.
///
/// Source: scvi-tools 1.4.2, `model/base/_embedding_mixin.py`, `get_batch_representation`.
///
/// # Errors
/// [`TaskError`] where the model has no such embedding, or the data does not fit it.
pub fn batch_representation(
    model: &impl Inference,
    cells: Cells,
    watch: &mut Watch,
) -> Result<Vec<f32>, TaskError> {
    let vae = model.vae();
    let mut vectors = Vec::new();
    let work = |Loaded { batch, .. }: Loaded<_>, vectors: &mut Vec<f32>| {
        *vectors = vae.compute_embedding(BATCH, &batch.batch)?;
        Ok(())
    };
    for_each_minibatch(vae, cells, Room::Hidden, watch, work, |some| {
        vectors.append(some);
        Ok(())
    })?;
    Ok(vectors)
}
