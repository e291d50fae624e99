//! Leaves cells that lie far out in the latent space out of their groups (`filter_outlier_cells`).
//!
//! Source: scvi-tools 1.4.2, `model/base/_differential.py`, `filter_outlier_cells`.

mod chi_square;
mod cholesky;
mod elliptic_envelope;
mod minimum_covariance;
#[cfg(test)]
mod tests;

use scvi_kernels::{Backend, Philox};

use self::elliptic_envelope::inliers;
use self::minimum_covariance::Points;
use super::draws::{Population, Populations};
use super::meter::Meter;
use super::options::{Contrast, DifferentialOptions};
use crate::data::Dataset;
use crate::model::cells::Cells;
use crate::model::error::TaskError;
use crate::model::latent::{MC_SAMPLES, latent_representation, latent_simplex_mean};
use crate::module::{LatentDistribution, Vae};

/// Keeps the inliers of every population that is compared, a rest being one of its own. Where the
/// latent means of its cells have no covariance it keeps every cell.
pub(super) fn leave_out<B: Backend<Elem = f32>>(
    vae: &Vae<B>,
    data: &Dataset,
    populations: &mut Populations,
    contrasts: &[Contrast],
    options: &DifferentialOptions,
    meter: &mut Meter,
) -> Result<(), TaskError> {
    let of = |contrast: &Contrast| [0, 1].map(|side| Population::of(*contrast, side));
    let compared = sorted(contrasts.iter().flat_map(of).collect());
    let all = |&population: &Population| populations.all_cells(population).into_owned();
    let cells: Vec<u32> = sorted(compared.iter().flat_map(all).collect());
    let latent = LatentMeans::read(vae, data, cells, options, meter)?;
    for population in compared {
        let cells = populations.all_cells(population).into_owned();
        if let Some(is_inlier) = inliers(&latent.of(&cells), Philox::new(options.seed)) {
            let kept = cells.into_iter().zip(is_inlier).filter(|&(_, is_inlier)| is_inlier);
            populations.keep(population, kept.map(|(cell, _)| cell).collect());
        }
        meter.add(0)?;
    }
    Ok(())
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort_unstable();
    items.dedup();
    items
}

/// Latent means of some cells, in rising order.
struct LatentMeans {
    cells: Vec<u32>,
    values: Vec<f32>, // (cells, n_latent)
    n_latent: usize,
    /// Coordinates that the others do not determine.
    n_free: usize,
}

impl LatentMeans {
    fn read<B: Backend<Elem = f32>>(
        vae: &Vae<B>,
        data: &Dataset,
        cells: Vec<u32>,
        options: &DifferentialOptions,
        meter: &mut Meter,
    ) -> Result<Self, TaskError> {
        let config = vae.spec().config();
        let n_latent = config.n_latent;
        let chosen = Cells::chosen(data, &cells, options.batch_size);
        let watch = &mut |_| meter.told();
        let (values, n_free) = match config.latent_distribution {
            LatentDistribution::Normal => {
                (latent_representation(vae, chosen, watch)?.mean, n_latent)
            }
            // On the simplex the last coordinate is one less the others.
            LatentDistribution::Ln => {
                let mean = latent_simplex_mean(vae, chosen, MC_SAMPLES, options.seed, watch)?;
                (mean, n_latent - 1)
            }
        };
        Ok(Self { cells, values, n_latent, n_free })
    }

    /// Of some of the cells.
    fn of(&self, cells: &[u32]) -> Points {
        let row = |cell: &u32| {
            let place = self.cells.partition_point(|other| other < cell);
            self.values[place * self.n_latent..][..self.n_free].iter().map(|&z| f64::from(z))
        };
        Points { values: cells.iter().flat_map(row).collect(), p: self.n_free }
    }
}
