//! Importance weights of samples: how well each explains the cells of its group.
//!
//! With anchors a, cells of the group, and samples z of the group's posteriors:
//! ```text
//! w(z) = p(z) Σ_a p(x_a | z) / p(x_a) / Σ_a q(z | x_a)
//! ```
//! where p(x_a | z) takes px_scale as z decodes it, times the anchor's own size. Samples are drawn
//! again with chances proportional to w. With truncation, weights below their mean are raised to it.
//! The densities are those of the untransformed draw.
//!
//! One minibatch of samples meets one anchor at a time, so that memory depends on neither number;
//! the time is that of decoding every sample once for every anchor.
//!
//! Source: scvi-tools 1.4.2, `model/base/_rnamixin.py`, `get_importance_weights`.

use scvi_kernels::{CsrRows, Philox, Stream};

use super::draws::{Draws, Population};
use super::options::ImportanceOptions;
use super::plan::{Part, Planned};
use super::round::{Context, Latent};
use super::run::Meter;
use crate::model::cells::Cells;
use crate::model::latent::latent_representation;
use crate::model::log_sum_exp::LogSumExp;
use crate::model::marginal_ll::marginal_ll;
use crate::model::pass::TaskError;
use crate::module::Minibatch;

/// Samples weighed at a time.
const SAMPLES: usize = 128;

/// Puts samples drawn by their weights in place of a contrast's.
pub(super) fn resample(
    context: &Context,
    options: ImportanceOptions,
    planned: &mut Planned,
    draws: &[Draws],
    latent: &[Latent],
    meter: &mut Meter,
) -> Result<(), TaskError> {
    for side in [0, 1] {
        let drawn = Population::of(planned.contrast, side);
        let mut cells = context.populations.cells(drawn).into_owned();
        let philox = Philox::new(context.options.seed);
        if cells.len() > options.max_cells {
            philox.shuffle(Stream::Anchors, side as u32, &mut cells);
            cells.truncate(options.max_cells);
            cells.sort_unstable();
        }
        let anchors = Anchors::new(context, &cells, options.n_mc_samples, meter)?;
        for part in &mut planned.sides[side] {
            let draws = &draws[part.set];
            let weights = anchors.weigh(context, part, draws, &latent[part.set], meter)?;
            let weights = shares(weights, options.truncation);
            let stream = context.populations.stream(draws.source);
            let uniform = |k: u32| philox.uniform(Stream::Resample as u32, stream, k, side as u32);
            part.places = draw_again(&part.places, &weights, uniform);
        }
    }
    Ok(())
}

/// Cells that samples are held to.
struct Anchors {
    rows: CsrRows,
    log_px: Vec<f64>, // (anchors)
    mean: Vec<f32>,   // (anchors, n_latent)
    var: Vec<f32>,    // (anchors, n_latent)
}

impl Anchors {
    fn new(
        context: &Context,
        cells: &[u32],
        n_mc_samples: u32,
        meter: &mut Meter,
    ) -> Result<Self, TaskError> {
        let Context { vae, data, options, .. } = context;
        vae.require_counts("importance weights")?;
        let mut rows = CsrRows::default();
        rows.clear();
        data.counts().read(cells, &mut rows)?;
        let cells = Cells::chosen(data, cells, options.batch_size.min(SAMPLES));
        let watch = &mut |_| meter.told();
        let log_px = marginal_ll(vae, cells, n_mc_samples, options.seed, watch)?;
        let posterior = latent_representation(vae, cells, watch)?;
        Ok(Self { rows, log_px, mean: posterior.mean, var: posterior.var })
    }

    /// ln w of each sample, up to a constant.
    fn weigh(
        &self,
        context: &Context,
        part: &Part,
        draws: &Draws,
        latent: &Latent,
        meter: &mut Meter,
    ) -> Result<Vec<f64>, TaskError> {
        let Context { vae, data, populations, .. } = context;
        let cells = populations.cells_of(draws);
        let n_latent = vae.spec().config().n_latent;
        let pick = |values: &[f32], places: &[u32]| -> Vec<f32> {
            let row = |&place: &u32| &values[place as usize * n_latent..][..n_latent];
            places.iter().flat_map(row).copied().collect()
        };
        let n = SAMPLES.min(part.places.len());
        let widest = self.rows.indptr.windows(2).map(|ends| ends[1] - ends[0]).max();
        let mut ws = vae.workspace(n, n * widest.unwrap_or(0), false);
        let mut batch = Minibatch::default();
        let mut weights = Vec::with_capacity(part.places.len());
        for places in part.places.chunks(SAMPLES) {
            let chosen: Vec<u32> = places.iter().map(|&place| cells[place as usize]).collect();
            data.fill(&chosen, &mut batch)?;
            let (z, drawn) = (pick(&latent.z, places), pick(&latent.untransformed, places));
            let mut explained = vec![LogSumExp::default(); places.len()];
            for anchor in 0..self.log_px.len() {
                let total = self.copy_to(anchor, &mut batch);
                ws.load(vae.backend(), &batch);
                vae.set_latent(&mut ws, &z, &vec![total.ln(); places.len()]);
                vae.generative(&mut ws, draws.source.batch);
                let nll = ws.cell_outputs(vae.backend()).reconstruction_loss;
                for (sum, nll) in explained.iter_mut().zip(nll) {
                    sum.add(-f64::from(nll) - self.log_px[anchor]);
                }
                meter.add(0)?;
            }
            let samples = drawn.chunks_exact(n_latent).zip(explained);
            weights.extend(samples.map(|(z, explained)| {
                log_normal(z, |_| (0.0, 1.0)) + explained.value() - self.log_q(z)
            }));
        }
        Ok(weights)
    }

