//! `LayerNorm` without parameters of its own.

use scvi_kernels::{Backend, LayerNormKept};

/// What the gradient needs of a forward pass.
pub(crate) struct LayerNormActivations<B: Backend> {
    normalised: B::Buf, // (cells, features)
    inv_std: B::Buf,    // (cells)
}

impl<B: Backend> LayerNormActivations<B> {
    pub(crate) fn new(backend: &B, max_cells: usize, features: usize) -> Self {
        let normalised = backend.zeros(max_cells * features);
        Self { normalised, inv_std: backend.zeros(max_cells) }
    }

    /// Normalises each cell's features in place; the formula is in
    /// [`scvi_kernels::ops::layer_norm`].
    pub(crate) fn forward(&mut self, backend: &B, x: &mut B::Buf, dims: [usize; 2]) {
        backend.layer_norm(x, dims, &mut self.normalised, &mut self.inv_std);
    }

    /// `dy` becomes the gradient of the input.
    pub(crate) fn backward(&self, backend: &B, dy: &mut B::Buf, dims: [usize; 2]) {
        let kept = LayerNormKept { normalised: &self.normalised, inv_std: &self.inv_std };
        backend.layer_norm_grad(kept, dims, dy);
    }
}
