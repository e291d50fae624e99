//! The processor as a [`Backend`].

use std::marker::PhantomData;
use std::ops::Range;

use crate::aligned::{Aligned, aligned};
use crate::backend::{
    AdamIo, Backend, BatchNormEval, BatchNormKept, BatchNormState, GradSink, LayerNormKept,
    NoiseKey, PosteriorGradIo, PosteriorIo, StoredPosteriorIo,
};
use crate::counts::{CountsBatch, CsrRows};
use crate::ops::Sink;
use crate::ops::activation::{Activation, activate_cpu, gate_grad_cpu};
use crate::ops::adam::adam_in_parts_cpu;
use crate::ops::batch_norm::{batch_norm_eval_cpu, batch_norm_grad_cpu, batch_norm_train_cpu};
use crate::ops::clip::{clip_by_norm_cpu, clip_by_value_cpu, sum_of_squares_cpu};
use crate::ops::count_head::{
    CountHead, CountSamples, Dispersion, HeadDims, HeadLayer, HeadOutput, HeadParams, HeadPlan,
    HeadSinks, LikelihoodPass, ScaleActivation, WeightBlocks, head_forward_cpu, head_grad_cpu,
    head_library_grad_cpu, head_likelihood_cpu, head_read_cpu, head_scale_rows_cpu,
};
use crate::ops::embedding::{
    EmbeddingDims, EmbeddingGrad, MaxNorm, embedding_cpu, embedding_grad_cpu, embedding_renorm_cpu,
};
use crate::ops::layer_norm::{layer_norm_cpu, layer_norm_grad_cpu};
use crate::ops::linear::{
    LinearDims, bias_grad_cpu, linear_cpu, linear_grad_input_cpu, linear_grad_weight_cpu,
};
use crate::ops::noise::{dropout_noise_cpu, normal_noise_cpu};
use crate::ops::one_hot::{
    OneHotBeside, first_columns_cpu, one_hot_beside_cpu, one_hot_cpu, one_hot_grad_cpu,
};
use crate::ops::posterior::{posterior_cpu, posterior_grad_cpu, stored_posterior_cpu};
use crate::ops::softmax::{softmax_cpu, softmax_grad_cpu};
use crate::ops::sparse_linear::{sparse_linear_cpu, sparse_linear_grad_cpu};
use crate::padded;
use crate::real::Real;
use crate::simd::vectorised;

/// Runs operations on the processor, in numbers of type `F`.
///
/// Work goes to the rayon pool that the caller is in; the instruction set is chosen at run time.
/// Results do not depend on the pool's size.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu<F = f32>(PhantomData<F>);