    /// Gives every cell of the minibatch an anchor's counts and size; gives that size.
    fn copy_to(&self, anchor: usize, batch: &mut Minibatch) -> f32 {
        let row = self.rows.indptr[anchor]..self.rows.indptr[anchor + 1];
        let (genes, counts) = (&self.rows.genes[row.clone()], &self.rows.counts[row]);
        batch.rows.clear();
        for _ in 0..batch.cells.len() {
            batch.rows.push(genes, counts);
        }
        let total = counts.iter().map(|&count| f64::from(count)).sum::<f64>() as f32;
        batch.size_factor.fill(total);
        total
    }

    /// ln Σ_a q(z | x_a).
    fn log_q(&self, z: &[f32]) -> f64 {
        let anchors = self.mean.chunks_exact(z.len()).zip(self.var.chunks_exact(z.len()));
        let log_density = |(mean, var): (&[f32], &[f32])| {
            log_normal(z, |i| (f64::from(mean[i]), f64::from(var[i])))
        };
        anchors.map(log_density).collect::<LogSumExp>().value()
    }
}

/// Σ_i ln N(z_i; mean_i, var_i).
fn log_normal(z: &[f32], moments: impl Fn(usize) -> (f64, f64)) -> f64 {
    let term = |(i, &z): (usize, &f32)| {
        let (mean, var) = moments(i);
        -0.5 * ((f64::from(z) - mean).powi(2) / var + (std::f64::consts::TAU * var).ln())
    };
    z.iter().enumerate().map(term).sum()
}

/// Weights that sum to 1.
fn shares(mut log_weights: Vec<f64>, truncation: bool) -> Vec<f64> {
    if truncation {
        let mean: LogSumExp = log_weights.iter().copied().collect();
        let mean = mean.log_mean();
        log_weights.iter_mut().for_each(|weight| *weight = weight.max(mean));
    }
    let total: LogSumExp = log_weights.iter().copied().collect();
    let total = total.value();
    log_weights.into_iter().map(|weight| (weight - total).exp()).collect()
}

/// As many places again, each by its weight.
fn draw_again(places: &[u32], weights: &[f64], uniform: impl Fn(u32) -> f64) -> Vec<u32> {
    let mut sum = 0.0;
    let cumulative: Vec<f64> = weights
        .iter()
        .map(|weight| {
            sum += weight;
            sum
        })
        .collect();
    let draw = |k: u32| {
        let u = uniform(k) * sum;
        places[cumulative.partition_point(|&upper| upper <= u).min(places.len() - 1)]
    };
    (0..places.len() as u32).map(draw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_the_weights_and_truncation_raises_the_small() {
        let logs = [-1000.0, -1000.0 + 3f64.ln(), -2000.0].to_vec();
        let found = shares(logs.clone(), false);
        assert!((found[0] - 0.25).abs() < 1e-12 && (found[1] - 0.75).abs() < 1e-12);
        assert_eq!(found[2], 0.0);
        // The mean of 1, 3 and 0 is 4/3.
        let found = shares(logs, true);
        let total = 4.0 / 3.0 + 3.0 + 4.0 / 3.0;
        assert!(
            (found[0] - 4.0 / 3.0 / total).abs() < 1e-12 && (found[2] - found[0]).abs() < 1e-12
        );
    }

    #[test]
    fn places_are_drawn_by_their_weights() {
        let places: Vec<u32> = (100..104).collect();
        let uniform = |k: u32| [0.0, 0.19, 0.21, 0.99][k as usize];
        assert_eq!(draw_again(&places, &[0.2, 0.5, 0.0, 0.3], uniform), [100, 100, 101, 103]);
    }
}
