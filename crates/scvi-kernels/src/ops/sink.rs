//! The CPU's side of [`GradSink`]: slices that fall into parts.

use crate::backend::{AdamStep, GradSink};
use crate::cpu::Cpu;
use crate::ops::Split;
use crate::ops::adam::{adam_cpu, adam_where_cpu};
use crate::real::Real;

/// A parameter's slice with the place its gradient goes to.
pub(crate) struct Sink<'a, F> {
    kind: Kind<'a, F>,
    /// numbers per unit when split
    width: usize,
}

enum Kind<'a, F> {
    Frozen {
        value: &'a [F],
    },
    Store {
        value: &'a [F],
        grad: &'a mut [F],
        accumulate: bool,
    },
    Adam {
        value: &'a mut [F],
        m: &'a mut [F],
        v: &'a mut [F],
        step: AdamStep<F>,
        /// 0 where a number is frozen
        mask: Option<&'a [F]>,
    },
}

impl<'a, F: Real> Sink<'a, F> {
    /// The first `n` numbers of a parameter, `width` of them a unit.
    pub(crate) fn new(sink: GradSink<'a, Cpu<F>>, n: usize, width: usize) -> Self {
        let kind = match sink {
            GradSink::Store { value, grad } => {
                Kind::Store { value: &value[..n], grad: &mut grad[..n], accumulate: false }
            }
            GradSink::Accumulate { value, grad } => {
                Kind::Store { value: &value[..n], grad: &mut grad[..n], accumulate: true }
            }
            GradSink::Frozen { value } => Kind::Frozen { value: &value[..n] },
            GradSink::Adam { value, m, v, step } => {
                let (value, m, v) = (&mut value[..n], &mut m[..n], &mut v[..n]);
                Kind::Adam { value, m, v, step, mask: None }
            }
            GradSink::AdamWhere { value, m, v, step, mask } => {
                let (value, m, v) = (&mut value[..n], &mut m[..n], &mut v[..n]);
                Kind::Adam { value, m, v, step, mask: Some(&mask[..n]) }
            }
        };
        Self { kind, width }
    }

    /// The parameter as it was before this step.
    pub(crate) fn value(&self) -> &[F] {
        match &self.kind {
            Kind::Frozen { value } | Kind::Store { value, .. } => value,
            Kind::Adam { value, .. } => value,
        }
    }

    /// Adam's moments of some numbers; nothing where there are none.
    pub(crate) fn moments(&self, range: std::ops::Range<usize>) -> [&[F]; 2] {
        match &self.kind {
            Kind::Frozen { .. } | Kind::Store { .. } => [&[]; 2],
            Kind::Adam { m, v, .. } => [&m[range.clone()], &v[range]],
        }
    }

    /// Takes the gradient of the numbers from `start` on: writes it, or updates the parameter.
    pub(crate) fn take(&mut self, start: usize, gradient: &[F]) {
        let range = start..start + gradient.len();
        match &mut self.kind {
            Kind::Frozen { .. } => {}
            Kind::Store { grad, accumulate: false, .. } => grad[range].copy_from_slice(gradient),
            Kind::Store { grad, accumulate: true, .. } => {
                grad[range].iter_mut().zip(gradient).for_each(|(sum, &g)| *sum += g);
            }
            Kind::Adam { value, m, v, step, mask } => {
                let mask = mask.map(|mask| &mask[range.clone()]);
                let (value, m) = (&mut value[range.clone()], &mut m[range.clone()]);
                match mask {
                    None => adam_cpu(value, m, &mut v[range], gradient, *step),
                    Some(mask) => adam_where_cpu(value, m, &mut v[range], gradient, *step, mask),
                }
            }
        }
    }
}

impl<F: Real> Split for Sink<'_, F> {
    fn split(self, mid: usize) -> (Self, Self) {
        let width = self.width;
        // The last unit may be cut short.
        let at = (mid * width).min(self.value().len());
        let (a, b) = match self.kind {
            Kind::Frozen { value } => {
                let (value, value2) = value.split_at(at);
                (Kind::Frozen { value }, Kind::Frozen { value: value2 })
            }
            Kind::Store { value, grad, accumulate } => {
                let (value, value2) = value.split_at(at);
                let (grad, grad2) = grad.split_at_mut(at);
                (
                    Kind::Store { value, grad, accumulate },
                    Kind::Store { value: value2, grad: grad2, accumulate },
                )
            }
            Kind::Adam { value, m, v, step, mask } => {
                let (value, value2) = value.split_at_mut(at);
                let (m, m2) = m.split_at_mut(at);
                let (v, v2) = v.split_at_mut(at);
                let (mask, mask2) = mask.map(|mask| mask.split_at(at)).unzip();
                (
                    Kind::Adam { value, m, v, step, mask },
                    Kind::Adam { value: value2, m: m2, v: v2, step, mask: mask2 },
                )
            }
        };
        (Sink { kind: a, width }, Sink { kind: b, width })
    }
}
