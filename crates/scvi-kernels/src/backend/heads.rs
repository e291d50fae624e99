//! The decoder's heads and the likelihood of counts. See [`crate::ops::count_head`].

use super::Device;
use crate::ops::count_head::{
    Dispersion, HeadDims, HeadLayer, HeadOutput, HeadParams, HeadPlan, HeadSinks, LikelihoodPass,
    ScaleActivation,
};

/// From the decoder's last hidden layer to the loss of each cell, and back.
pub trait HeadOps: Device {
    /// What the decoder's heads keep between forward, likelihood and backward.
    type Head: Send + Sync;
    /// What the decoder's heads read of many samples, with the sums of their softmax.
    type Samples: Send + Sync;

    /// A head's weights, `dims` = `(genes, hidden)` in torch's order, in the order of this device; or
    /// anything that belongs to them number by number, such as gradients or a mask.
    fn pack_head_weight(&self, weight: &[Self::Elem], dims: [usize; 2]) -> Vec<Self::Elem>;
    /// Back to torch's order.
    fn unpack_head_weight(&self, packed: &[Self::Elem], dims: [usize; 2]) -> Vec<Self::Elem>;
    /// A buffer for what the normalisation of a head saves for backward, a number a cell and gene.
    fn head_normalised(&self, dims: HeadDims) -> Self::Buf;
    /// Buffers for the decoder's heads. See [`crate::ops::count_head`].
    fn head(&self, dims: HeadDims, plan: HeadPlan) -> Self::Head;
    /// Logits of the heads, and px_scale's activation. See [`crate::ops::count_head`].
    fn head_forward(
        &self,
        head: &mut Self::Head,
        h: &Self::Buf,
        params: HeadParams<Self>,
        dims: HeadDims,
    );
    /// Negative log-likelihood of each cell, and every partial derivative where asked; where not,
    /// the heads' outputs stay to be held to other counts. See [`crate::ops::count_head`].
    fn head_likelihood(
        &self,
        head: &mut Self::Head,
        pass: LikelihoodPass<Self>,
        dispersion: Dispersion<Self>,
        nll: &mut Self::Buf,
        dims: HeadDims,
    );
    /// dL/d(library) of each cell, `(cells)`, after [`HeadOps::head_likelihood`] with a gradient.
    /// See [`crate::ops::count_head`].
    fn head_library_grad(&self, head: &Self::Head, d_library: &mut Self::Buf, dims: HeadDims);
    /// Gradients of the heads' parameters and of their input. See [`crate::ops::count_head`].
    fn head_grad(
        &self,
        head: &mut Self::Head,
        h: &Self::Buf,
        sinks: HeadSinks<Self>,
        dh: &mut Self::Buf,
        dims: HeadDims,
    );
    /// Reads one number a cell and gene into `out`, `(cells, genes)`, of the listed genes in their
    /// order or of all, after [`HeadOps::head_forward`] of that head and before any gradient.
    fn head_read(
        &self,
        head: &Self::Head,
        what: HeadOutput,
        genes: Option<&[u32]>,
        dims: HeadDims,
        out: &mut [Self::Elem],
    );
    /// Takes the heads' input of any number of samples, `(samples, hidden)`, and sums the
    /// exponentials of px_scale's logits over genes, by an evaluated `layer`.
    fn head_samples(
        &self,
        hidden: &[Self::Elem],
        layer: HeadLayer<Self>,
        activation: ScaleActivation,
        dims: HeadDims,
    ) -> Self::Samples;
    /// Numbers between the rows of two genes in the output of [`HeadOps::head_scale_rows`].
    fn samples_stride(&self, samples: &Self::Samples) -> usize;
    /// px_scale of the listed genes for samples of which all genes would be too many to hold:
    /// `(genes, samples)` into `out`, with rows [`HeadOps::samples_stride`] apart.
    ///
    /// It starts no work elsewhere on the host, so that callers may share the genes among threads.
    fn head_scale_rows(
        &self,
        samples: &Self::Samples,
        layer: HeadLayer<Self>,
        activation: ScaleActivation,
        genes: &[u32],
        dims: HeadDims,
        out: &mut [Self::Elem],
    );
}
