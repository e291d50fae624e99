//! A few latent dimensions per cell: one thread.

use crate::backend::{NormalPrior, PosteriorGradIo, PosteriorIo, StoredPosteriorIo};
use crate::cpu::Cpu;
use crate::ops::scratch;
use crate::real::Real;
use crate::simd::vectorised;

pub(crate) fn posterior_cpu<F: Real>(io: PosteriorIo<'_, Cpu<F>>, [cells, latent]: [usize; 2]) {
    let n = cells * latent;
    let eps = F::of(io.var_eps);
    io.var_activation.values(&io.raw[..n], &mut io.var[..n]);
    let (mean, var, z) = (&io.mean[..n], &mut io.var[..n], &mut io.z[..n]);
    scratch(n, |terms| {
        vectorised(
            #[inline(always)]
            || {
                for i in 0..n {
                    let (m, v) = (mean[i], var[i] + eps);
                    var[i] = v;
                    z[i] = match io.noise {
                        Some(noise) => m + v.sqrt() * noise[i],
                        None => m,
                    };
                    let (prior_m, prior_v) = moments(&io.prior, i);
                    let (from, ratio) = (m - prior_m, v / prior_v);
                    terms[i] = F::HALF * (ratio + from * from / prior_v - F::ONE - ratio.ln());
                }
            },
        );
        for (kl, terms) in io.kl.iter_mut().zip(terms.chunks_exact(latent)) {
            *kl = terms.iter().copied().sum();
        }
    });
}

pub(crate) fn stored_posterior_cpu<F: Real>(
    io: StoredPosteriorIo<'_, Cpu<F>>,
    [cells, latent]: [usize; 2],
) {
    let n = cells * latent;
    let (mean, var, z) = (&io.mean[..n], &io.var[..n], &mut io.z[..n]);
    for (i, z) in z.iter_mut().enumerate() {
        *z = match io.noise {
            Some(noise) => var[i].sqrt().mul_add(noise[i], mean[i]),
            None => mean[i],
        };
    }
    let of_dim = |(m, v): (&F, &F)| {
        let (m, v) = (m.to_f64(), v.to_f64());
        0.5 * (v + m * m - 1.0 - v.ln())
    };
    let by_cell = mean.chunks_exact(latent).zip(var.chunks_exact(latent));
    for (kl, (mean, var)) in io.kl.iter_mut().zip(by_cell) {
        *kl = F::of(mean.iter().zip(var).map(of_dim).sum());
    }
}

pub(crate) fn posterior_grad_cpu<F: Real>(
    io: PosteriorGradIo<'_, Cpu<F>>,
    [cells, latent]: [usize; 2],
) {
    let n = cells * latent;
    let w = io.kl_weight;
    io.var_activation.slopes(&io.raw[..n], &mut io.d_raw[..n]);
    let (mean, var, noise) = (&io.mean[..n], &io.var[..n], &io.noise[..n]);
    let (dz, d_raw) = (&mut io.dz[..n], &mut io.d_raw[..n]);
    let gradients = |i: usize, d: F, w: F| {
        let (prior_m, prior_v) = moments(&io.prior, i);
        let of_var = var_grad([var[i], prior_v], d * noise[i], w);
        (of_var, w * (mean[i] - prior_m) / prior_v)
    };
    if io.kl_factors.is_none() && io.direct == [None; 2] {
        return vectorised(
            #[inline(always)]
            || {
                for i in 0..n {
                    let (of_var, of_mean) = gradients(i, dz[i], w);
                    d_raw[i] *= of_var;
                    dz[i] += of_mean;
                }
            },
        );
    }
    vectorised(
        #[inline(always)]
        || {
            for i in 0..n {
                let w = io.kl_factors.map_or(w, |factors| w * factors[i / latent]);
                let (of_var, of_mean) = gradients(i, dz[i], w);
                let [direct_m, direct_v] = io.direct.map(|d| d.map_or(F::ZERO, |d| d[i]));
                d_raw[i] *= of_var + direct_v;
                dz[i] += of_mean + direct_m;
            }
        },
    );
}

/// What q_v gets through z, of which `d_noise` is the gradient times ε, and of the KL weighted by w.
#[inline(always)]
fn var_grad<F: Real>([v, prior_v]: [F; 2], d_noise: F, w: F) -> F {
    F::HALF * (d_noise / v.sqrt() + w * (F::ONE / prior_v - F::ONE / v))
}

/// Mean and variance of the prior.
#[inline(always)]
fn moments<F: Real>(prior: &Option<NormalPrior<'_, Cpu<F>>>, i: usize) -> (F, F) {
    match prior {
        Some(prior) => (prior.mean[i], prior.var[i]),
        None => (F::ZERO, F::ONE),
    }
}
