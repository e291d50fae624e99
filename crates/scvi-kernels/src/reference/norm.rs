//! Normalisation and activation of hidden layers, in place, x: `(cells, features)`.

use super::{Reference, activation, batch_norm, layer_norm, sink, store, wide};
use crate::backend::{
    BatchNormEval, BatchNormKept, BatchNormState, GradSink, LayerNormKept, NormOps,
};
use crate::ops::activation::Activation;
use crate::real::Real;

impl<F: Real> NormOps for Reference<F> {
    fn batch_norm_train(&self, state: BatchNormState<Self>, dims: [usize; 2], x: &mut Vec<F>) {
        let mut wide_x = wide(&x[..dims[0] * dims[1]]);
        batch_norm::train(state, dims, &mut wide_x);
        store(&wide_x, x);
    }

    fn batch_norm_eval(&self, affine: BatchNormEval<Self>, dims: [usize; 2], x: &mut Vec<F>) {
        let mut wide_x = wide(&x[..dims[0] * dims[1]]);
        batch_norm::eval(&affine, dims, &mut wide_x);
        store(&wide_x, x);
    }

    fn batch_norm_grad(
        &self,
        kept: BatchNormKept<Self>,
        dims: [usize; 2],
        dy: &mut Vec<F>,
        gamma: GradSink<Self>,
        beta: GradSink<Self>,
    ) {
        let mut wide_dy = wide(&dy[..dims[0] * dims[1]]);
        let [d_gamma, d_beta] =
            batch_norm::gradient(&kept, sink::value(&gamma), dims, &mut wide_dy);
        store(&wide_dy, dy);
        sink::take(gamma, &d_gamma);
        sink::take(beta, &d_beta);
    }

    fn layer_norm(
        &self,
        x: &mut Vec<F>,
        dims: [usize; 2],
        normalised: &mut Vec<F>,
        inv_std: &mut Vec<F>,
    ) {
        layer_norm::forward(x, dims, normalised, inv_std);
    }

    fn layer_norm_grad(&self, kept: LayerNormKept<Self>, dims: [usize; 2], dy: &mut Vec<F>) {
        layer_norm::gradient(&kept, dims, dy);
    }

    /// gate = f'(x) m, x ← f(x) m with m the dropout factor, or 1.
    fn activate(
        &self,
        x: &mut Vec<F>,
        function: Activation,
        dropout: Option<&Vec<F>>,
        gate: &mut Vec<F>,
        len: usize,
    ) {
        for i in 0..len {
            let m = dropout.map_or(1.0, |factors| factors[i].to_f64());
            let (value, slope) = activation::value_and_slope(function, x[i].to_f64());
            (x[i], gate[i]) = (F::of(value * m), F::of(slope * m));
        }
    }

    /// dy ← dy gate.
    fn gate_grad(&self, dy: &mut Vec<F>, gate: &Vec<F>, len: usize) {
        for i in 0..len {
            dy[i] = F::of(dy[i].to_f64() * gate[i].to_f64());
        }
    }
}
