//! Adam, and bounds on gradients.

use std::ops::Range;

use super::{Reference, wide};
use crate::backend::{AdamIo, OptimizerOps};
use crate::real::Real;

impl<F: Real> OptimizerOps for Reference<F> {
    fn adam(&self, io: AdamIo<Self>, range: Range<usize>) {
        adam(io, range);
    }

    /// sum = Σ x², or sum += Σ x² to accumulate.
    fn sum_of_squares(&self, x: &Vec<F>, len: usize, sum: &mut Vec<F>, accumulate: bool) {
        let before = if accumulate { sum[0].to_f64() } else { 0.0 };
        sum[0] = F::of(before + wide(&x[..len]).iter().map(|x| x * x).sum::<f64>());
    }

    /// g ← g · min(1, max_norm / (‖g‖ + 1e-6)), with ‖g‖ = √sum.
    fn clip_by_norm(&self, grad: &mut Vec<F>, len: usize, sum: &Vec<F>, max_norm: f64) {
        let factor = (max_norm / (sum[0].to_f64().sqrt() + 1e-6)).min(1.0);
        for g in &mut grad[..len] {
            *g = F::of(g.to_f64() * factor);
        }
    }

    /// g ← min(max(g, -limit), limit).
    fn clip_by_value(&self, grad: &mut Vec<F>, len: usize, limit: f64) {
        for g in &mut grad[..len] {
            *g = F::of(g.to_f64().clamp(-limit, limit));
        }
    }
}

/// One step of Adam or AdamW, where the mask is not 0; λ is 0 of AdamW, and 1 - lr λ is 1 of Adam:
/// ```text
/// g ← g + λ w            m ← β₁ m + (1 - β₁) g            v ← β₂ v + (1 - β₂) g²
/// w ← (1 - lr λ) w - lr/(1 - β₁ᵗ) · m / (√v / √(1 - β₂ᵗ) + ε)
/// ```
/// A frozen number's moments are of no use to anybody; they move like the others.
pub(super) fn adam<F: Real>(io: AdamIo<Reference<F>>, range: Range<usize>) {
    let AdamIo { value, grad, m, v, mask, step } = io;
    let [beta1, beta2] = [step.beta1, step.beta2].map(Real::to_f64);
    let [step_size, inv_sqrt_bias2] = [step.step_size, step.inv_sqrt_bias2].map(Real::to_f64);
    let [eps, lambda, shrink] = [step.eps, step.weight_decay, step.shrink].map(Real::to_f64);
    for i in range {
        let w = value[i].to_f64();
        let g = grad[i].to_f64() + lambda * w;
        m[i] = F::of(beta1 * m[i].to_f64() + (1.0 - beta1) * g);
        v[i] = F::of(beta2 * v[i].to_f64() + (1.0 - beta2) * g * g);
        let moved = step_size * m[i].to_f64() / (v[i].to_f64().sqrt() * inv_sqrt_bias2 + eps);
        if mask.is_none_or(|mask| mask[i] != F::ZERO) {
            value[i] = F::of(shrink * w - moved);
        }
    }
}
