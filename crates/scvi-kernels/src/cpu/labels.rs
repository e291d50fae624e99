//! Labels, known and unknown.

use super::Cpu;
use crate::aligned::Aligned;
use crate::backend::LabelOps;
use crate::ops::cross_entropy::{CrossEntropy, cross_entropy_cpu};
use crate::ops::label_mixture::{LabelMixture, label_mixture_cpu};
use crate::ops::normal_log_prob::{
    NormalLogProb, NormalLogProbGrad, normal_log_prob_cpu, normal_log_prob_grad_cpu,
};
use crate::ops::repeat::{RepeatDims, repeat_rows_cpu, repeat_rows_grad_cpu};
use crate::real::Real;

impl<F: Real> LabelOps for Cpu<F> {
    fn repeat_rows(&self, x: &Aligned<F>, y: &mut Aligned<F>, dims: RepeatDims) {
        repeat_rows_cpu(x, y, dims);
    }

    fn repeat_rows_grad(&self, dy: &Aligned<F>, dx: &mut Aligned<F>, dims: RepeatDims) {
        repeat_rows_grad_cpu(dy, dx, dims);
    }

    fn normal_log_prob(&self, io: NormalLogProb<Self>, dims: RepeatDims) {
        normal_log_prob_cpu(io, dims);
    }

    fn normal_log_prob_grad(&self, io: NormalLogProbGrad<Self>, dims: RepeatDims) {
        normal_log_prob_grad_cpu(io, dims);
    }

    fn label_mixture(&self, io: LabelMixture<Self>, dims: [usize; 2]) {
        label_mixture_cpu(io, dims);
    }

    fn cross_entropy(&self, io: CrossEntropy<Self>, dims: [usize; 2]) {
        cross_entropy_cpu(io, dims);
    }
}
