//! The buffers of a pass over a minibatch.

use scvi_kernels::Backend;

use super::minibatch::Inputs;
use super::vae::Vae;
use super::workspace::Workspace;
use crate::nn::{DecoderActivations, EncoderActivations};

impl<B: Backend> Vae<B> {
    /// Buffers for minibatches of up to `max_cells` cells that hold up to `max_nnz` counts; with
    /// those of gradients only where `training`.
    pub fn workspace(&self, max_cells: usize, max_nnz: usize, training: bool) -> Workspace<B> {
        let decoder = self.decoder.activations(&self.backend, max_cells, training);
        self.workspace_with(decoder, self.inputs(max_cells, max_nnz), training)
    }

    /// Buffers to train on a leaf of a minibatch that is not its first: without those of the heads,
    /// for which [`Vae::train_leaves`] uses the first leaf's.
    pub fn leaf_workspace(&self, max_cells: usize, max_nnz: usize) -> Workspace<B> {
        let decoder = self.decoder.hidden_activations(&self.backend, max_cells);
        self.workspace_with(decoder, self.inputs(max_cells, max_nnz), true)
    }

    /// Buffers to encode cells and to decode them, without looking at their likelihood: the counts
    /// are not held by gene.
    pub fn decoding_workspace(&self, max_cells: usize, max_nnz: usize) -> Workspace<B> {
        let decoder = self.decoder.activations(&self.backend, max_cells, false);
        self.workspace_with(
            decoder,
            Inputs::new(&self.backend, &self.spec, [max_cells, max_nnz], false),
            false,
        )
    }

    /// Buffers to encode cells, and to decode them as far as [`Vae::hidden`] goes: nothing there
    /// has a number a cell and gene, nor are the counts held by gene.
    pub fn hidden_workspace(&self, max_cells: usize, max_nnz: usize) -> Workspace<B> {
        let decoder = self.decoder.hidden_activations(&self.backend, max_cells);
        self.workspace_with(
            decoder,
            Inputs::new(&self.backend, &self.spec, [max_cells, max_nnz], false),
            false,
        )
    }

    fn workspace_with(
        &self,
        decoder: DecoderActivations<B>,
        inputs: Inputs<B>,
        training: bool,
    ) -> Workspace<B> {
        let (b, spec, max_cells) = (&self.backend, &self.spec, inputs.max_cells);
        let config = spec.config();
        let library = self.library_encoder.is_some();
        let n_embedded = spec.embedding().map_or(0, |e| e.dim);
        Workspace {
            inputs,
            encoder: EncoderActivations::new(b, &spec.encoder_plan(), max_cells),
            library: library
                .then(|| EncoderActivations::new(b, &spec.library_encoder_plan(), max_cells)),
            decoder,
            d_embedded: b.zeros(if training { max_cells * n_embedded } else { 0 }),
            given_library: b.zeros(max_cells),
            library_is_given: false,
            sum_of_squares: b.zeros(1),
            extra_payload: config.extra_payload_autotune,
            n_latent: config.n_latent,
        }
    }

    /// Buffers for a minibatch of up to `max_cells` cells that hold up to `max_nnz` counts.
    pub fn inputs(&self, max_cells: usize, max_nnz: usize) -> Inputs<B> {
        Inputs::new(&self.backend, &self.spec, [max_cells, max_nnz], true)
    }
}
