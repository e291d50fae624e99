//! The heads, of which some operations give numbers to the host or take them from it.

use scvi::Backend;
use scvi_kernels::HeadOps;
use scvi_kernels::ops::count_head::{
    Dispersion, HeadDims, HeadLayer, HeadOutput, HeadParams, HeadPlan, HeadSinks, LikelihoodPass,
    ScaleActivation,
};

use super::{Counting, convert};

impl<B: Backend> HeadOps for Counting<B> {
    type Head = B::Head;
    type Samples = B::Samples;

    fn pack_head_weight(&self, weight: &[B::Elem], dims: [usize; 2]) -> Vec<B::Elem> {
        self.inner.pack_head_weight(weight, dims)
    }

    fn unpack_head_weight(&self, packed: &[B::Elem], dims: [usize; 2]) -> Vec<B::Elem> {
        self.inner.unpack_head_weight(packed, dims)
    }

    fn head_normalised(&self, dims: HeadDims) -> B::Buf {
        self.allocates().head_normalised(dims)
    }

    fn head(&self, dims: HeadDims, plan: HeadPlan) -> B::Head {
        self.allocates().head(dims, plan)
    }

    fn head_forward(
        &self,
        head: &mut B::Head,
        h: &B::Buf,
        params: HeadParams<Self>,
        dims: HeadDims,
    ) {
        let params = HeadParams {
            scale: convert::head_layer(params.scale),
            dropout: params.dropout.map(convert::head_layer),
            dispersion: params.dispersion.map(convert::head_layer),
        };
        self.inner.head_forward(head, h, params, dims);
    }

    fn head_likelihood(
        &self,
        head: &mut B::Head,
        pass: LikelihoodPass<Self>,
        dispersion: Dispersion<Self>,
        nll: &mut B::Buf,
        dims: HeadDims,
    ) {
        let (pass, dispersion) = (convert::likelihood_pass(pass), convert::dispersion(dispersion));
        self.inner.head_likelihood(head, pass, dispersion, nll, dims);
    }

    fn head_library_grad(&self, head: &B::Head, d_library: &mut B::Buf, dims: HeadDims) {
        self.inner.head_library_grad(head, d_library, dims);
    }

    fn head_grad(
        &self,
        head: &mut B::Head,
        h: &B::Buf,
        sinks: HeadSinks<Self>,
        dh: &mut B::Buf,
        dims: HeadDims,
    ) {
        let sinks = HeadSinks {
            scale: convert::head_sinks(sinks.scale),
            dropout: sinks.dropout.map(convert::head_sinks),
            dispersion: sinks.dispersion.map(convert::head_sinks),
        };
        self.inner.head_grad(head, h, sinks, dh, dims);
    }

    fn head_read(
        &self,
        head: &B::Head,
        what: HeadOutput,
        genes: Option<&[u32]>,
        dims: HeadDims,
        out: &mut [B::Elem],
    ) {
        self.downloads().head_read(head, what, genes, dims, out);
    }

    fn head_samples(
        &self,
        hidden: &[B::Elem],
        layer: HeadLayer<Self>,
        activation: ScaleActivation,
        dims: HeadDims,
    ) -> B::Samples {
        self.uploads().head_samples(hidden, convert::head_layer(layer), activation, dims)
    }

    fn samples_stride(&self, samples: &B::Samples) -> usize {
        self.inner.samples_stride(samples)
    }

    fn head_scale_rows(
        &self,
        samples: &B::Samples,
        layer: HeadLayer<Self>,
        activation: ScaleActivation,
        genes: &[u32],
        dims: HeadDims,
        out: &mut [B::Elem],
    ) {
        let layer = convert::head_layer(layer);
        self.downloads().head_scale_rows(samples, layer, activation, genes, dims, out);
    }
}
