//! `posterior_predictive_sample`.

use scvi_kernels::Cpu;

use super::cells::Cells;
use super::pass::{TaskError, check_batch, for_each_minibatch, infer};
use super::watch::Watch;
use crate::distributions::{
    MAX_POISSON_RATE, NegativeBinomial, Normal, Poisson, SampleError, SampleNoise,
    ZeroInflatedNegativeBinomial, sample_matrix,
};
use crate::module::{GeneLikelihood, Noise, Vae, Workspace};

/// How to draw from the posterior predictive distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleOptions {
    /// Draws of each cell.
    pub n_samples: u32,
    /// Largest rate that a Poisson count is drawn with.
    pub max_poisson_rate: f64,
    /// Decodes every cell as if it came from this batch.
    pub transform_batch: Option<u32>,
    /// Seed of the draws.
    pub seed: u64,
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self { n_samples: 1, max_poisson_rate: MAX_POISSON_RATE, transform_batch: None, seed: 0 }
    }
}

/// Draws counts x̂ ~ p(x̂|z), z ~ q(z|x), of every cell: `(cells, genes, n_samples)`.
///
/// Each draw has a z of its own. A number depends on the seed, its cell, its gene and its draw
/// alone.
///
/// Source: scvi-tools 1.4.2, `module/_vae.py`, `sample`; `model/base/_rnamixin.py`,
/// `posterior_predictive_sample`.
///
/// # Errors
/// [`TaskError`] where the data does not fit the model or cannot be read, no draw is asked for, or
/// a decoded parameter describes no distribution.
pub fn posterior_predictive_sample(
    vae: &Vae<Cpu<f32>>,
    cells: Cells,
    options: &SampleOptions,
    watch: &mut Watch,
) -> Result<Vec<f32>, TaskError> {
    check_batch(vae, options.transform_batch)?;
    let n_samples = options.n_samples as usize;
    if n_samples == 0 {
        return Err(TaskError::NoSamples);
    }
    let genes: Vec<u32> = (0..cells.data.n_genes() as u32).collect();
    let mut all = vec![0.0; cells.len() * genes.len() * n_samples];
    let (mut counts, mut first) = (Vec::new(), 0);
    for_each_minibatch(vae, cells, watch, &mut |ws, batch| {
        counts.resize(batch.cells.len() * genes.len(), 0.0);
        for draw in 0..options.n_samples {
            infer(vae, ws, batch, Some(Noise::Seeded { seed: options.seed, draw }));
            vae.generative(ws, options.transform_batch);
            let noise =
                SampleNoise { seed: options.seed, draw, cells: &batch.cells, genes: &genes };
            sample_decoded(vae, ws, noise, options.max_poisson_rate, &mut counts)?;
            let places = all[first..].iter_mut().skip(draw as usize);
            places.step_by(n_samples).zip(&counts).for_each(|(place, &x)| *place = x);
        }
        first += counts.len() * n_samples;
        Ok(())
    })?;
    Ok(all)
}

/// One draw of the counts of the minibatch last decoded: `(cells, genes)`.
fn sample_decoded(
    vae: &Vae<Cpu<f32>>,
    ws: &Workspace<Cpu<f32>>,
    noise: SampleNoise,
    max_poisson_rate: f64,
    out: &mut [f32],
) -> Result<(), SampleError> {
    let n = noise.genes.len();
    let rate = vae.px_rate(ws); // (cells, genes)
    let theta = vae.px_r(ws).unwrap_or_default(); // (cells, genes), or (genes)
    let logits = vae.px_dropout(ws).unwrap_or_default(); // (cells, genes)
    let at = |row: usize, gene: usize| row * n + gene;
    let theta = |row, gene| theta[if theta.len() == n { gene } else { at(row, gene) }];
    match vae.spec().config().gene_likelihood {
        GeneLikelihood::Zinb => {
            let zinb = |row, gene| {
                let i = at(row, gene);
                ZeroInflatedNegativeBinomial::new(rate[i], theta(row, gene), logits[i])
            };
            sample_matrix(noise, zinb, out)
        }
        GeneLikelihood::Nb => {
            let nb = |row, gene| NegativeBinomial::new(rate[at(row, gene)], theta(row, gene));
            sample_matrix(noise, nb, out)
        }
        GeneLikelihood::Poisson => {
            let most = max_poisson_rate as f32;
            let poisson = |row, gene| Poisson::new(rate[at(row, gene)])?.clipped(most);
            sample_matrix(noise, poisson, out)
        }
        GeneLikelihood::Normal => {
            let normal = |row, gene| Normal::new(rate[at(row, gene)], theta(row, gene));
            sample_matrix(noise, normal, out)
        }
    }
}
