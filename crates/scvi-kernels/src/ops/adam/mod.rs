//! Adam with an L2 term, and AdamW, as `torch.optim` computes them.
//!
//! Step t from 1 (Kingma and Ba 2015; Loshchilov and Hutter 2019; torch 2, `torch/optim/adam.py`):
//! ```text
//! Adam: g ← g + λ w            AdamW: w ← (1 - lr λ) w
//! m ← β₁ m + (1 - β₁) g        v ← β₂ v + (1 - β₂) g²
//! w ← w - lr/(1 - β₁ᵗ) · m / (√v / √(1 - β₂ᵗ) + ε)
//! ```

mod cpu;

pub(crate) use cpu::{adam_cpu, adam_in_parts_cpu, adam_where_cpu};

use crate::backend::AdamStep;
use crate::real::Real;

/// The constants of Adam.
///
/// | Name | Default | Purpose |
/// |---|---|---|
/// | `lr` | 1e-3 | learning rate |
/// | `beta1`, `beta2` | 0.9, 0.999 | decay of the moments |
/// | `eps` | 0.01 | added to the root of the second moment |
/// | `weight_decay` | 1e-6 | λ, of the L2 term λw or of AdamW's decay |
///
/// Defaults are those of scvi-tools' `TrainingPlan` (1.4.2, `train/_trainingplans.py`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamRule {
    /// Learning rate.
    pub lr: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// λ: of the L2 term that joins the gradient, or of AdamW's decay.
    pub weight_decay: f64,
}

impl Default for AdamRule {
    fn default() -> Self {
        Self { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 0.01, weight_decay: 1e-6 }
    }
}

impl AdamRule {
    /// The constants of Adam's step `t`, counted from 1.
    pub fn at_step<F: Real>(&self, t: u64) -> AdamStep<F> {
        let bias = |beta: f64| 1.0 - beta.powf(t as f64);
        AdamStep {
            beta1: F::of(self.beta1),
            beta2: F::of(self.beta2),
            step_size: F::of(self.lr / bias(self.beta1)),
            inv_sqrt_bias2: F::of(1.0 / bias(self.beta2).sqrt()),
            eps: F::of(self.eps),
            weight_decay: F::of(self.weight_decay),
            shrink: F::ONE,
        }
    }

    /// The constants of AdamW's step `t`, counted from 1: the decay goes past the moments.
    pub fn decoupled_at_step<F: Real>(&self, t: u64) -> AdamStep<F> {
        let shrink = F::of(1.0 - self.lr * self.weight_decay);
        AdamStep { weight_decay: F::ZERO, shrink, ..self.at_step(t) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AdamIo, Cpu, Device, OptimizerOps};

    /// Ten steps against the formulas as torch documents them, with bias-corrected moments.
    fn follows_the_formula(decoupled: bool) {
        let rule = AdamRule { lr: 0.02, weight_decay: 0.1, ..AdamRule::default() };
        let mut w: Vec<f64> = (0..19).map(|i| i as f64 * 0.1 - 1.0).collect();
        let (mut m, mut v) = (vec![0.0; 19], vec![0.0; 19]);
        let mut want: Vec<(f64, f64, f64)> = w.iter().map(|&w| (w, 0.0, 0.0)).collect();
        for t in 1..=10 {
            let g: Vec<f64> = (0..19).map(|i| ((i * 7 + t * 3) % 11) as f64 - 5.0).collect();
            let step = match decoupled {
                true => rule.decoupled_at_step(t as u64),
                false => rule.at_step(t as u64),
            };
            adam_cpu(&mut w, &mut m, &mut v, &g, step);
            for ((w, m, v), g) in want.iter_mut().zip(&g) {
                let g = if decoupled { *g } else { g + 0.1 * *w };
                *w -= if decoupled { 0.02 * 0.1 * *w } else { 0.0 };
                *m = 0.9 * *m + 0.1 * g;
                *v = 0.999 * *v + 0.001 * g * g;
                let (m_hat, v_hat) = (*m / (1.0 - 0.9f64.powi(t)), *v / (1.0 - 0.999f64.powi(t)));
                *w -= 0.02 * m_hat / (v_hat.sqrt() + 0.01);
            }
        }
        for (got, (want, ..)) in w.iter().zip(want) {
            assert!((got - want).abs() < 1e-12, "{got}, not {want}");
        }
    }

    #[test]
    fn a_range_is_stepped_and_the_rest_stays() {
        let b = Cpu::<f32>::new();
        let (n, range) = (40_000, 123..38_001);
        let values = |k: usize| -> Vec<f32> { (0..n).map(|i| ((i * k) % 17) as f32).collect() };
        let buf = |values: &[f32]| {
            let mut buf = b.zeros(n);
            b.upload(&mut buf, values);
            buf
        };
        let step = AdamRule::default().at_step::<f32>(2);
        let (start, g) = (values(3), values(5));
        let mask: Vec<f32> = values(2).iter().map(|v| v % 2.0).collect();
        for masked in [false, true] {
            let (mut value, grad) = (buf(&start), buf(&g));
            let (mut m, mut v, mask_buf) = (buf(&values(7)), buf(&values(11)), buf(&mask));
            let (mut want, mut want_m, mut want_v) = (start.clone(), values(7), values(11));
            let [w, m_part, v_part] =
                [&mut want, &mut want_m, &mut want_v].map(|numbers| &mut numbers[range.clone()]);
            let (g, mask) = (&g[range.clone()], &mask[range.clone()]);
            match masked {
                false => adam_cpu(w, m_part, v_part, g, step),
                true => adam_where_cpu(w, m_part, v_part, g, step, mask),
            }
            let mask = masked.then_some(&mask_buf);
            let io = AdamIo { value: &mut value, grad: &grad, m: &mut m, v: &mut v, mask, step };
            b.adam(io, range.clone());
            assert_eq!(b.download(&value, n), want);
            assert_eq!((b.download(&m, n), b.download(&v, n)), (want_m, want_v));
        }
    }

    #[test]
    fn adam_follows_the_formula() {
        follows_the_formula(false);
    }

    #[test]
    fn adamw_follows_the_formula() {
        follows_the_formula(true);
    }

    #[test]
    fn a_mask_freezes_to_the_bit_and_changes_nothing_else() {
        let step = AdamRule { weight_decay: 0.1, ..AdamRule::default() }.at_step::<f32>(3);
        let numbers = |a: f32| (0..37).map(|i| a + (i * 13 % 7) as f32 - 3.0).collect::<Vec<_>>();
        let mask: Vec<f32> = (0..37).map(|i| f32::from(i % 3 == 0)).collect();
        let (start, g) = (numbers(0.25), numbers(0.5));
        let [mut free, mut bound] = [start.clone(), start.clone()];
        let [mut m, mut m_bound] = [numbers(0.1), numbers(0.1)];
        let [mut v, mut v_bound] = [numbers(4.0), numbers(4.0)];
        for _ in 0..2 {
            adam_cpu(&mut free, &mut m, &mut v, &g, step);
            adam_where_cpu(&mut bound, &mut m_bound, &mut v_bound, &g, step, &mask);
        }
        for i in 0..37 {
            let want = if mask[i] == 0.0 { start[i] } else { free[i] };
            assert_eq!(bound[i].to_bits(), want.to_bits(), "number {i}");
            assert!(free[i] != start[i], "number {i} does not move at all");
        }
    }
}
