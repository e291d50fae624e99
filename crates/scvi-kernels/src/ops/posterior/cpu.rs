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
    vectorised(
        #[inline(always)]
        || {
            for i in 0..n {
                let (v, d) = (var[i], dz[i]);
                let (prior_m, prior_v) = moments(&io.prior, i);
                let from_kl = w * (F::ONE / prior_v - F::ONE / v);
                d_raw[i] *= F::HALF * (d * noise[i] / v.sqrt() + from_kl);
                dz[i] = d + w * (mean[i] - prior_m) / prior_v;
            }
        },
    );
}

/// Mean and variance of the prior.
#[inline(always)]
fn moments<F: Real>(prior: &Option<NormalPrior<'_, Cpu<F>>>, i: usize) -> (F, F) {
    match prior {
        Some(prior) => (prior.mean[i], prior.var[i]),
        None => (F::ZERO, F::ONE),
    }
}
