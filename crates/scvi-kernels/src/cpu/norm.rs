//! Normalisation and activation.

use super::Cpu;
use crate::aligned::Aligned;
use crate::backend::{
    BatchNormEval, BatchNormKept, BatchNormState, GradSink, LayerNormKept, NormOps,
};
use crate::ops::Sink;
use crate::ops::activation::{Activation, activate_cpu, gate_grad_cpu};
use crate::ops::batch_norm::{batch_norm_eval_cpu, batch_norm_grad_cpu, batch_norm_train_cpu};
use crate::ops::layer_norm::{layer_norm_cpu, layer_norm_grad_cpu};
use crate::real::Real;

impl<F: Real> NormOps for Cpu<F> {
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
}
