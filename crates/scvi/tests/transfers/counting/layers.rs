//! Everything but the heads is forwarded as it comes: it stays on the device.

use std::ops::Range;

use scvi::Backend;
use scvi_kernels::ops::activation::Activation;
use scvi_kernels::ops::embedding::{EmbeddingDims, EmbeddingGrad, MaxNorm};
use scvi_kernels::ops::linear::LinearDims;
use scvi_kernels::ops::one_hot::OneHotBeside;
use scvi_kernels::{
    AdamIo, BatchNormEval, BatchNormKept, BatchNormState, GradSink, LatentOps, LayerNormKept,
    LinearOps, NoiseKey, NoiseOps, NormOps, OptimizerOps, PosteriorGradIo, PosteriorIo,
    StoredPosteriorIo,
};

use super::{Counting, convert};

impl<B: Backend> OptimizerOps for Counting<B> {
    fn adam(&self, io: AdamIo<Self>, range: Range<usize>) {
        let AdamIo { value, grad, m, v, mask, step } = io;
        self.inner.adam(AdamIo { value, grad, m, v, mask, step }, range);
    }

    fn sum_of_squares(&self, x: &B::Buf, len: usize, sum: &mut B::Buf, accumulate: bool) {
        self.inner.sum_of_squares(x, len, sum, accumulate);
    }

    fn clip_by_norm(&self, grad: &mut B::Buf, len: usize, sum: &B::Buf, max_norm: f64) {
        self.inner.clip_by_norm(grad, len, sum, max_norm);
    }

    fn clip_by_value(&self, grad: &mut B::Buf, len: usize, limit: f64) {
        self.inner.clip_by_value(grad, len, limit);
    }
}

impl<B: Backend> NoiseOps for Counting<B> {
    fn normal_noise(&self, key: NoiseKey, cells: &B::Ids, dims: [usize; 2], out: &mut B::Buf) {
        self.inner.normal_noise(key, cells, dims, out);
    }

    fn dropout_noise(
        &self,
        key: NoiseKey,
        cells: &B::Ids,
        dims: [usize; 2],
        rate: f64,
        out: &mut B::Buf,
    ) {
        self.inner.dropout_noise(key, cells, dims, rate, out);
    }
}

impl<B: Backend> LinearOps for Counting<B> {
    fn sparse_linear(
        &self,
        x: &B::Counts,
        w: &B::Buf,
        bias: Option<&B::Buf>,
        y: &mut B::Buf,
        n_out: usize,
    ) {
        self.inner.sparse_linear(x, w, bias, y, n_out);
    }

    fn sparse_linear_grad(&self, x: &B::Counts, dy: &B::Buf, n_out: usize, w: GradSink<Self>) {
        self.inner.sparse_linear_grad(x, dy, n_out, convert::sink(w));
    }

    fn linear(
        &self,
        x: &B::Buf,
        w: &B::Buf,
        bias: Option<&B::Buf>,
        y: &mut B::Buf,
        dims: LinearDims,
        accumulate: bool,
    ) {
        self.inner.linear(x, w, bias, y, dims, accumulate);
    }

    fn linear_grad_input(
        &self,
        dy: &B::Buf,
        w: &B::Buf,
        dx: &mut B::Buf,
        dims: LinearDims,
        accumulate: bool,
    ) {
        self.inner.linear_grad_input(dy, w, dx, dims, accumulate);
    }

    fn linear_grad_weight(&self, x: &B::Buf, dy: &B::Buf, dims: LinearDims, w: GradSink<Self>) {
        self.inner.linear_grad_weight(x, dy, dims, convert::sink(w));
    }

    fn bias_grad(&self, dy: &B::Buf, dims: LinearDims, bias: GradSink<Self>) {
        self.inner.bias_grad(dy, dims, convert::sink(bias));
    }

    fn one_hot(&self, rows: &B::Ids, w: &B::Buf, y: &mut B::Buf, dims: LinearDims) {
        self.inner.one_hot(rows, w, y, dims);
    }

    fn one_hot_grad(&self, rows: &B::Ids, dy: &B::Buf, dims: LinearDims, w: GradSink<Self>) {
        self.inner.one_hot_grad(rows, dy, dims, convert::sink(w));
    }

    fn one_hot_beside(&self, x: &B::Buf, columns: &B::Ids, y: &mut B::Buf, dims: OneHotBeside) {
        self.inner.one_hot_beside(x, columns, y, dims);
    }

