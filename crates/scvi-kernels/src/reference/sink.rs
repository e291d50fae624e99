//! What becomes of a gradient.

use super::{Reference, optimizer};
use crate::backend::{AdamIo, GradSink};
use crate::real::Real;

/// The parameter before this step.
pub(super) fn value<'a, F: Real>(sink: &'a GradSink<'_, Reference<F>>) -> &'a [F] {
    match sink {
        GradSink::Frozen { value }
        | GradSink::Store { value, .. }
        | GradSink::Accumulate { value, .. } => value,
        GradSink::Adam { value, .. } | GradSink::AdamWhere { value, .. } => value,
    }
}

/// Drops the gradient of the front of a parameter, stores it, adds it, or steps the parameter.
pub(super) fn take<F: Real>(sink: GradSink<Reference<F>>, gradient: &[f64]) {
    match sink {
        GradSink::Frozen { .. } => {}
        GradSink::Store { grad, .. } => {
            grad.iter_mut().zip(gradient).for_each(|(to, &g)| *to = F::of(g));
        }
        GradSink::Accumulate { grad, .. } => {
            grad.iter_mut().zip(gradient).for_each(|(to, &g)| *to = F::of(to.to_f64() + g));
        }
        GradSink::Adam { value, m, v, step } => step_by(value, m, v, None, step, gradient),
        GradSink::AdamWhere { value, m, v, step, mask } => {
            step_by(value, m, v, Some(mask), step, gradient);
        }
    }
}

fn step_by<F: Real>(
    value: &mut Vec<F>,
    m: &mut Vec<F>,
    v: &mut Vec<F>,
    mask: Option<&Vec<F>>,
    step: crate::AdamStep<F>,
    gradient: &[f64],
) {
    let grad: Vec<F> = gradient.iter().map(|&g| F::of(g)).collect();
    let io = AdamIo { value, grad: &grad, m, v, mask, step };
    optimizer::adam(io, 0..gradient.len());
}
