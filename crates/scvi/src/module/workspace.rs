//! Everything a step computes of a minibatch, in buffers made once.

use scvi_kernels::Backend;

use super::minibatch::{Inputs, Minibatch};
use super::noise::{Cells, Noise};
use crate::nn::{DecoderActivations, EncoderActivations};

/// Device buffers for minibatches of up to `max_cells` cells.
pub struct Workspace<B: Backend> {
    pub(super) inputs: Inputs<B>,
    pub(super) encoder: EncoderActivations<B>,
    /// Of an inferred library.
    pub(super) library: Option<EncoderActivations<B>>,
    pub(super) decoder: DecoderActivations<B>,
    /// Gradient of the batch's embedding: `(cells, embedding_dim)`.
    pub(super) d_embedded: B::Buf,
    /// ln library of each cell, where it is given instead of observed or inferred: `(cells)`.
    pub(super) given_library: B::Buf,
    pub(super) library_is_given: bool,
    /// Σ g² over all gradients of a step that clips them: `(1)`.
    pub(super) sum_of_squares: B::Buf,
    pub(super) extra_payload: bool,
    pub(super) n_latent: usize,
}

impl<B: Backend> Workspace<B> {
    /// Cells of the minibatch at hand.
    pub fn n_cells(&self) -> usize {
        self.inputs.n_cells
    }

    /// Takes a minibatch in; see [`Inputs::load`].
    ///
    /// # Panics
    /// As [`Inputs::load`].
    pub fn load(&mut self, backend: &B, batch: &Minibatch) {
        self.inputs.load(backend, batch);
    }

    /// Makes a minibatch that was loaded elsewhere the one at hand, and gives back the other.
    pub fn swap_inputs(&mut self, inputs: &mut Inputs<B>) {
        std::mem::swap(&mut self.inputs, inputs);
    }

    /// Sets the noise of z and of an inferred library, and of dropout where the pass is a training
    /// step.
    pub(super) fn set_noise(&mut self, backend: &B, noise: Noise<B::Elem>, dropout: bool) {
        match noise {
            Noise::Seeded { seed, draw } => self.draw_noise(backend, seed, draw, dropout),
            Noise::Given(given) => {
                let encoders = [
                    (Some(&mut self.encoder), &given.z, &given.dropout),
                    (self.library.as_mut(), &given.library, &given.library_dropout),
                ];
                for (encoder, noise, dropout) in encoders {
                    let Some(encoder) = encoder else { continue };
                    backend.upload(&mut encoder.noise, noise);
                    for (buf, factors) in encoder.fc.dropout().zip(dropout) {
                        backend.upload(buf, factors);
                    }
                }
            }
        }
    }

    fn draw_noise(&mut self, backend: &B, seed: u64, draw: u32, dropout: bool) {
        let Self { inputs, encoder, library, .. } = self;
        let mut encoders = [Some(encoder), library.as_mut()];
        let by = (seed, draw);
        if let (true, Some(ahead)) = (dropout, &mut inputs.noise_ahead)
            && ahead.give(by, encoders.each_mut().map(Option::as_deref_mut))
        {
            return;
        }
        let cells = Cells { ids: &inputs.cells, n: inputs.n_cells };
        for (encoder, plan) in encoders.into_iter().zip(&inputs.noise_plans) {
            if let (Some(encoder), Some(plan)) = (encoder, plan) {
                plan.draw_into(backend, cells, by, encoder, dropout);
            }
        }
    }

    /// Mean q_m of the posterior: `(cells, n_latent)`.
    pub fn qz_m(&self, backend: &B) -> Vec<B::Elem> {
        backend.download(&self.encoder.mean, self.inputs.n_cells * self.n_latent)
    }

    /// Variance q_v of the posterior: `(cells, n_latent)`.
    pub fn qz_v(&self, backend: &B) -> Vec<B::Elem> {
        backend.download(&self.encoder.var, self.inputs.n_cells * self.n_latent)
    }

    /// The latent variable z that was decoded, with latent_distribution ln on the simplex:
    /// `(cells, n_latent)`.
    pub fn z(&self, backend: &B) -> Vec<B::Elem> {
        backend.download(self.encoder.z(), self.inputs.n_cells * self.n_latent)
    }

    /// The normal draw that z is made of; z itself with latent_distribution normal:
    /// `(cells, n_latent)`.
    pub fn untransformed_z(&self, backend: &B) -> Vec<B::Elem> {
        backend.download(&self.encoder.draw, self.inputs.n_cells * self.n_latent)
    }

    /// Log library size: given, inferred, or observed as ln Σ_g x: `(cells)`.
    pub fn library(&self, backend: &B) -> Vec<B::Elem> {
        let observed = backend.library(&self.inputs.counts);
        let inferred = self.library.as_ref().map_or(observed, |l| l.z());
        let used = if self.library_is_given { &self.given_library } else { inferred };
        backend.download(used, self.inputs.n_cells)
    }

    /// Mean and variance of an inferred library's posterior: `(cells)` each.
    pub fn ql(&self, backend: &B) -> Option<[Vec<B::Elem>; 2]> {
        let n = self.inputs.n_cells;
        let library = self.library.as_ref()?;
        Some([&library.mean, &library.var].map(|buf| backend.download(buf, n)))
    }
}
