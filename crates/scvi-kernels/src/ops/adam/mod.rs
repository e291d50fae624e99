//! Adam with an L2 term, as `torch.optim.Adam` computes it.
//!
//! With g ← g + λw, step t from 1 (Kingma and Ba 2015; torch 2, `torch/optim/adam.py`):
//! ```text
//! m ← β₁ m + (1 - β₁) g        v ← β₂ v + (1 - β₂) g²
//! w ← w - lr/(1 - β₁ᵗ) · m / (√v / √(1 - β₂ᵗ) + ε)
//! ```

mod cpu;

pub(crate) use cpu::{adam_cpu, adam_where_cpu};

use crate::backend::AdamStep;
use crate::real::Real;

/// The constants of Adam.
///
/// | Name | Default | Purpose |
/// |---|---|---|
/// | `lr` | 1e-3 | step length |
/// | `beta1`, `beta2` | 0.9, 0.999 | decay of the moments |
/// | `eps` | 0.01 | added to the root of the second moment |
/// | `weight_decay` | 1e-6 | L2 term λw that joins the gradient |
///
/// Defaults are those of scvi-tools' `TrainingPlan` (1.4.2, `train/_trainingplans.py`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamRule {
    /// Step length.
    pub lr: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// λ of the L2 term.
    pub weight_decay: f64,
}

impl Default for AdamRule {
    fn default() -> Self {
        Self { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 0.01, weight_decay: 1e-6 }
    }
}

impl AdamRule {
    /// The constants of step `t`, counted from 1.
    pub fn at_step<F: Real>(&self, t: u64) -> AdamStep<F> {
        let bias = |beta: f64| 1.0 - beta.powf(t as f64);
        AdamStep {
            beta1: F::of(self.beta1),
            beta2: F::of(self.beta2),
            step_size: F::of(self.lr / bias(self.beta1)),
            inv_sqrt_bias2: F::of(1.0 / bias(self.beta2).sqrt()),
            eps: F::of(self.eps),
            weight_decay: F::of(self.weight_decay),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_formula_over_several_steps() {
        let rule = AdamRule { weight_decay: 0.1, ..AdamRule::default() };
        let grads: Vec<Vec<f64>> = (0..5)
            .map(|t| (0..19).map(|i| ((i * 7 + t * 3) % 11) as f64 - 5.0).collect())
            .collect();
        let mut w: Vec<f64> = (0..19).map(|i| i as f64 * 0.1 - 1.0).collect();
        let (mut m, mut v) = (vec![0.0; 19], vec![0.0; 19]);
        let mut want: Vec<(f64, f64, f64)> = w.iter().map(|&w| (w, 0.0, 0.0)).collect();
        for (t, g) in grads.iter().enumerate() {
            let t = t as i32 + 1;
            adam_cpu(&mut w, &mut m, &mut v, g, rule.at_step(t as u64));
            for ((w, m, v), g) in want.iter_mut().zip(g) {
                let g = g + 0.1 * *w;
                *m = 0.9 * *m + 0.1 * g;
                *v = 0.999 * *v + 0.001 * g * g;
                let (m_hat, v_hat) = (*m / (1.0 - 0.9f64.powi(t)), *v / (1.0 - 0.999f64.powi(t)));
                *w -= 1e-3 * m_hat / (v_hat.sqrt() + 0.01);
            }
        }
        for (got, (want, ..)) in w.iter().zip(want) {
            assert!((got - want).abs() < 1e-12);
        }
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
