//! A few latent dimensions per cell: one thread.

use crate::real::Real;
use crate::simd::vectorised;

pub(crate) fn softmax_cpu<F: Real>(u: &[F], z: &mut [F], [cells, latent]: [usize; 2]) {
    let rows = u[..cells * latent].chunks_exact(latent);
    vectorised(
        #[inline(always)]
        || {
            for (u, z) in rows.zip(z.chunks_exact_mut(latent)) {
                let top = u.iter().fold(u[0], |top, &v| top.max(v));
                let mut sum = F::ZERO;
                for (z, &u) in z.iter_mut().zip(u) {
                    *z = (u - top).exp();
                    sum += *z;
                }
                z.iter_mut().for_each(|z| *z = *z / sum);
            }
        },
    );
}

pub(crate) fn softmax_grad_cpu<F: Real>(z: &[F], dz: &mut [F], [cells, latent]: [usize; 2]) {
    let rows = z[..cells * latent].chunks_exact(latent);
    for (z, dz) in rows.zip(dz.chunks_exact_mut(latent)) {
        let mean: F = z.iter().zip(&*dz).map(|(&z, &d)| z * d).sum();
        for (d, &z) in dz.iter_mut().zip(z) {
            *d = z * (*d - mean);
        }
    }
}
