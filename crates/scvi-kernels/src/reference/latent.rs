//! The posterior, its draw and its divergence; all but `kl` is `(cells, latent)`.

use super::activation::softplus;
use super::{Reference, store, wide};
use crate::backend::{LatentOps, NormalPrior, PosteriorGradIo, PosteriorIo, StoredPosteriorIo};
use crate::ops::posterior::VarActivation;
use crate::real::Real;

impl<F: Real> LatentOps for Reference<F> {
    /// q_v = f(s) + var_eps, z = q_m + √q_v ε,
    /// KL = ½ Σ_l (q_v/p_v + (q_m - p_m)²/p_v - 1 - ln(q_v/p_v)).
    fn posterior(&self, io: PosteriorIo<Self>, [cells, latent]: [usize; 2]) {
        for c in 0..cells {
            let mut kl = 0.0;
            for i in c * latent..(c + 1) * latent {
                let var = variance(io.var_activation, io.raw[i]) + io.var_eps;
                let (mean, prior) = (io.mean[i].to_f64(), moments(&io.prior, i));
                io.var[i] = F::of(var);
                io.z[i] = F::of(draw(mean, var, io.noise, i));
                kl += divergence([mean, var], prior);
            }
            io.kl[c] = F::of(kl);
        }
    }

    /// z = q_m + √q_v ε, and KL from N(0, 1).
    fn stored_posterior(&self, io: StoredPosteriorIo<Self>, [cells, latent]: [usize; 2]) {
        for c in 0..cells {
            let mut kl = 0.0;
            for i in c * latent..(c + 1) * latent {
                let (mean, var) = (io.mean[i].to_f64(), io.var[i].to_f64());
                io.z[i] = F::of(draw(mean, var, io.noise, i));
                kl += divergence([mean, var], [0.0, 1.0]);
            }
            io.kl[c] = F::of(kl);
        }
    }

    /// dq_m = dz + w (q_m - p_m)/p_v, in the place of dz;
    /// ds = f'(s) (½ dz ε/√q_v + ½ w (1/p_v - 1/q_v)), w the weight of the cell's divergence; what
    /// reaches q_m and q_v directly joins the first and what is in brackets.
    fn posterior_grad(&self, io: PosteriorGradIo<Self>, [cells, latent]: [usize; 2]) {
        let [direct_mean, direct_var] = io.direct;
        let at = |direct: Option<&Vec<F>>, i: usize| direct.map_or(0.0, |d| d[i].to_f64());
        for i in 0..cells * latent {
            let factor = io.kl_factors.map_or(1.0, |factors| factors[i / latent].to_f64());
            let w = io.kl_weight.to_f64() * factor;
            let (var, dz) = (io.var[i].to_f64(), io.dz[i].to_f64());
            let [prior_mean, prior_var] = moments(&io.prior, i);
            let through_z = dz * io.noise[i].to_f64() / var.sqrt();
            let through_kl = w * (1.0 / prior_var - 1.0 / var);
            let slope = variance_slope(io.var_activation, io.raw[i]);
            let of_var = 0.5 * (through_z + through_kl) + at(direct_var, i);
            let of_kl = w * (io.mean[i].to_f64() - prior_mean) / prior_var;
            io.d_raw[i] = F::of(slope * of_var);
            io.dz[i] = F::of(dz + of_kl + at(direct_mean, i));
        }
    }

    /// z_l = e^u_l / Σ_k e^u_k of each cell.
    fn softmax(&self, u: &Vec<F>, z: &mut Vec<F>, [cells, latent]: [usize; 2]) {
        for c in 0..cells {
            let at = c * latent..(c + 1) * latent;
            store(&shares(&wide(&u[at.clone()])), &mut z[at]);
        }
    }

    /// du = z (dz - Σ_k z_k dz_k), in the place of dz.
    fn softmax_grad(&self, z: &Vec<F>, dz: &mut Vec<F>, [cells, latent]: [usize; 2]) {
        for c in 0..cells {
            let at = c * latent..(c + 1) * latent;
            let (z, d) = (wide(&z[at.clone()]), wide(&dz[at.clone()]));
            let mean: f64 = z.iter().zip(&d).map(|(z, d)| z * d).sum();
            let du: Vec<f64> = z.iter().zip(&d).map(|(z, d)| z * (d - mean)).collect();
            store(&du, &mut dz[at]);
        }
    }
}

/// e^x / Σ e^x, relative to the largest x so that nothing overflows.
pub(super) fn shares(x: &[f64]) -> Vec<f64> {
    let log_sum = log_sum_exp(x);
    x.iter().map(|x| (x - log_sum).exp()).collect()
}

/// ln Σ e^x.
pub(super) fn log_sum_exp(x: &[f64]) -> f64 {
    let largest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + x.iter().map(|x| (x - largest).exp()).sum::<f64>().ln()
}

/// f(s).
fn variance<F: Real>(activation: &VarActivation<F>, s: F) -> f64 {
    match activation {
        VarActivation::Exp => s.to_f64().exp(),
        VarActivation::Softplus => softplus(s.to_f64()).0,
        VarActivation::Custom { function, .. } => function(s).to_f64(),
    }
}

/// f'(s).
fn variance_slope<F: Real>(activation: &VarActivation<F>, s: F) -> f64 {
    match activation {
        VarActivation::Exp => s.to_f64().exp(),
        VarActivation::Softplus => softplus(s.to_f64()).1,
        VarActivation::Custom { derivative, .. } => derivative(s).to_f64(),
    }
}

/// The mean without noise.
fn draw<F: Real>(mean: f64, var: f64, noise: Option<&Vec<F>>, i: usize) -> f64 {
    mean + noise.map_or(0.0, |noise| var.sqrt() * noise[i].to_f64())
}

/// One dimension's KL(N(m, v) ‖ N(p_m, p_v)).
fn divergence([mean, var]: [f64; 2], [prior_mean, prior_var]: [f64; 2]) -> f64 {
    let ratio = var / prior_var;
    0.5 * (ratio + (mean - prior_mean).powi(2) / prior_var - 1.0 - ratio.ln())
}

/// p_m and p_v.
fn moments<F: Real>(prior: &Option<NormalPrior<Reference<F>>>, i: usize) -> [f64; 2] {
    prior.as_ref().map_or([0.0, 1.0], |p| [p.mean[i].to_f64(), p.var[i].to_f64()])
}
