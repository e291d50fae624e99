//! `posterior_predictive_sample`.

use scvi_kernels::Backend;

use super::cells::Cells;
use super::draws::Posterior;
use super::error::TaskError;
use super::minibatches::{Loaded, Room, for_each_draw};
use super::pass::{check_genes, decode_as};
use super::watch::Watch;
use crate::distributions::{
    MAX_POISSON_RATE, NegativeBinomial, Normal, Poisson, SampleError, SampleNoise,
    ZeroInflatedNegativeBinomial, sample_matrix,
};
use crate::module::{Decoded, GeneLikelihood, Inference, Vae, Workspace};

/// How to draw from the posterior predictive distribution.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleOptions {
    /// Draws of each cell.
    pub n_samples: u32,
    /// Largest rate that a Poisson count is drawn with.
    pub max_poisson_rate: f64,
    /// Decodes every cell as if it came from each of these batches, and takes the mean of the draws;
    /// none for the cell's own.
    pub transform_batch: Vec<u32>,
    /// Genes to draw, in the order of the columns; all where `None`.
    pub genes: Option<Vec<u32>>,
    /// Seed of the draws.
    pub seed: u64,
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self {
            n_samples: 1,
            max_poisson_rate: MAX_POISSON_RATE,
            transform_batch: Vec::new(),
            genes: None,
            seed: 0,
        }
    }
}

/// Draws of some cells.
#[derive(Debug, Clone, Copy)]
pub struct SampledRows<'a> {
    /// Which draw of these cells, from 0.
    pub draw: u32,
    /// Place of the first cell among those asked for.
    pub first: usize,
    /// Drawn counts: `(cells, genes)`.
    pub values: &'a [f32],
}

/// What takes the draws as they come: every draw of the first cells, then of the next.
pub type SampleSink<'a> = dyn FnMut(SampledRows) -> Result<(), TaskError> + 'a;

/// Draws counts x̂ ~ p(x̂|z), z ~ q(z|x), of every cell.
///
/// Each draw has a z of its own. A number depends on the seed, its cell, its gene and its draw
/// alone. With several batches to decode as, a number is the mean of one draw from each.
///
/// Source: scvi-tools 1.4.2, `module/_vae.py`, `sample`; `model/base/_rnamixin.py`,
/// `posterior_predictive_sample`.
///
/// # Errors
/// [`TaskError`] where the data does not fit the model or cannot be read, no draw is asked for, a
/// batch or gene is not the model's, or a decoded parameter describes no distribution; and those of
/// `sink`.
pub fn posterior_predictive_sample(
    model: &impl Inference,
    cells: Cells,
    options: &SampleOptions,
    sink: &mut SampleSink,
    watch: &mut Watch,
) -> Result<(), TaskError> {
    let vae = model.vae();
    let batches = decode_as(vae, &options.transform_batch)?;
    check_genes(vae, options.genes.as_deref())?;
    let n_genes = vae.spec().config().n_input as u32;
    let genes = options.genes.clone().unwrap_or_else(|| (0..n_genes).collect());
    let posterior = Posterior::Samples { n_samples: options.n_samples, seed: options.seed };
    let n_draws = posterior.n_draws()?;
    let work = |Loaded { ws, batch, first, draws }: Loaded<_>, drawn: &mut Drawn| {
        let len = batch.cells.len() * genes.len();
        (drawn.first, drawn.draw) = (first, draws.start);
        drawn.values.resize_with(draws.len(), Vec::new);
        let one = &mut drawn.one;
        one.resize(len, 0.0);
        for (k, (values, draw)) in drawn.values.iter_mut().zip(draws).enumerate() {
            posterior.draw(vae, ws, batch, draw, k == 0);
            values.clear();
            values.resize(len, 0.0);
            for (i, &as_batch) in (0..).zip(&batches) {
                vae.decode(ws, as_batch, Decoded::All);
                // Batches have draws of their own.
                let draw = draw * batches.len() as u32 + i;
                let noise =
                    SampleNoise { seed: options.seed, draw, cells: &batch.cells, genes: &genes };
                sample_decoded(vae, ws, noise, options.max_poisson_rate, one)?;
                values.iter_mut().zip(&*one).for_each(|(sum, x)| *sum += x);
            }
            let n = batches.len() as f32;
            values.iter_mut().for_each(|v| *v /= n);
        }
        Ok(())
    };
    let draws = (Room::Decoded, n_draws, false);
    for_each_draw(vae, cells, draws, watch, work, |Drawn { first, draw, values, .. }| {
        let mut values = (*draw..).zip(values);
        values.try_for_each(|(draw, values)| sink(SampledRows { draw, first: *first, values }))
    })
}

/// Draws of a minibatch.
#[derive(Default)]
struct Drawn {
    /// Place of the first cell.
    first: usize,
    /// Number of the first draw.
    draw: u32,
    /// Of each draw: `(cells, genes)`.
    values: Vec<Vec<f32>>,
    /// From one batch: `(cells, genes)`.
    one: Vec<f32>,
}

/// One draw of the counts of the minibatch last decoded: `(cells, genes)`.
fn sample_decoded<B: Backend<Elem = f32>>(
    vae: &Vae<B>,
    ws: &Workspace<B>,
    noise: SampleNoise,
    max_poisson_rate: f64,
    out: &mut [f32],
) -> Result<(), SampleError> {
    let n = vae.spec().config().n_input;
    let rate = vae.px_rate(ws); // (cells, genes)
    let theta = vae.px_r(ws).unwrap_or_default(); // (cells, genes), or (genes)
    let logits = vae.px_dropout(ws).unwrap_or_default(); // (cells, genes)
    let at = |row: usize, column: usize| row * n + noise.genes[column] as usize;
    let theta = |row, column| theta[if theta.len() == n { at(0, column) } else { at(row, column) }];
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