    fn first_columns(&self, x: &B::Buf, y: &mut B::Buf, cells: usize, widths: [usize; 2]) {
        self.inner.first_columns(x, y, cells, widths);
    }

    fn embedding_renorm(
        &self,
        table: &mut B::Buf,
        ids: &B::Ids,
        dims: EmbeddingDims,
        bound: MaxNorm,
    ) {
        self.inner.embedding_renorm(table, ids, dims, bound);
    }

    fn embedding(&self, ids: &B::Ids, table: &B::Buf, out: &mut B::Buf, dims: EmbeddingDims) {
        self.inner.embedding(ids, table, out, dims);
    }

    fn embedding_grad(
        &self,
        ids: &B::Ids,
        d_out: &B::Buf,
        dims: EmbeddingDims,
        rule: EmbeddingGrad,
        table: GradSink<Self>,
    ) {
        self.inner.embedding_grad(ids, d_out, dims, rule, convert::sink(table));
    }
}

impl<B: Backend> NormOps for Counting<B> {
    fn batch_norm_train(&self, state: BatchNormState<Self>, dims: [usize; 2], x: &mut B::Buf) {
        self.inner.batch_norm_train(convert::norm_train(state), dims, x);
    }

    fn batch_norm_eval(&self, affine: BatchNormEval<Self>, dims: [usize; 2], x: &mut B::Buf) {
        self.inner.batch_norm_eval(convert::norm_eval(affine), dims, x);
    }

    fn batch_norm_grad(
        &self,
        kept: BatchNormKept<Self>,
        dims: [usize; 2],
        dy: &mut B::Buf,
        gamma: GradSink<Self>,
        beta: GradSink<Self>,
    ) {
        let (gamma, beta) = (convert::sink(gamma), convert::sink(beta));
        self.inner.batch_norm_grad(convert::norm_kept(kept), dims, dy, gamma, beta);
    }

    fn layer_norm(
        &self,
        x: &mut B::Buf,
        dims: [usize; 2],
        normalised: &mut B::Buf,
        inv_std: &mut B::Buf,
    ) {
        self.inner.layer_norm(x, dims, normalised, inv_std);
    }

    fn layer_norm_grad(&self, kept: LayerNormKept<Self>, dims: [usize; 2], dy: &mut B::Buf) {
        let kept = LayerNormKept { normalised: kept.normalised, inv_std: kept.inv_std };
        self.inner.layer_norm_grad(kept, dims, dy);
    }

    fn activate(
        &self,
        x: &mut B::Buf,
        activation: Activation,
        dropout: Option<&B::Buf>,
        gate: &mut B::Buf,
        len: usize,
    ) {
        self.inner.activate(x, activation, dropout, gate, len);
    }

    fn gate_grad(&self, dy: &mut B::Buf, gate: &B::Buf, len: usize) {
        self.inner.gate_grad(dy, gate, len);
    }
}

impl<B: Backend> LatentOps for Counting<B> {
    fn posterior(&self, io: PosteriorIo<Self>, dims: [usize; 2]) {
        let PosteriorIo { mean, raw, var_activation, var_eps, prior, noise, var, z, kl } = io;
        let prior = prior.map(convert::prior);
        let io = PosteriorIo { mean, raw, var_activation, var_eps, prior, noise, var, z, kl };
        self.inner.posterior(io, dims);
    }

    fn stored_posterior(&self, io: StoredPosteriorIo<Self>, dims: [usize; 2]) {
        let StoredPosteriorIo { mean, var, noise, z, kl } = io;
        self.inner.stored_posterior(StoredPosteriorIo { mean, var, noise, z, kl }, dims);
    }

    fn posterior_grad(&self, io: PosteriorGradIo<Self>, dims: [usize; 2]) {
        let PosteriorGradIo { mean, raw, var, var_activation, prior, noise, .. } = io;
        let PosteriorGradIo { kl_weight, kl_factors, direct, dz, d_raw, .. } = io;
        let prior = prior.map(convert::prior);
        self.inner.posterior_grad(
            PosteriorGradIo {
                mean,
                raw,
                var,
                var_activation,
                prior,
                noise,
                kl_weight,
                kl_factors,
                direct,
                dz,
                d_raw,
            },
            dims,
        );
    }

    fn softmax(&self, u: &B::Buf, z: &mut B::Buf, dims: [usize; 2]) {
        self.inner.softmax(u, z, dims);
    }

    fn softmax_grad(&self, z: &B::Buf, dz: &mut B::Buf, dims: [usize; 2]) {
        self.inner.softmax_grad(z, dz, dims);
    }
}
