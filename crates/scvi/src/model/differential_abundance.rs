//! `differential_abundance`.

use scvi_kernels::{Philox, Stream};

use super::aggregated_posterior::AggregatedPosterior;
use super::error::TaskError;
use super::latent::Latent;
use super::watch::{Watch, tell};

/// How to compare the samples of a study.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct AbundanceOptions {
    /// Cells at most that stand for a sample, chosen at random; all where `None`.
    pub num_cells_posterior: Option<usize>,
    /// Degrees of freedom of the components; normal ones where `None`, the default.
    pub dof: Option<f64>,
    /// Seed of the choice.
    pub seed: u64,
}

/// ln p(z of cell | sample) of every cell and sample, `(cells, samples)`: where in the latent space
/// the cells of a sample are dense (`obsm["da_log_probs"]`).
///
/// p is the sample's [`AggregatedPosterior`], taken at the mean of each cell's posterior. `sample_of`
/// is the number of each cell's sample, below `n_samples`; a cell with another number is in none. A sample without cells has -∞ throughout.
/// Time grows with cells times cells.
///
/// Source: scvi-tools 1.4.2, `model/base/_vaemixin.py`, `differential_abundance`; Boyeau et al.
/// 2024, MrVI.
///
/// # Errors
/// [`TaskError::Stopped`].
///
/// # Panics
/// If `sample_of` does not give one sample a cell.
pub fn differential_abundance(
    latent: &Latent,
    sample_of: &[u32],
    n_samples: usize,
    options: &AbundanceOptions,
    watch: &mut Watch,
) -> Result<Vec<f32>, TaskError> {
    let n_cells = sample_of.len();
    assert_eq!(latent.mean.len(), n_cells * latent.n_latent, "one sample a cell");
    let mut log_probs = vec![0.0; n_cells * n_samples];
    for sample in 0..n_samples {
        let mut cells: Vec<u32> =
            (0..).zip(sample_of).filter(|&(_, &of)| of as usize == sample).map(|c| c.0).collect();
        if let Some(most) = options.num_cells_posterior {
            choose(&mut cells, most, options.seed);
        }
        let posterior = AggregatedPosterior::new(latent, &cells, options.dof);
        for (cell, log_prob) in posterior.log_prob(&latent.mean).into_iter().enumerate() {
            log_probs[cell * n_samples + sample] = log_prob as f32;
        }
        tell(watch, sample + 1, n_samples)?;
    }
    Ok(log_probs)
}

/// Keeps `most` cells, each as likely as any other; which, depends on the seed and their numbers.
fn choose(cells: &mut Vec<u32>, most: usize, seed: u64) {
    let philox = Philox::new(seed);
    let key = |cell: u32| (philox.block(Stream::Chosen as u32, 0, cell, 0)[0], cell);
    cells.sort_unstable_by_key(|&cell| key(cell));
    cells.truncate(most);
    cells.sort_unstable();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::unwatched;

    fn latent() -> Latent {
        let mean = vec![0.0, 1.0, 2.0, -1.0, 0.5, 0.5];
        Latent { n_latent: 2, mean, var: vec![1.0, 4.0, 0.25, 1.0, 9.0, 1.0] }
    }

    #[test]
    fn densities_of_a_mixture() {
        let latent = latent();
        let options = AbundanceOptions::default();
        let got = differential_abundance(&latent, &[0, 0, 2], 3, &options, &mut unwatched).unwrap();
        let density = |z: [f64; 2], cell: usize| -> f64 {
            let one = |j: usize| {
                let (m, v) = (latent.mean[cell * 2 + j] as f64, latent.var[cell * 2 + j] as f64);
                (-(z[j] - m).powi(2) / (2.0 * v)).exp() / (std::f64::consts::TAU * v).sqrt()
            };
            one(0) * one(1)
        };
        for (cell, row) in got.chunks_exact(3).enumerate() {
            let z = [latent.mean[cell * 2] as f64, latent.mean[cell * 2 + 1] as f64];
            let want = [(0.5 * (density(z, 0) + density(z, 1))).ln(), density(z, 2).ln()];
            assert!(
                (row[0] as f64 - want[0]).abs() < 1e-6 && (row[2] as f64 - want[1]).abs() < 1e-6
            );
            assert_eq!(row[1], f32::NEG_INFINITY);
        }
    }

    /// Student's density of 3 degrees of freedom: 2/(π √3 (1 + t²/3)²).
    #[test]
    fn heavy_tails() {
        let latent = latent();
        let posterior = AggregatedPosterior::new(&latent, &[0], AggregatedPosterior::DOF);
        let got = posterior.log_prob(&[3.0, -5.0])[0];
        let t = |t: f64| 2.0 / (std::f64::consts::PI * 3f64.sqrt() * (1.0 + t * t / 3.0).powi(2));
        let want = t(3.0).ln() + (t(-3.0) / 2.0).ln();
        assert!((got - want).abs() < 1e-12, "{got} {want}");
    }

    #[test]
    fn draws_have_the_mixtures_moments() {
        let latent = latent();
        let n = 20_000;
        let draws = AggregatedPosterior::new(&latent, &[0, 1], None).sample(n, 3);
        let of = |j: usize| draws.iter().skip(j).step_by(2).map(|&z| z as f64);
        let mean = |j: usize| of(j).sum::<f64>() / n as f64;
        let var = |j: usize| of(j).map(|z| (z - mean(j)).powi(2)).sum::<f64>() / n as f64;
        // Mean of means; mean of variances and variance of means.
        let want = [(1.0, 0.5 * (1.0 + 0.25) + 1.0), (0.0, 0.5 * (4.0 + 1.0) + 1.0)];
        for (j, (m, v)) in want.into_iter().enumerate() {
            assert!((mean(j) - m).abs() < 4.0 * (v / n as f64).sqrt(), "{}", mean(j));
            assert!((var(j) / v - 1.0).abs() < 0.05, "{}", var(j));
        }
        assert!(AggregatedPosterior::new(&latent, &[], None).sample(5, 3).is_empty());
    }

    #[test]
    fn chosen_cells_are_some_of_all() {
        let all: Vec<u32> = (0..100).collect();
        let (mut some, mut other) = (all.clone(), all.clone());
        choose(&mut some, 10, 1);
        choose(&mut other, 10, 2);
        assert_eq!(some.len(), 10);
        assert!(some.windows(2).all(|w| w[0] < w[1]) && some != other && some[9] < 100);
        choose(&mut other, 30, 2);
        assert_eq!(other.len(), 10);
    }
}
