//! `get_latent_representation`.

use scvi_kernels::Cpu;

use super::cells::Cells;
use super::pass::{TaskError, for_each_minibatch, infer};
use super::watch::Watch;
use crate::module::{Noise, Vae};

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

/// Mean and variance of every cell's posterior, `obsm["X_scVI"]` being the mean.
///
/// Source: scvi-tools 1.4.2, `model/base/_vaemixin.py`, `get_latent_representation`.
///
/// # Errors
/// [`TaskError`] where the data does not fit the model or cannot be read.
pub fn latent_representation(
    vae: &Vae<Cpu<f32>>,
    cells: Cells,
    watch: &mut Watch,
) -> Result<Latent, TaskError> {
    let n_latent = vae.spec().config().n_latent;
    let mut latent = Latent { n_latent, mean: Vec::new(), var: Vec::new() };
    for_each_minibatch(vae, cells, watch, &mut |ws, batch| {
        infer(vae, ws, batch, None);
        latent.mean.extend(ws.qz_m(vae.backend()));
        latent.var.extend(ws.qz_v(vae.backend()));
        Ok(())
    })?;
    Ok(latent)
}

/// One draw z ~ q(z|x) of every cell: `(cells, n_latent)` (`give_mean=False`).
///
/// # Errors
/// As [`latent_representation`].
pub fn latent_sample(
    vae: &Vae<Cpu<f32>>,
    cells: Cells,
    seed: u64,
    watch: &mut Watch,
) -> Result<Vec<f32>, TaskError> {
    let mut z = Vec::new();
    for_each_minibatch(vae, cells, watch, &mut |ws, batch| {
        infer(vae, ws, batch, Some(Noise::Seeded { seed, draw: 0 }));
        z.extend(ws.z(vae.backend()));
        Ok(())
    })?;
    Ok(z)
}
