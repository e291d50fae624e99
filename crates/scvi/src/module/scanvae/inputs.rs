//! The two minibatches of a step on the device.

use scvi_kernels::Backend;

use super::Scanvae;
use crate::module::{Inputs, Minibatch, Noise};

/// The minibatches of a step. Others can be loaded while a step runs on the first.
pub struct ScanvaeInputs<B: Backend> {
    /// All cells, each without its label.
    pub(super) full: Inputs<B>,
    pub(super) labelled: LabelledInputs<B>,
}

/// A labelled minibatch on the device.
pub(super) struct LabelledInputs<B: Backend> {
    pub(super) cells: Inputs<B>,
    pub(super) labels: B::Ids,
}

impl<B: Backend> Scanvae<B> {
    /// Buffers for minibatches of up to so many cells and nonzero counts: all cells', then those of
    /// labelled cells.
    pub fn inputs(&self, full: [usize; 2], labelled: [usize; 2]) -> ScanvaeInputs<B> {
        let [max_cells, max_nnz] = full;
        ScanvaeInputs {
            full: self.vae.inputs(max_cells, max_nnz),
            labelled: self.labelled_inputs(labelled),
        }
    }

    pub(super) fn labelled_inputs(&self, [max_cells, max_nnz]: [usize; 2]) -> LabelledInputs<B> {
        let cells = self.vae.inputs(max_cells, max_nnz);
        LabelledInputs { cells, labels: self.backend().ids(max_cells) }
    }
}

impl<B: Backend> ScanvaeInputs<B> {
    /// Takes two minibatches in; without a cell in `labelled` there is no classification loss.
    ///
    /// # Panics
    /// As [`Inputs::load`].
    pub fn load(&mut self, backend: &B, full: &Minibatch, labelled: &Minibatch) {
        self.full.load(backend, full);
        self.labelled.load(backend, labelled);
    }
}

impl<B: Backend> ScanvaeInputs<B> {
    /// Draws the noise of the Vae for a step on these minibatches; see [`Inputs::draw_ahead`].
    pub fn draw_ahead(&mut self, backend: &B, noise: Noise<B::Elem>) {
        self.full.draw_ahead(backend, noise);
    }
}

impl<B: Backend> LabelledInputs<B> {
    pub(super) fn load(&mut self, backend: &B, minibatch: &Minibatch) {
        assert_eq!(minibatch.labels.len(), minibatch.rows.n_cells(), "one label a cell");
        self.cells.load(backend, minibatch);
        backend.upload_ids(&mut self.labels, &minibatch.labels);
    }
}
