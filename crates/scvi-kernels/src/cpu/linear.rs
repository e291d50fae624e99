//! Products with weights.

use super::Cpu;
use crate::aligned::Aligned;
use crate::backend::{GradSink, LinearOps};
use crate::counts::CountsBatch;
use crate::ops::Sink;
use crate::ops::embedding::{
    EmbeddingDims, EmbeddingGrad, MaxNorm, embedding_cpu, embedding_grad_cpu, embedding_renorm_cpu,
};
use crate::ops::linear::{
    LinearDims, bias_grad_cpu, linear_cpu, linear_grad_input_cpu, linear_grad_weight_cpu,
};
use crate::ops::one_hot::{
    OneHotBeside, first_columns_cpu, one_hot_beside_cpu, one_hot_cpu, one_hot_grad_cpu,
};
use crate::ops::sparse_linear::{sparse_linear_cpu, sparse_linear_grad_cpu};
use crate::real::Real;

impl<F: Real> LinearOps for Cpu<F> {
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
}
