//! The cells that samples are held to.

use rayon::prelude::*;
use scvi_kernels::{CsrRows, Philox, Stream};

use super::options::ImportanceOptions;
use crate::data::Dataset;
use crate::model::cells::Cells;
use crate::model::error::TaskError;
use crate::model::latent::latent_representation;
use crate::model::log_sum_exp::LogSumExp;
use crate::model::marginal_ll::marginal_ll;
use crate::model::pass::{check_cells, decode_as};
use crate::model::watch::{Watch, tell};
use crate::module::{Decoded, Inference, Minibatch};

/// Samples weighed at a time.
const SAMPLES: usize = 128;

/// Samples from the posteriors of some cells.
#[derive(Debug, Clone, Copy)]
pub struct LatentSamples<'a> {
    /// The cell of each sample, whose covariates it is decoded with: `(samples)`.
    pub cells: &'a [u32],
    /// What is decoded: `(samples, n_latent)`.
    pub z: &'a [f32],
    /// The normal draw that z is made of; z itself with latent_distribution normal:
    /// `(samples, n_latent)`.
    pub untransformed_z: &'a [f32],
    /// Decodes every sample as if its cell came from this batch.
    pub transform_batch: Option<u32>,
}

/// Cells that samples are held to, with all that their weights ask of them.
#[derive(Debug, Clone)]
pub struct Anchors {
    n_latent: usize,
    rows: CsrRows,
    log_px: Vec<f64>,  // (anchors)
    mean: Vec<f32>,    // (anchors, n_latent)
    var: Vec<f32>,     // (anchors, n_latent)
    log_var: Vec<f64>, // ln τ var: (anchors, n_latent)
}

impl Anchors {
    /// The cells of a group to weigh by: all, or as many as `options` allow, chosen at random.
    /// `group` tells the choices of one seed apart.
    pub(in crate::model) fn choose(
        mut cells: Vec<u32>,
        options: ImportanceOptions,
        seed: u64,
        group: u32,
    ) -> Vec<u32> {
        if cells.len() > options.max_cells {
            Philox::new(seed).shuffle(Stream::Anchors, group, &mut cells);
            cells.truncate(options.max_cells);
            cells.sort_unstable();
        }
        cells
    }

    /// The given cells, whose marginal likelihoods are estimated with `n_mc_samples` draws each.
    ///
    /// # Errors
    /// [`TaskError`] where the data does not fit the model, is minified or cannot be read, there is
    /// no cell, or no draw is asked for.
    pub fn new(
        model: &impl Inference,
        cells: Cells,
        n_mc_samples: u32,
        seed: u64,
        watch: &mut Watch,
    ) -> Result<Self, TaskError> {
        let vae = model.vae();
        vae.require_counts("importance weights")?;
        let log_px = marginal_ll(vae, cells, n_mc_samples, seed, watch)?;
        Self::with_marginal_ll(vae, cells, log_px, watch)
    }

    /// The same where ln p(x) of each cell is known: `(cells)`.
    ///
    /// # Errors
    /// As [`Anchors::new`].
    ///
    /// # Panics
    /// If there is not one for each cell.
    pub fn with_marginal_ll(
        model: &impl Inference,
        cells: Cells,
        log_px: Vec<f64>,
        watch: &mut Watch,
    ) -> Result<Self, TaskError> {
        let vae = model.vae();
        vae.require_counts("importance weights")?;
        assert_eq!(log_px.len(), cells.len(), "one ln p(x) a cell");
        if cells.is_empty() {
            return Err(TaskError::NoSamples);
        }
        check_cells(vae, cells)?;
        let mut rows = CsrRows::default();
        rows.clear();
        let numbers: Vec<u32> = (0..cells.len()).map(|place| cells.number(place)).collect();
        cells.data.counts().read(&numbers, &mut rows)?;
        let posterior = latent_representation(vae, cells, watch)?;
        let log_var =
            posterior.var.iter().map(|&var| (std::f64::consts::TAU * f64::from(var)).ln());
        Ok(Self {
            n_latent: posterior.n_latent,
            rows,
            log_px,
            log_var: log_var.collect(),
            mean: posterior.mean,
            var: posterior.var,
        })
    }

