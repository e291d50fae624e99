//! `get_marginal_ll`.

use super::cells::Cells;
use super::error::TaskError;
use super::log_sum_exp::LogSumExp;
use super::minibatches::{Loaded, Room, for_each_minibatch};
use super::watch::Watch;
use crate::module::{Inference, Noise};

/// ln p(x) of every cell by importance sampling from the posterior, in nats: `(cells)`.
///
/// ```text
/// ln p(x) ≈ ln 1/K Σ_k p(x|z_k) p(z_k) / q(z_k|x),  z_k ~ q(z|x)
/// ```
/// with exactly K = `n_mc_samples` draws, one after another: memory does not grow with K, and
/// scvi-tools' `n_mc_samples_per_pass` has no counterpart. A cell's draws depend on `seed` and its
/// number alone.
///
/// Source: scvi-tools 1.4.2, `model/base/_vaemixin.py`, `get_marginal_ll`; `module/_vae.py`,
/// `marginal_ll`.
///
/// # Errors
/// [`TaskError`] where the data does not fit the model, is minified or cannot be read, or no draw
/// is asked for.
pub fn marginal_ll(
    model: &impl Inference,
    cells: Cells,
    n_mc_samples: u32,
    seed: u64,
    watch: &mut Watch,
) -> Result<Vec<f64>, TaskError> {
    let vae = model.vae();
    vae.require_counts("marginal_ll")?;
    if n_mc_samples == 0 {
        return Err(TaskError::NoSamples);
    }
    let mut all = Vec::with_capacity(cells.len());
    let work = |Loaded { ws, .. }: Loaded<_>, means: &mut Vec<f64>| {
        vae.inference(ws, None);
        let mut sums = vec![LogSumExp::default(); ws.n_cells()];
        for draw in 0..n_mc_samples {
            vae.redraw(ws, Noise::Seeded { seed, draw });
            vae.generative(ws, None);
            for (sum, weight) in sums.iter_mut().zip(vae.log_importance_weights(ws)) {
                sum.add(weight);
            }
        }
        means.extend(sums.iter().map(LogSumExp::log_mean));
        Ok(())
    };
    for_each_minibatch(vae, cells, Room::Likelihood, watch, work, |means| {
        all.append(means);
        Ok(())
    })?;
    Ok(all)
}