impl<F> Cpu<F> {
    /// The processor.
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<F: Real> Backend for Cpu<F> {
    type Elem = F;
    type Buf = Aligned<F>;
    type Ids = Vec<u32>;
    type Counts = CountsBatch<F>;
    type Head = CountHead<F>;
    type Samples = CountSamples<F>;

    fn zeros(&self, len: usize) -> Aligned<F> {
        aligned(len)
    }

    fn upload(&self, buf: &mut Aligned<F>, values: &[F]) {
        buf[..values.len()].copy_from_slice(values);
    }

    fn copy(&self, from: &Aligned<F>, to: &mut Aligned<F>, len: usize) {
        to[..len].copy_from_slice(&from[..len]);
    }

    fn download(&self, buf: &Aligned<F>, len: usize) -> Vec<F> {
        buf[..len].to_vec()
    }

    fn sum(&self, buf: &Aligned<F>, len: usize) -> f64 {
        buf[..len].iter().map(|v| v.to_f64()).sum()
    }

    fn is_finite(&self, buf: &Aligned<F>, len: usize) -> bool {
        // Without a way out in the middle the loop vectorises. Infinity times 0 is NaN.
        let all = |part: &[F]| part.iter().fold(true, |ok, &v| ok & (v * F::ZERO == F::ZERO));
        vectorised(
            #[inline(always)]
            || all(&buf[..len]),
        )
    }

    fn ids(&self, len: usize) -> Vec<u32> {
        vec![0; len]
    }

    fn upload_ids(&self, ids: &mut Vec<u32>, values: &[u32]) {
        ids[..values.len()].copy_from_slice(values);
    }

    fn counts(&self, dims: [usize; 3], by_gene: bool) -> CountsBatch<F> {
        let [max_cells, max_nnz, n_genes] = dims;
        CountsBatch::new(max_cells, max_nnz, n_genes, by_gene)
    }

    fn load_counts(&self, counts: &mut CountsBatch<F>, rows: &CsrRows, log_variational: bool) {
        counts.load(rows, log_variational);
    }

    fn library<'a>(&self, counts: &'a CountsBatch<F>) -> &'a Aligned<F> {
        &counts.library
    }

    fn adam(&self, io: AdamIo<Self>, range: Range<usize>) {
        adam_in_parts_cpu(io, range);
    }

    fn sum_of_squares(&self, x: &Aligned<F>, len: usize, sum: &mut Aligned<F>, accumulate: bool) {
        sum_of_squares_cpu(&x[..len], sum, accumulate);
    }

    fn clip_by_norm(&self, grad: &mut Aligned<F>, len: usize, sum: &Aligned<F>, max_norm: f64) {
        clip_by_norm_cpu(&mut grad[..len], sum, max_norm);
    }

    fn clip_by_value(&self, grad: &mut Aligned<F>, len: usize, limit: f64) {
        clip_by_value_cpu(&mut grad[..len], limit);
    }

    fn normal_noise(
        &self,
        key: NoiseKey,
        cells: &Vec<u32>,
        dims: [usize; 2],
        out: &mut Aligned<F>,
    ) {
        normal_noise_cpu(key, &cells[..dims[0]], dims[1], out);
    }

    fn dropout_noise(
        &self,
        key: NoiseKey,
        cells: &Vec<u32>,
        dims: [usize; 2],
        rate: f64,
        out: &mut Aligned<F>,
    ) {
        dropout_noise_cpu(key, &cells[..dims[0]], dims[1], rate, out);
    }

    fn sparse_linear(
        &self,
        x: &CountsBatch<F>,
        w: &Aligned<F>,
        bias: Option<&Aligned<F>>,
        y: &mut Aligned<F>,
        n_out: usize,
    ) {
        sparse_linear_cpu(x, w, bias.map(|b| &b[..]), y, n_out);
    }

    fn sparse_linear_grad(
        &self,
        x: &CountsBatch<F>,
        dy: &Aligned<F>,
        n_out: usize,
        w: GradSink<Self>,
    ) {
        sparse_linear_grad_cpu(x, dy, n_out, Sink::new(w, x.n_genes * n_out, n_out));
    }

    fn linear(
        &self,
        x: &Aligned<F>,
        w: &Aligned<F>,
        bias: Option<&Aligned<F>>,
        y: &mut Aligned<F>,
        dims: LinearDims,
        accumulate: bool,
    ) {
        linear_cpu(x, w, bias.map(|b| &b[..]), y, dims, accumulate);
    }

    fn linear_grad_input(
        &self,
        dy: &Aligned<F>,
        w: &Aligned<F>,
        dx: &mut Aligned<F>,
        dims: LinearDims,
        accumulate: bool,
    ) {
        linear_grad_input_cpu(dy, w, dx, dims, accumulate);
    }

    fn linear_grad_weight(
        &self,
        x: &Aligned<F>,
        dy: &Aligned<F>,
        dims: LinearDims,
        w: GradSink<Self>,
    ) {
        let w = Sink::new(w, dims.n_in * dims.n_out, dims.n_out);
        linear_grad_weight_cpu(x, dy, dims, w);
    }

    fn bias_grad(&self, dy: &Aligned<F>, dims: LinearDims, bias: GradSink<Self>) {
        bias_grad_cpu(dy, dims, Sink::new(bias, dims.n_out, 1));
    }

    fn one_hot(&self, rows: &Vec<u32>, w: &Aligned<F>, y: &mut Aligned<F>, dims: LinearDims) {
        one_hot_cpu(rows, w, y, dims);
    }

    fn one_hot_grad(&self, rows: &Vec<u32>, dy: &Aligned<F>, dims: LinearDims, w: GradSink<Self>) {
        let len = match &w {
            GradSink::Frozen { value }
            | GradSink::Store { value, .. }
            | GradSink::Accumulate { value, .. } => value.len(),
            GradSink::Adam { value, .. } | GradSink::AdamWhere { value, .. } => value.len(),
        };
        one_hot_grad_cpu(rows, dy, dims, Sink::new(w, len, dims.n_out));
    }

    fn one_hot_beside(
        &self,
        x: &Aligned<F>,
        columns: &Vec<u32>,
        y: &mut Aligned<F>,
        d: OneHotBeside,
    ) {
        one_hot_beside_cpu(x, columns, y, d);
    }

    fn first_columns(&self, x: &Aligned<F>, y: &mut Aligned<F>, cells: usize, widths: [usize; 2]) {
        first_columns_cpu(&x[..cells * widths[0]], y, widths);
    }

    fn batch_norm_train(&self, state: BatchNormState<Self>, dims: [usize; 2], x: &mut Aligned<F>) {
        batch_norm_train_cpu(state, dims, x);
    }

    fn batch_norm_eval(&self, affine: BatchNormEval<Self>, dims: [usize; 2], x: &mut Aligned<F>) {
        batch_norm_eval_cpu(affine, dims, x);
    }

    fn batch_norm_grad(
        &self,
        kept: BatchNormKept<Self>,
        dims: [usize; 2],
        dy: &mut Aligned<F>,
        gamma: GradSink<Self>,
        beta: GradSink<Self>,
    ) {
        let (gamma, beta) = (Sink::new(gamma, dims[1], 1), Sink::new(beta, dims[1], 1));
        batch_norm_grad_cpu(kept, dims, dy, gamma, beta);
    }

    fn layer_norm(
        &self,
        x: &mut Aligned<F>,
        dims: [usize; 2],
        normalised: &mut Aligned<F>,
        inv_std: &mut Aligned<F>,
    ) {
        layer_norm_cpu(x, dims, normalised, inv_std);
    }

    fn layer_norm_grad(&self, kept: LayerNormKept<Self>, dims: [usize; 2], dy: &mut Aligned<F>) {
        layer_norm_grad_cpu(kept, dims, dy);
    }

    fn activate(
        &self,
        x: &mut Aligned<F>,
        activation: Activation,
        dropout: Option<&Aligned<F>>,
        gate: &mut Aligned<F>,
        len: usize,
    ) {
        activate_cpu(&mut x[..len], activation, dropout.map(|d| &d[..len]), gate);
    }

    fn gate_grad(&self, dy: &mut Aligned<F>, gate: &Aligned<F>, len: usize) {
        gate_grad_cpu(&mut dy[..len], &gate[..len]);
    }

    fn embedding_renorm(
        &self,
        table: &mut Aligned<F>,
        ids: &Vec<u32>,
        dims: EmbeddingDims,
        bound: MaxNorm,
    ) {
        embedding_renorm_cpu(table, ids, dims, bound);
    }

    fn embedding(
        &self,
        ids: &Vec<u32>,
        table: &Aligned<F>,
        out: &mut Aligned<F>,
        dims: EmbeddingDims,
    ) {
        embedding_cpu(ids, table, out, dims);
    }

    fn embedding_grad(
        &self,
        ids: &Vec<u32>,
        d_out: &Aligned<F>,
        dims: EmbeddingDims,
        rule: EmbeddingGrad,
        table: GradSink<Self>,
    ) {
        let table = Sink::new(table, dims.rows * dims.dim, dims.dim);
        embedding_grad_cpu(ids, d_out, dims, rule, table);
    }

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
