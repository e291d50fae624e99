//! The decoder's heads.

use super::Cpu;
use crate::aligned::{Aligned, aligned};
use crate::backend::HeadOps;
use crate::ops::count_head::{
    CountHead, CountSamples, Dispersion, HeadDims, HeadLayer, HeadOutput, HeadParams, HeadPlan,
    HeadSinks, LikelihoodPass, ScaleActivation, WeightBlocks, head_forward_cpu, head_grad_cpu,
    head_library_grad_cpu, head_likelihood_cpu, head_read_cpu, head_scale_rows_cpu,
};
use crate::padded;
use crate::real::Real;

impl<F: Real> HeadOps for Cpu<F> {
    type Head = CountHead<F>;
    type Samples = CountSamples<F>;

    fn pack_head_weight(&self, weight: &[F], [genes, hidden]: [usize; 2]) -> Vec<F> {
        WeightBlocks::new(genes, hidden).store(weight)
    }

    fn unpack_head_weight(&self, packed: &[F], [genes, hidden]: [usize; 2]) -> Vec<F> {
        WeightBlocks::new(genes, hidden).restore(packed)
    }

    fn head_normalised(&self, dims: HeadDims) -> Aligned<F> {
        // A gene's cells are a row, and rows are padded.
        aligned(dims.genes * padded(dims.cells))
    }

    fn head(&self, dims: HeadDims, plan: HeadPlan) -> CountHead<F> {
        CountHead::new(dims, plan)
    }

    fn head_forward(
        &self,
        head: &mut CountHead<F>,
        h: &Aligned<F>,
        params: HeadParams<Self>,
        dims: HeadDims,
    ) {
        head_forward_cpu(head, h, params, dims);
    }

    fn head_likelihood(
        &self,
        head: &mut CountHead<F>,
        pass: LikelihoodPass<Self>,
        dispersion: Dispersion<Self>,
        nll: &mut Aligned<F>,
        dims: HeadDims,
    ) {
        head_likelihood_cpu(head, pass, dispersion, nll, dims);
    }

    fn head_library_grad(&self, head: &CountHead<F>, d_library: &mut Aligned<F>, dims: HeadDims) {
        head_library_grad_cpu(head, d_library, dims);
    }

    fn head_grad(
        &self,
        head: &mut CountHead<F>,
        h: &Aligned<F>,
        sinks: HeadSinks<Self>,
        dh: &mut Aligned<F>,
        dims: HeadDims,
    ) {
        head_grad_cpu(head, h, sinks, dh, dims);
    }

    fn head_read(
        &self,
        head: &CountHead<F>,
        what: HeadOutput,
        genes: Option<&[u32]>,
        dims: HeadDims,
        out: &mut [F],
    ) {
        head_read_cpu(head, what, genes, dims, out);
    }

    fn head_samples(
        &self,
        hidden: &[F],
        layer: HeadLayer<Self>,
        activation: ScaleActivation,
        dims: HeadDims,
    ) -> CountSamples<F> {
        CountSamples::new(hidden, layer, activation, dims)
    }

    fn samples_stride(&self, samples: &CountSamples<F>) -> usize {
        samples.stride()
    }

    fn head_scale_rows(
        &self,
        samples: &CountSamples<F>,
        layer: HeadLayer<Self>,
        activation: ScaleActivation,
        genes: &[u32],
        dims: HeadDims,
        out: &mut [F],
    ) {
        head_scale_rows_cpu(samples, layer, activation, genes, out, dims);
    }
}
