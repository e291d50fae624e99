//! Optimizer steps.

use std::ops::Range;

use super::Cpu;
use crate::aligned::Aligned;
use crate::backend::{AdamIo, OptimizerOps};
use crate::ops::adam::adam_in_parts_cpu;
use crate::ops::clip::{clip_by_norm_cpu, clip_by_value_cpu, sum_of_squares_cpu};
use crate::real::Real;

impl<F: Real> OptimizerOps for Cpu<F> {
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
}
