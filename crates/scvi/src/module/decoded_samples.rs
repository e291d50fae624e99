//! px_scale of many samples without a number for each sample and gene.

use scvi_kernels::Backend;

use super::vae::{Vae, pass};
use super::workspace::Workspace;

/// Samples kept as what the decoder's heads read of them, with the sum of their softmax:
/// `n_hidden` numbers a sample where px_scale itself is one a gene.
pub struct DecodedSamples<B: Backend> {
    n: usize,
    samples: B::Samples,
    stride: usize,
}

impl<B: Backend> DecodedSamples<B> {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Numbers between the rows of two genes in the output of [`Vae::px_scale_by_gene`].
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }
}

impl<B: Backend> Vae<B> {
    /// Decodes z, in evaluation mode, as far as the heads' input: `(cells, hidden_width)`.
    ///
    /// With `transform_batch` every cell is decoded as if it came from that batch.
    ///
    /// # Panics
    /// If the model has no such batch.
    pub fn hidden(&self, ws: &mut Workspace<B>, transform_batch: Option<u32>) -> Vec<B::Elem> {
        self.set_batch(ws, transform_batch);
        let Workspace { inputs, encoder, decoder, .. } = ws;
        self.decoder.hidden_eval(pass(&self.backend, inputs), encoder.z(), decoder);
        self.decoder.hidden(&self.backend, decoder, inputs.n_cells)
    }

    /// Numbers that the decoder's heads read of a cell: `n_hidden`, or for the linear decoder those
    /// of z and the one-hot categories.
    pub fn hidden_width(&self) -> usize {
        self.decoder.hidden_width()
    }

    /// Takes the outputs of [`Vae::hidden`] for any number of samples, `(samples, hidden_width)`,
    /// and sums each one's softmax over all genes.
    ///
    /// # Panics
    /// If `hidden` has no whole number of rows.
    pub fn decoded_samples(&self, hidden: &[B::Elem]) -> DecodedSamples<B> {
        let width = self.hidden_width();
        assert_eq!(hidden.len() % width, 0, "{width} numbers a sample");
        let n = hidden.len() / width;
        let samples = self.decoder.samples(&self.backend, hidden, n);
        let stride = self.backend.samples_stride(&samples);
        DecodedSamples { n, samples, stride }
    }

    /// px_scale of the listed genes: `(genes, samples)` into `out`, with rows
    /// [`DecodedSamples::stride`] apart, only on the calling thread, so that threads may share the
    /// genes.
    ///
    /// # Panics
    /// If there is no such gene, or `out` is too short.
    pub fn px_scale_by_gene(
        &self,
        samples: &DecodedSamples<B>,
        genes: &[u32],
        out: &mut [B::Elem],
    ) {
        self.decoder.scale_rows(&self.backend, &samples.samples, samples.n, genes, out);
    }
}
