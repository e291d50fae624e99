//! A minibatch and everything a step computes of it, in buffers made once.

use scvi_kernels::{Backend, CsrRows, NoiseKey, Stream};

use super::vae::Vae;
use crate::nn::{EncoderActivations, HeadActivations};

/// The host's side of a minibatch, refilled in place.
#[derive(Debug, Clone, Default)]
pub struct Minibatch {
    /// Counts of each cell.
    pub rows: CsrRows,
    /// Number of each cell in its data set: its noise belongs to it.
    pub cells: Vec<u32>,
    /// Batch of each cell.
    pub batch: Vec<u32>,
}

/// Where a draw's noise comes from.
#[derive(Debug, Clone, Copy)]
pub enum Noise<'a, F> {
    /// From the seed and each cell's number; `draw` tells repetitions (epochs, samples) apart.
    Seeded {
        /// Seed of the run.
        seed: u64,
        /// Which repetition.
        draw: u32,
    },
    /// Given, to repeat another program's step.
    Given {
        /// ε of z: `(cells, n_latent)`.
        z: &'a [F],
        /// Dropout factors of each encoder layer, 0 or 1/(1-p): `(cells, n_hidden)`.
        dropout: &'a [Vec<F>],
    },
}

/// What a forward pass says of each cell.
#[derive(Debug, Clone, PartialEq)]
pub struct CellOutputs<F> {
    /// -ln p(x | z): `(cells)`.
    pub reconstruction_loss: Vec<F>,
    /// KL(q(z|x) ‖ p(z)): `(cells)`.
    pub kl_local: Vec<F>,
}

/// A minibatch on the device. Another can be loaded while a step runs on the first.
pub struct Inputs<B: Backend> {
    pub(super) n_cells: usize,
    max_cells: usize,
    pub(super) counts: B::Counts,
    pub(super) cells: B::Ids,
    pub(super) batch: B::Ids,
    log_variational: bool,
}

/// Device buffers for minibatches of up to `max_cells` cells.
pub struct Workspace<B: Backend> {
    pub(super) inputs: Inputs<B>,
    pub(super) encoder: EncoderActivations<B>,
    pub(super) decoder: HeadActivations<B>,
    dropout_rate: f64,
    n_latent: usize,
    n_hidden: usize,
}

impl<B: Backend> Vae<B> {
    /// Room for a minibatch of up to `max_cells` cells that hold up to `max_nnz` counts.
    pub fn inputs(&self, max_cells: usize, max_nnz: usize) -> Inputs<B> {
        let b = &self.backend;
        let config = self.spec.config();
        Inputs {
            n_cells: 0,
            max_cells,
            counts: b.counts(max_cells, max_nnz, config.n_input),
            cells: b.ids(max_cells),
            batch: b.ids(max_cells),
            log_variational: config.log_variational,
        }
    }

    /// Buffers for minibatches of up to `max_cells` cells that hold up to `max_nnz` counts; with
    /// those of gradients only where `training`.
    pub fn workspace(&self, max_cells: usize, max_nnz: usize, training: bool) -> Workspace<B> {
        let b = &self.backend;
        let config = self.spec.config();
        let encoder = self.spec.encoder_plan();
        Workspace {
            inputs: self.inputs(max_cells, max_nnz),
            encoder: EncoderActivations::new(b, &encoder, config.n_latent, max_cells),
            decoder: self.decoder.activations(b, &self.spec.decoder_plan(), max_cells, training),
            dropout_rate: config.dropout_rate,
            n_latent: config.n_latent,
            n_hidden: config.n_hidden,
        }
    }
}

impl<B: Backend> Inputs<B> {
    /// Takes a minibatch in.
    ///
    /// # Panics
    /// If it has more cells than there is room for, or lists of unequal length.
    pub fn load(&mut self, backend: &B, batch: &Minibatch) {
        let n = batch.rows.n_cells();
        assert!(n <= self.max_cells, "{n} cells where {} fit", self.max_cells);
        assert_eq!((batch.cells.len(), batch.batch.len()), (n, n), "one number a cell");
        self.n_cells = n;
        backend.load_counts(&mut self.counts, &batch.rows, self.log_variational);
        backend.upload_ids(&mut self.cells, &batch.cells);
        backend.upload_ids(&mut self.batch, &batch.batch);
    }
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

    /// Sets the noise of z, and of dropout where the pass is a training step.
    pub(super) fn set_noise(&mut self, backend: &B, noise: Noise<B::Elem>, dropout: bool) {
        let n = self.inputs.n_cells;
        match noise {
            Noise::Seeded { seed, draw } => {
                let key = NoiseKey { seed, stream: Stream::Latent as u32, draw };
                let dims = [n, self.n_latent];
                backend.normal_noise(key, &self.inputs.cells, dims, &mut self.encoder.noise);
                let layers = self.encoder.fc.dropout().take(if dropout { usize::MAX } else { 0 });
                for (layer, factors) in layers.enumerate() {
                    let key = NoiseKey { stream: Stream::Dropout as u32 + layer as u32, ..key };
                    let dims = [n, self.n_hidden];
                    backend.dropout_noise(
                        key,
                        &self.inputs.cells,
                        dims,
                        self.dropout_rate,
                        factors,
                    );
                }
            }
            Noise::Given { z, dropout } => {
                backend.upload(&mut self.encoder.noise, z);
                for (buf, factors) in self.encoder.fc.dropout().zip(dropout) {
                    backend.upload(buf, factors);
                }
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

    /// The latent variable z that was decoded: `(cells, n_latent)`.
    pub fn z(&self, backend: &B) -> Vec<B::Elem> {
        backend.download(&self.encoder.z, self.inputs.n_cells * self.n_latent)
    }

    /// Observed library size, ln Σ_g x: `(cells)`.
    pub fn library(&self, backend: &B) -> Vec<B::Elem> {
        backend.download(backend.library(&self.inputs.counts), self.inputs.n_cells)
    }

    /// Reconstruction loss and KL, summed over the minibatch.
    pub fn loss_sums(&self, backend: &B) -> (f64, f64) {
        let n = self.inputs.n_cells;
        (backend.sum(&self.decoder.nll, n), backend.sum(&self.encoder.kl, n))
    }

    /// Loss terms of each cell.
    pub fn cell_outputs(&self, backend: &B) -> CellOutputs<B::Elem> {
        CellOutputs {
            reconstruction_loss: backend.download(&self.decoder.nll, self.inputs.n_cells),
            kl_local: backend.download(&self.encoder.kl, self.inputs.n_cells),
        }
    }
}
