//! `get_latent_representation`.

use super::cells::Cells;
use super::draws::Posterior;
use super::error::TaskError;
use super::mean::MeanRows;
use super::minibatches::{Loaded, Room, for_each_draw, for_each_minibatch};
use super::pass::infer;
use super::watch::Watch;
use crate::module::{Inference, LatentDistribution, Noise};

/// The posterior q(z|x) = N(mean, var) of every cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Latent {
    /// Columns of the matrices.
    pub n_latent: usize,
    /// q_m: `(cells, n_latent)`.
    pub mean: Vec<f32>,
    /// q_v, variances: `(cells, n_latent)`.
    pub var: Vec<f32>,
}

/// The representation of every cell, `obsm["X_scVI"]`: the mean of its posterior, of a
/// logistic-normal one the mean of [`MC_SAMPLES`] draws on the simplex, `(cells, n_latent)`. `latent`
/// is the cells' [`latent_representation`].
///
/// Source: scvi-tools 1.4.2, `model/base/_vaemixin.py`, `get_latent_representation`.
///
/// # Errors
/// As [`latent_simplex_mean`].
pub fn latent_mean(
    model: &impl Inference,
    cells: Cells,
    latent: &Latent,
    seed: u64,
    watch: &mut Watch,
) -> Result<Vec<f32>, TaskError> {
    match model.vae().spec().config().latent_distribution {
        LatentDistribution::Normal => Ok(latent.mean.clone()),
        LatentDistribution::Ln => latent_simplex_mean(model, cells, MC_SAMPLES, seed, watch),
    }
}

/// Mean and variance of every cell's posterior, `obsm["X_scVI"]` being the mean.
///
/// Source: scvi-tools 1.4.2, `model/base/_vaemixin.py`, `get_latent_representation`.
///
/// # Errors
/// [`TaskError`] where the data does not fit the model or cannot be read.
pub fn latent_representation(
    model: &impl Inference,
    cells: Cells,
    watch: &mut Watch,
) -> Result<Latent, TaskError> {
    let vae = model.vae();
    let n_latent = vae.spec().config().n_latent;
    let values = || Vec::with_capacity(cells.len() * n_latent);
    let mut latent = Latent { n_latent, mean: values(), var: values() };
    let work = |Loaded { ws, batch, .. }: Loaded<_>, [mean, var]: &mut [Vec<f32>; 2]| {
        infer(vae, ws, batch, None);
        (*mean, *var) = (ws.qz_m(vae.backend()), ws.qz_v(vae.backend()));
        Ok(())
    };
    for_each_minibatch(vae, cells, Room::Hidden, watch, work, |[mean, var]| {
        latent.mean.extend_from_slice(mean);
        latent.var.extend_from_slice(var);
        Ok(())
    })?;
    Ok(latent)
}

/// One draw z ~ q(z|x) of every cell: `(cells, n_latent)` (`give_mean=False`).
///
/// # Errors
/// As [`latent_representation`].
pub fn latent_sample(
    model: &impl Inference,
    cells: Cells,
    seed: u64,
    watch: &mut Watch,
) -> Result<Vec<f32>, TaskError> {
    let vae = model.vae();
    let mut all = Vec::new();
    let work = |Loaded { ws, batch, .. }: Loaded<_>, z: &mut Vec<f32>| {
        infer(vae, ws, batch, Some(Noise::Seeded { seed, draw: 0 }));
        *z = ws.z(vae.backend());
        Ok(())
    };
    for_each_minibatch(vae, cells, Room::Hidden, watch, work, |z| {
        all.append(z);
        Ok(())
    })?;
    Ok(all)
}

/// Draws that scvi-tools takes for the mean of a logistic-normal posterior (`mc_samples`).
pub const MC_SAMPLES: u32 = 5000;

/// The mean of each cell's z over `mc_samples` draws: `(cells, n_latent)`.
///
/// With latent_distribution ln z is the softmax of a normal draw, whose mean has no closed form:
/// this estimates it, and is what scvi-tools gives as that model's representation. Other models have
/// their mean from [`latent_representation`].
///
/// Source: scvi-tools 1.4.2, `model/base/_vaemixin.py`, `get_latent_representation`.
///
/// # Errors
/// As [`latent_representation`]; [`TaskError::NoSamples`] where no draw is asked for.
pub fn latent_simplex_mean(
    model: &impl Inference,
    cells: Cells,
    mc_samples: u32,
    seed: u64,
    watch: &mut Watch,
) -> Result<Vec<f32>, TaskError> {
    let vae = model.vae();
    let posterior = Posterior::Samples { n_samples: mc_samples, seed };
    let n_draws = posterior.n_draws()?;
    let n_latent = vae.spec().config().n_latent;
    let mut all = Vec::new();
    let work = |Loaded { ws, batch, draws, .. }: Loaded<_>, mean: &mut MeanRows| {
        let n = ws.n_cells() * n_latent;
        for draw in draws.clone() {
            posterior.draw(vae, ws, batch, draw, draw == draws.start);
            mean.add(n, draws.len(), |out| out.copy_from_slice(&ws.z(vae.backend())));
        }
        Ok(())
    };
    for_each_draw(vae, cells, (Room::Hidden, n_draws, true), watch, work, |mean| {
        all.extend_from_slice(mean.rows());
        Ok(())
    })?;
    Ok(all)
}
