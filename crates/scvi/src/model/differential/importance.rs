//! Samples of a contrast drawn again by their importance weights.

use scvi_kernels::{Backend, Philox, Stream};

use super::context::{Context, Latent};
use super::draws::{Draws, Population};
use super::meter::Meter;
use super::plan::Planned;
use crate::model::cells::Cells;
use crate::model::error::TaskError;
use crate::model::importance::{Anchors, ImportanceOptions, LatentSamples, draw_again, shares};

/// Anchors encoded at a time.
const ANCHORS: usize = 128;

/// Puts samples drawn by their weights in place of a contrast's.
pub(super) fn resample<B: Backend<Elem = f32>>(
    context: &Context<B>,
    options: ImportanceOptions,
    planned: &mut Planned,
    draws: &[Draws],
    latent: &[Latent],
    meter: &mut Meter,
) -> Result<(), TaskError> {
    let Context { vae, data, populations, options: all } = context;
    let watch = &mut |_| meter.told();
    for side in [0, 1] {
        let drawn = populations.cells(Population::of(planned.contrast, side)).into_owned();
        let anchors = Anchors::choose(drawn, options, all.seed, side as u32);
        let anchors = Cells::chosen(data, &anchors, all.batch_size.min(ANCHORS));
        let anchors = Anchors::new(*vae, anchors, options.n_mc_samples, all.seed, watch)?;
        for part in &mut planned.sides[side] {
            let draws = &draws[part.set];
            let samples = Picked::new(context, draws, &latent[part.set], &part.places);
            let weights = anchors.log_weights(*vae, data, samples.of(draws), watch)?;
            let weights = shares(weights, options.truncation);
            let stream = populations.stream(draws.source);
            let philox = Philox::new(all.seed);
            let uniform = |k: u32| philox.uniform(Stream::Resample as u32, stream, k, side as u32);
            part.places = draw_again(&part.places, &weights, uniform);
        }
    }
    Ok(())
}

/// The samples of one part of a contrast.
struct Picked {
    cells: Vec<u32>,
    latent: Latent,
}

impl Picked {
    fn new<B: Backend>(
        context: &Context<B>,
        draws: &Draws,
        latent: &Latent,
        places: &[u32],
    ) -> Self {
        let cells = context.populations.cells_of(draws);
        let n_latent = context.vae.spec().config().n_latent;
        let pick = |values: &[f32]| -> Vec<f32> {
            let row = |&place: &u32| &values[place as usize * n_latent..][..n_latent];
            places.iter().flat_map(row).copied().collect()
        };
        let latent = Latent { z: pick(&latent.z), untransformed: pick(&latent.untransformed) };
        Self { cells: places.iter().map(|&place| cells[place as usize]).collect(), latent }
    }

    fn of(&self, draws: &Draws) -> LatentSamples<'_> {
        LatentSamples {
            cells: &self.cells,
            z: &self.latent.z,
            untransformed_z: &self.latent.untransformed,
            transform_batch: draws.source.batch,
        }
    }
}
