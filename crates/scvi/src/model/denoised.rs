//! Draws of denoised expression, which correlations are taken of.

use scvi_kernels::Backend;

use rand_distr::{Distribution, Gamma};
use rayon::prelude::*;

use super::cells::Cells;
use super::draws::Posterior;
use super::error::TaskError;
use super::minibatches::{Loaded, Room, for_each_draw};
use super::watch::Watch;
use crate::distributions::NoiseRng;
use crate::module::{Choice, Decoded, GeneLikelihood, Vae};

/// What to draw.
pub(super) struct Denoise<'a> {
    /// Draws of each cell.
    pub(super) n_samples: u32,
    /// Size that every cell is brought to, in counts.
    pub(super) rna_size_factor: f64,
    pub(super) transform_batch: Option<u32>,
    /// Columns.
    pub(super) genes: &'a [u32],
    pub(super) seed: u64,
}

/// Draws w ~ Gamma(shape θ, rate θ/(s ρ)) for cells and genes, with s the size that cells are brought
/// to: a posterior predictive draw without the noise of counting. Each draw of a minibatch,
/// `(cells, genes)`, goes to `sink`.
///
/// Source: scvi-tools 1.4.2, `model/base/_rnamixin.py`, `_get_denoised_samples`.
pub(super) fn denoised_samples<B: Backend<Elem = f32>>(
    vae: &Vae<B>,
    cells: Cells,
    what: &Denoise,
    watch: &mut Watch,
    sink: &mut dyn FnMut(&[f32]),
) -> Result<(), TaskError> {
    let likelihood = vae.spec().config().gene_likelihood;
    if !matches!(likelihood, GeneLikelihood::Zinb | GeneLikelihood::Nb) {
        let task = "a correlation of genes";
        return Err(TaskError::NoDispersion { likelihood: likelihood.name(), task });
    }
    let posterior = Posterior::Samples { n_samples: what.n_samples, seed: what.seed };
    let n_draws = posterior.n_draws()?;
    let (genes, all_genes) = (what.genes, vae.spec().config().n_input);
    // Of each draw: (cells, genes).
    let work = |Loaded { ws, batch, draws, .. }: Loaded<_>, drawn: &mut Vec<Vec<f32>>| {
        drawn.resize_with(draws.len(), Vec::new);
        for (k, (rows, draw)) in drawn.iter_mut().zip(draws).enumerate() {
            posterior.draw(vae, ws, batch, draw, k == 0);
            vae.decode(ws, what.transform_batch, Decoded::All);
            rows.resize(batch.cells.len() * genes.len(), 0.0);
            vae.px_scale_into(ws, Some(genes), rows);
            let theta = vae.px_r(ws).unwrap_or_default(); // (cells, genes), or (genes)
            let is_table = theta.len() == all_genes;
            let chunks = rows.par_chunks_exact_mut(genes.len().max(1)).zip(&batch.cells);
            chunks.enumerate().for_each(|(row, (values, &cell))| {
                let theta = &theta[if is_table { 0 } else { row * all_genes }..];
                for (&gene, value) in genes.iter().zip(values) {
                    let rate = what.rna_size_factor * f64::from(*value);
                    let mut rng = NoiseRng::new(what.seed, draw, cell, gene);
                    *value = gamma(rate, f64::from(theta[gene as usize]), &mut rng) as f32;
                }
            });
        }
        Ok(())
    };
    for_each_draw(vae, cells, (Room::Decoded, n_draws, false), watch, work, |drawn| {
        drawn.iter().for_each(|rows| sink(rows));
        Ok(())
    })
}

/// A draw of mean `mean` and shape `theta`.
fn gamma(mean: f64, theta: f64, rng: &mut NoiseRng) -> f64 {
    // Beyond these bounds a float of single precision is 0 or infinite, and neither is a shape.
    let theta = theta.clamp(1e-30, 1e30);
    let gamma = Gamma::new(theta, 1.0).expect("both are positive");
    gamma.sample(rng) / theta * mean
}
