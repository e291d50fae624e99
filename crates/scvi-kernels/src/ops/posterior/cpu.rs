//! A few latent dimensions per cell: one thread.

use crate::backend::{PosteriorGradIo, PosteriorIo};
use crate::cpu::Cpu;
use crate::real::Real;

pub(crate) fn posterior_cpu<F: Real>(io: PosteriorIo<'_, Cpu<F>>, [cells, latent]: [usize; 2]) {
    let eps = F::of(io.var_eps);
    for cell in 0..cells {
        let mut kl = F::ZERO;
        for i in cell * latent..(cell + 1) * latent {
            let (m, v) = (io.mean[i], io.var[i].exp() + eps);
            io.var[i] = v;
            io.z[i] = match io.noise {
                Some(noise) => m + v.sqrt() * noise[i],
                None => m,
            };
            kl += F::HALF * (v + m * m - F::ONE - v.ln());
        }
        io.kl[cell] = kl;
    }
}

pub(crate) fn posterior_grad_cpu<F: Real>(
    io: PosteriorGradIo<'_, Cpu<F>>,
    [cells, latent]: [usize; 2],
) {
    let eps = F::of(io.var_eps);
    let w = io.kl_weight;
    for i in 0..cells * latent {
        let (v, dz) = (io.var[i], io.dz[i]);
        let dv = F::HALF * (dz * io.noise[i] / v.sqrt() + w * (F::ONE - F::ONE / v));
        io.dvar[i] = dv * (v - eps);
        io.dz[i] = dz + w * io.mean[i];
    }
}
