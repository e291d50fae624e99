//! A few latent dimensions per cell: one thread.

use crate::backend::{NormalPrior, PosteriorGradIo, PosteriorIo};
use crate::cpu::Cpu;
use crate::real::Real;

pub(crate) fn posterior_cpu<F: Real>(io: PosteriorIo<'_, Cpu<F>>, [cells, latent]: [usize; 2]) {
    let n = cells * latent;
    let eps = F::of(io.var_eps);
    io.var_activation.values(&io.raw[..n], &mut io.var[..n]);
    for cell in 0..cells {
        let mut kl = F::ZERO;
        for i in cell * latent..(cell + 1) * latent {
            let (m, v) = (io.mean[i], io.var[i] + eps);
            io.var[i] = v;
            io.z[i] = match io.noise {
                Some(noise) => m + v.sqrt() * noise[i],
                None => m,
            };
            let (prior_m, prior_v) = moments(&io.prior, i);
            let (from, ratio) = (m - prior_m, v / prior_v);
            kl += F::HALF * (ratio + from * from / prior_v - F::ONE - ratio.ln());
        }
        io.kl[cell] = kl;
    }
}

pub(crate) fn posterior_grad_cpu<F: Real>(
    io: PosteriorGradIo<'_, Cpu<F>>,
    [cells, latent]: [usize; 2],
) {
    let n = cells * latent;
    let w = io.kl_weight;
    io.var_activation.slopes(&io.raw[..n], &mut io.d_raw[..n]);
    for i in 0..n {
        let (v, dz) = (io.var[i], io.dz[i]);
        let (prior_m, prior_v) = moments(&io.prior, i);
        let dv = F::HALF * (dz * io.noise[i] / v.sqrt() + w * (F::ONE / prior_v - F::ONE / v));
        io.d_raw[i] *= dv;
        io.dz[i] = dz + w * (io.mean[i] - prior_m) / prior_v;
    }
}

/// Mean and variance of the prior.
#[inline(always)]
fn moments<F: Real>(prior: &Option<NormalPrior<'_, Cpu<F>>>, i: usize) -> (F, F) {
    match prior {
        Some(prior) => (prior.mean[i], prior.var[i]),
        None => (F::ZERO, F::ONE),
    }
}
