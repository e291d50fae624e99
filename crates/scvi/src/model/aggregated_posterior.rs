//! `get_aggregated_posterior`.

use rand_distr::{Distribution, Open01, StandardNormal, StudentT};
use rayon::prelude::*;
use scvi_kernels::{Real, Stream};

use super::latent::Latent;
use super::log_sum_exp::LogSumExp;
use crate::distributions::NoiseRng;

/// The posteriors of some cells as one distribution of z, each cell alike:
///
/// ```text
/// p(z) = 1/n Σ_c Π_j t((z_j - m_cj)/s_cj) / s_cj,  s² = q_v
/// ```
/// with t Student's density of `dof` degrees of freedom, whose tails reach further than the
/// posterior's own, or the standard normal one.
///
/// scvi-tools 1.4.2 puts the variance q_v where the standard deviation s belongs.
///
/// Source: scvi-tools 1.4.2, `model/base/_vaemixin.py`, `get_aggregated_posterior`.
#[derive(Debug, Clone)]
pub struct AggregatedPosterior {
    n_latent: usize,
    dof: Option<f64>,
    mean: Vec<f64>,          // (cells, n_latent)
    inv_sd: Vec<f64>,        // (cells, n_latent)
    log_constants: Vec<f64>, // (cells)
}

impl AggregatedPosterior {
    /// Degrees of freedom by default.
    pub const DOF: Option<f64> = Some(3.0);

    /// Of the cells numbered `cells` in `latent`; `dof` is `None` for normal components.
    ///
    /// # Panics
    /// If there is no such cell, or `dof` is not above 0.
    pub fn new(latent: &Latent, cells: &[u32], dof: Option<f64>) -> Self {
        assert!(dof.is_none_or(|dof| dof > 0.0), "degrees of freedom above 0");
        let n_latent = latent.n_latent;
        let pick = |values: &[f32]| -> Vec<f64> {
            let row = |&cell: &u32| &values[cell as usize * n_latent..][..n_latent];
            cells.iter().flat_map(row).map(|&v| f64::from(v)).collect()
        };
        let (mean, var) = (pick(&latent.mean), pick(&latent.var));
        let constant = match dof {
            None => -0.5 * (2.0 * std::f64::consts::PI).ln(),
            // ln Γ((ν+1)/2) - ln Γ(ν/2) - ln √(νπ)
            Some(dof) => ln_gamma_half_step(dof / 2.0) - 0.5 * (dof * std::f64::consts::PI).ln(),
        };
        let of_cell = |var: &[f64]| var.iter().map(|var| constant - 0.5 * var.ln()).sum();
        let log_constants = var.chunks_exact(n_latent).map(of_cell).collect();
        let inv_sd = var.iter().map(|var| 1.0 / var.sqrt()).collect();
        Self { n_latent, dof, mean, inv_sd, log_constants }
    }

    /// Cells it is made of.
    pub fn n_components(&self) -> usize {
        self.log_constants.len()
    }

    /// ln p(z) of each row of z, `(rows, n_latent)`; -∞ where it is made of no cells.
    ///
    /// It takes time in proportion to rows times cells.
    ///
    /// # Panics
    /// If `z` has no whole rows.
    pub fn log_prob(&self, z: &[f32]) -> Vec<f64> {
        assert!(z.len().is_multiple_of(self.n_latent), "rows of {} numbers", self.n_latent);
        let n = (self.n_components() as f64).ln();
        let of_row = |z: &[f32]| self.log_densities(z).collect::<LogSumExp>().value() - n;
        if self.n_components() == 0 {
            return vec![f64::NEG_INFINITY; z.len() / self.n_latent];
        }
        z.par_chunks_exact(self.n_latent).map(of_row).collect()
    }

    /// ln density of one z in each component.
    fn log_densities(&self, z: &[f32]) -> impl Iterator<Item = f64> {
        let components = self.mean.chunks_exact(self.n_latent);
        let components = components.zip(self.inv_sd.chunks_exact(self.n_latent));
        components.zip(&self.log_constants).map(move |((mean, inv_sd), constant)| {
            let squares = z.iter().zip(mean).zip(inv_sd).map(|((&z, mean), inv_sd)| {
                let t = (f64::from(z) - mean) * inv_sd;
                t * t
            });
            match self.dof {
                None => constant - 0.5 * squares.sum::<f64>(),
                Some(dof) => {
                    let logs = squares.map(|square| (square / dof).ln_1p()).sum::<f64>();
                    constant - 0.5 * (dof + 1.0) * logs
                }
            }
        })
    }

    /// Draws of z: `(n, n_latent)`; none where it is made of no cells. Draw i depends on the seed
    /// and on i alone.
    pub fn sample(&self, n: usize, seed: u64) -> Vec<f32> {
        let components = self.n_components();
        let draw = |i: usize| {
            let mut rng = NoiseRng::of_stream(seed, Stream::Posterior as u32, 0, i as u32);
            let unit: f64 = Open01.sample(&mut rng);
            let component = ((unit * components as f64) as usize).min(components - 1);
            let at = component * self.n_latent;
            let draw = move |j: usize| {
                let t: f64 = match self.dof {
                    None => StandardNormal.sample(&mut rng),
                    Some(dof) => StudentT::new(dof).expect("dof is positive").sample(&mut rng),
                };
                (self.mean[at + j] + t / self.inv_sd[at + j]) as f32
            };
            (0..self.n_latent).map(draw)
        };
        (0..if components > 0 { n } else { 0 }).flat_map(draw).collect()
    }
}

/// ln Γ(a + 1/2) - ln Γ(a), by Stirling's formula.
fn ln_gamma_half_step(a: f64) -> f64 {
    let b = a + 0.5;
    a * (0.5 / a).ln_1p() + 0.5 * (a.ln() - 1.0) + (f64::stirling(b).0 - f64::stirling(a).0)
}
