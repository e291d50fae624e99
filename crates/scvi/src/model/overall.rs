//! `get_normalized_expression` with `n_samples_overall`.

use scvi_kernels::{Backend, Philox, Stream};

use super::cells::Cells;
use super::draws::Posterior;
use super::error::TaskError;
use super::importance::{Anchors, ImportanceOptions, LatentSamples, Weights, draw_again, shares};
use super::minibatches::{Loaded, Room, for_each_minibatch};
use super::normalized::{ExpressionOptions, Rows, normalized_expression};
use super::pass::{decode_as, infer};
use super::watch::Watch;
use crate::data::Dataset;
use crate::module::{Inference, Noise, Vae};

/// Which draws there are over all cells together (`n_samples_overall`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overall {
    /// Rows of the result.
    pub n_samples: usize,
    /// Seed of the cells and of their z.
    pub seed: u64,
    /// What rows are drawn by.
    pub weights: Weights,
}

/// Rows that were drawn: of each the cell, and which of that cell's z.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrawnRows {
    cells: Vec<u32>,
    noise: Vec<u32>,
}

impl DrawnRows {
    /// The cell of each row.
    pub fn cells(&self) -> &[u32] {
        &self.cells
    }

    /// The same to go over, each row with noise of its own, `batch_size` at a time.
    pub fn rows<'a>(&'a self, data: &'a Dataset<'a>, batch_size: usize) -> Cells<'a> {
        Cells::chosen(data, &self.cells, batch_size).with_noise_by_number(&self.noise)
    }
}

impl Overall {
    /// The rows, in the order of the draws: cells drawn with replacement from the candidates, each
    /// with a z ~ q(z|x) of its own. With importance weights these are drawn once more, with
    /// chances proportional to the weights among the candidates; they are decoded as the batch
    /// `transform_batch`, or each cell as its own.
    ///
    /// The cells are drawn before any is decoded, so that the cost does not depend on the number
    /// of cells; scvi-tools decodes and weighs them all, and then keeps `n_samples` rows.
    ///
    /// # Errors
    /// [`TaskError::NoSamples`] where nothing is to be drawn, or nothing is there to draw from;
    /// with importance weights, [`TaskError`] where an option is 0, there are several batches, or
    /// the data does not fit the model, is minified or cannot be read.
    pub fn draw(
        &self,
        model: &impl Inference,
        candidates: Cells,
        transform_batch: &[u32],
        watch: &mut Watch,
    ) -> Result<DrawnRows, TaskError> {
        let vae = model.vae();
        let drawn = self.draw_alike(candidates)?;
        match self.weights {
            Weights::Uniform => Ok(drawn),
            Weights::Importance(options) => {
                self.draw_again(vae, candidates, &drawn, transform_batch, options, watch)
            }
        }
    }

    /// With equal chances.
    fn draw_alike(&self, candidates: Cells) -> Result<DrawnRows, TaskError> {
        if self.n_samples == 0 || candidates.is_empty() {
            return Err(TaskError::NoSamples);
        }
        let random = Philox::new(self.seed);
        let cell = |&i: &u32| {
            let uniform = random.uniform(Stream::Chosen as u32, 0, i, 0);
            candidates.number((uniform * candidates.len() as f64) as usize)
        };
        let noise: Vec<u32> = (0..self.n_samples as u32).collect();
        Ok(DrawnRows { cells: noise.iter().map(cell).collect(), noise })
    }

    /// By their importance weights.
    fn draw_again<B: Backend<Elem = f32>>(
        &self,
        vae: &Vae<B>,
        candidates: Cells,
        drawn: &DrawnRows,
        transform_batch: &[u32],
        options: ImportanceOptions,
        watch: &mut Watch,
    ) -> Result<DrawnRows, TaskError> {
        options.check()?;
        let batches = decode_as(vae, transform_batch)?;
        let [transform_batch] = batches[..] else {
            return Err(TaskError::WeighedBatches { found: batches.len() });
        };
        let (data, batch_size) = (candidates.data, candidates.batch_size);
        let group = (0..candidates.len()).map(|place| candidates.number(place)).collect();
        let anchors = Anchors::choose(group, options, self.seed, 0);
        let anchors = Cells::chosen(data, &anchors, batch_size);
        let anchors = Anchors::new(vae, anchors, options.n_mc_samples, self.seed, watch)?;
        let [z, untransformed_z] = self.latent(vae, drawn.rows(data, batch_size), watch)?;
        let samples = LatentSamples {
            cells: &drawn.cells,
            z: &z,
            untransformed_z: &untransformed_z,
            transform_batch,
        };
        let weights = anchors.log_weights(vae, data, samples, watch)?;
        let random = Philox::new(self.seed);
        let uniform = |k: u32| random.uniform(Stream::Resample as u32, 0, k, 0);
        let noise = draw_again(&drawn.noise, &shares(weights, options.truncation), uniform);
        let cells = noise.iter().map(|&number| drawn.cells[number as usize]).collect();
        Ok(DrawnRows { cells, noise })
    }

    /// z of rows, and what it is made of: `(rows, n_latent)` each.
    fn latent<B: Backend<Elem = f32>>(
        &self,
        vae: &Vae<B>,
        rows: Cells,
        watch: &mut Watch,
    ) -> Result<[Vec<f32>; 2], TaskError> {
        let noise = Noise::Seeded { seed: self.seed, draw: 0 };
        let [mut z, mut untransformed] = [Vec::new(), Vec::new()];
        let work = |Loaded { ws, batch, .. }: Loaded<_>, drawn: &mut [Vec<f32>; 2]| {
            infer(vae, ws, batch, Some(noise));
            *drawn = [ws.z(vae.backend()), ws.untransformed_z(vae.backend())];
            Ok(())
        };
        for_each_minibatch(vae, rows, Room::Hidden, watch, work, |[some, of_some]| {
            z.append(some);
            untransformed.append(of_some);
            Ok(())
        })?;
        Ok([z, untransformed])
    }
}

/// Normalised expression of the rows that [`Overall::draw`] draws from the candidates
/// (`n_samples_overall`): `rows` gets `(n_samples, genes)`, in the order of the draws; the cells
/// that were drawn are returned in that order. Of `options` the posterior is not read.
///
/// # Errors
/// As [`normalized_expression`] and [`Overall::draw`].
pub fn normalized_expression_overall(
    model: &impl Inference,
    candidates: Cells,
    overall: Overall,
    options: &ExpressionOptions,
    watch: &mut Watch,
    rows: &mut Rows,
) -> Result<Vec<u32>, TaskError> {
    let vae = model.vae();
    let drawn = overall.draw(vae, candidates, options.transform_batch, watch)?;
    let posterior = Posterior::Samples { n_samples: 1, seed: overall.seed };
    let options = ExpressionOptions { posterior, ..*options };
    let cells = drawn.rows(candidates.data, candidates.batch_size);
    normalized_expression(vae, cells, &options, watch, rows)?;
    Ok(drawn.cells)
}
