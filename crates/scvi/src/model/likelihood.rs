//! `get_elbo` and `get_reconstruction_error`.

use super::cells::Cells;
use super::draws::PointEstimate;
use super::error::TaskError;
use super::minibatches::{Loaded, Room, for_each_minibatch};
use super::watch::Watch;
use crate::module::Inference;

/// Terms of each cell's evidence lower bound, in nats.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CellElbo {
    /// -ln p(x | z): `(cells)`.
    pub reconstruction_loss: Vec<f32>,
    /// KL(q(z|x) ‖ p(z)) and, of an inferred library, KL(q(l|x) ‖ p(l)): `(cells)`.
    pub kl_local: Vec<f32>,
}

impl CellElbo {
    /// ELBO of each cell, -(reconstruction_loss + kl_local); higher is better.
    pub fn elbo(&self) -> impl Iterator<Item = f64> {
        let terms = self.reconstruction_loss.iter().zip(&self.kl_local);
        terms.map(|(&r, &kl)| -(r as f64 + kl as f64))
    }
}

/// ELBO terms of every cell.
///
/// Source: scvi-tools 1.4.2, `model/base/_vaemixin.py`, `get_elbo`.
///
/// # Errors
/// [`TaskError`] where the data does not fit the model or cannot be read.
pub fn elbo(
    model: &impl Inference,
    cells: Cells,
    estimate: PointEstimate,
    watch: &mut Watch,
) -> Result<CellElbo, TaskError> {
    let vae = model.vae();
    vae.require_counts("elbo")?;
    let mut terms = CellElbo::default();
    let noise = estimate.noise();
    let work = |Loaded { ws, .. }: Loaded<_>, terms: &mut CellElbo| {
        // From the counts even where posteriors are stored beside them: the divergence is wanted.
        [terms.reconstruction_loss, terms.kl_local] = model.elbo_terms(ws, noise);
        Ok(())
    };
    for_each_minibatch(vae, cells, Room::Likelihood, watch, work, |some| {
        terms.reconstruction_loss.append(&mut some.reconstruction_loss);
        terms.kl_local.append(&mut some.kl_local);
        Ok(())
    })?;
    Ok(terms)
}
