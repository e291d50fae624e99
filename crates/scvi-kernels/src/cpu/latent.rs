//! The latent space.

use super::Cpu;
use crate::aligned::Aligned;
use crate::backend::{LatentOps, PosteriorGradIo, PosteriorIo, StoredPosteriorIo};
use crate::ops::posterior::{posterior_cpu, posterior_grad_cpu, stored_posterior_cpu};
use crate::ops::softmax::{softmax_cpu, softmax_grad_cpu};
use crate::real::Real;

impl<F: Real> LatentOps for Cpu<F> {
    fn posterior(&self, io: PosteriorIo<Self>, dims: [usize; 2]) {
        posterior_cpu(io, dims);
    }

    fn stored_posterior(&self, io: StoredPosteriorIo<Self>, dims: [usize; 2]) {
        stored_posterior_cpu(io, dims);
    }

    fn posterior_grad(&self, io: PosteriorGradIo<Self>, dims: [usize; 2]) {
        posterior_grad_cpu(io, dims);
    }

    fn softmax(&self, u: &Aligned<F>, z: &mut Aligned<F>, dims: [usize; 2]) {
        softmax_cpu(u, z, dims);
    }

    fn softmax_grad(&self, z: &Aligned<F>, dz: &mut Aligned<F>, dims: [usize; 2]) {
        softmax_grad_cpu(z, dz, dims);
    }
}