    /// ln w of each sample, up to a constant: `(samples)`.
    ///
    /// 128 samples are decoded at a time, once for all anchors, so that memory depends on neither
    /// number; the time is that of a likelihood for each sample and anchor.
    ///
    /// # Errors
    /// [`TaskError`] where the data does not fit the model or cannot be read, or a cell or the batch
    /// is none of theirs.
    ///
    /// # Panics
    /// If the lists of samples do not fit each other.
    pub fn log_weights(
        &self,
        model: &impl Inference,
        data: &Dataset,
        samples: LatentSamples,
        watch: &mut Watch,
    ) -> Result<Vec<f64>, TaskError> {
        let vae = model.vae();
        let LatentSamples { cells, z, untransformed_z, transform_batch } = samples;
        for list in [z, untransformed_z] {
            assert_eq!(list.len(), cells.len() * self.n_latent, "n_latent numbers a sample");
        }
        check_cells(vae, Cells::chosen(data, cells, SAMPLES))?;
        decode_as(vae, transform_batch.as_slice())?;
        let widest = self.rows.indptr.windows(2).map(|ends| ends[1] - ends[0]).max();
        let n = SAMPLES.min(cells.len());
        let mut ws = vae.workspace(n, n * widest.unwrap_or(0), false);
        let (mut batch, mut library) = (Minibatch::default(), Vec::new());
        let mut weights = Vec::with_capacity(cells.len());
        let total = cells.len() * self.log_px.len();
        for (cells, z) in cells.chunks(SAMPLES).zip(z.chunks(SAMPLES * self.n_latent)) {
            data.fill(cells, &mut batch)?;
            self.copy_to(0, cells.len(), &mut batch.rows);
            ws.load(vae.backend(), &batch);
            library.resize(cells.len(), 0.0);
            vae.set_latent(&mut ws, z, &library);
            vae.decode(&mut ws, transform_batch, Decoded::All);
            let mut explained = vec![LogSumExp::default(); cells.len()];
            for (anchor, log_px) in self.log_px.iter().enumerate() {
                library.fill(self.copy_to(anchor, cells.len(), &mut batch.rows).ln());
                let nll = vae.likelihood_of(&mut ws, &batch.rows, &library);
                for (sum, nll) in explained.iter_mut().zip(nll) {
                    sum.add(-f64::from(nll) - log_px);
                }
                tell(watch, weights.len() * self.log_px.len() + anchor * cells.len(), total)?;
            }
            weights.extend(explained.iter().map(LogSumExp::value));
        }
        let standard = |_| (0.0, 1.0, std::f64::consts::TAU.ln());
        let drawn = untransformed_z.par_chunks_exact(self.n_latent);
        weights.par_iter_mut().zip(drawn).for_each(|(weight, z)| {
            *weight = log_normal(z, standard) + *weight - self.log_q(z);
        });
        Ok(weights)
    }

    /// Gives `n` cells an anchor's counts; its size.
    fn copy_to(&self, anchor: usize, n: usize, rows: &mut CsrRows) -> f32 {
        let row = self.rows.indptr[anchor]..self.rows.indptr[anchor + 1];
        let (genes, counts) = (&self.rows.genes[row.clone()], &self.rows.counts[row]);
        rows.clear();
        (0..n).for_each(|_| rows.push(genes, counts));
        counts.iter().map(|&count| f64::from(count)).sum::<f64>() as f32
    }

    /// ln Σ_a q(z | x_a).
    fn log_q(&self, z: &[f32]) -> f64 {
        let n = self.n_latent;
        let moments = self.mean.chunks_exact(n).zip(self.var.chunks_exact(n));
        let log_density = |((mean, var), log_var): ((&[f32], &[f32]), &[f64])| {
            log_normal(z, |i| (f64::from(mean[i]), f64::from(var[i]), log_var[i]))
        };
        let anchors = moments.zip(self.log_var.chunks_exact(n));
        anchors.map(log_density).collect::<LogSumExp>().value()
    }
}

/// Σ_i ln N(z_i; mean_i, var_i), of mean, variance and ln τ var.
fn log_normal(z: &[f32], moments: impl Fn(usize) -> (f64, f64, f64)) -> f64 {
    let term = |(i, &z): (usize, &f32)| {
        let (mean, var, log_var) = moments(i);
        -0.5 * ((f64::from(z) - mean).powi(2) / var + log_var)
    };
    z.iter().enumerate().map(term).sum()
}
