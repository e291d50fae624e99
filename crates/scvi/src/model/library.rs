//! `get_latent_library_size` and `get_batch_representation`.

use super::cells::Cells;
use super::draws::Posterior;
use super::error::TaskError;
use super::minibatches::{Loaded, Room, for_each_minibatch};
use super::watch::Watch;
use crate::module::Inference;
use crate::nn::BATCH;

/// Which size of a library is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LibraryEstimate {
    /// The mean of the posterior, LogNormal(q_m, √q_v) (`give_mean=True`): e^(q_m + q_v/2).
    Mean,
    /// One draw from the posterior; of a model that does not infer it, what was observed, Σ_g x
    /// (`give_mean=False`).
    Sample {
        /// Seed of the draw.
        seed: u64,
    },
}

/// Library size of each cell, in counts: `(cells)`.
///
/// Source: scvi-tools 1.4.2, `model/base/_rnamixin.py`, `get_latent_library_size`.
///
/// # Errors
/// [`TaskError`] where the data does not fit the model, is minified or cannot be read, or the mean
/// is asked of a model that infers no library.
pub fn latent_library_size(
    model: &impl Inference,
    cells: Cells,
    estimate: LibraryEstimate,
    watch: &mut Watch,
) -> Result<Vec<f32>, TaskError> {
    let vae = model.vae();
    vae.require_counts("latent_library_size")?;
    let posterior = match estimate {
        LibraryEstimate::Mean => Posterior::Mean,
        LibraryEstimate::Sample { seed } => Posterior::Samples { n_samples: 1, seed },
    };
    let mut sizes = Vec::with_capacity(cells.len());
    let work = |Loaded { ws, batch, .. }: Loaded<_>, sizes: &mut Vec<f32>| {
        posterior.draw(vae, ws, batch, 0, true);
        match estimate {
            LibraryEstimate::Sample { .. } => {
                sizes.extend(ws.library(vae.backend()).iter().map(|l| l.exp()));
            }
            LibraryEstimate::Mean => {
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
