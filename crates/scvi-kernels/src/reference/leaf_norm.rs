//! Batch normalisation over leaves; x: `(cells, features)`.

use super::Reference;
use crate::backend::{BatchNormKept, BatchNormState, LeafNormOps};
use crate::real::Real;

impl<F: Real> LeafNormOps for Reference<F> {
    /// μ = Σ x/n, S = Σ (x - μ)².
    fn batch_norm_moments(
        &self,
        x: &Vec<F>,
        [cells, features]: [usize; 2],
        [mean, squares]: [&mut Vec<F>; 2],
    ) {
        for j in 0..features {
            let column = (0..cells).map(|c| x[c * features + j].to_f64());
            let of_column = column.clone().sum::<f64>() / cells as f64;
            mean[j] = F::of(of_column);
            squares[j] = F::of(column.map(|v| (v - of_column).powi(2)).sum());
        }
    }

    /// μ = μ_a + n_b/n (μ_b - μ_a), S = S_a + S_b + n_a n_b/n (μ_b - μ_a)².
    fn combine_moments(
        &self,
        [mean, squares]: [&mut Vec<F>; 2],
        [other_mean, other_squares]: [&Vec<F>; 2],
        [n_a, n_b]: [usize; 2],
        features: usize,
    ) {
        let n = (n_a + n_b) as f64;
        let (n_a, n_b) = (n_a as f64, n_b as f64);
        for j in 0..features {
            let (a, b) = (mean[j].to_f64(), other_mean[j].to_f64());
            let within = squares[j].to_f64() + other_squares[j].to_f64();
            mean[j] = F::of(a + n_b / n * (b - a));
            squares[j] = F::of(within + n_a * n_b / n * (b - a).powi(2));
        }
    }

    /// x̂ = (x - μ)/√(S/n + ε), x ← γ x̂ + β;
    /// running ← (1 - momentum) running + momentum (μ, S/(n - 1)).
    fn batch_norm_by_moments(
        &self,
        state: BatchNormState<Self>,
        [mean, squares]: [&Vec<F>; 2],
        n: usize,
        [cells, features]: [usize; 2],
        x: &mut Vec<F>,
    ) {
        let n = n as f64;
        for j in 0..features {
            let (mean, squares) = (mean[j].to_f64(), squares[j].to_f64());
            let inv_std = 1.0 / (squares / n + state.eps).sqrt();
            let moved = |old: F, new: f64| {
                F::of((1.0 - state.momentum) * old.to_f64() + state.momentum * new)
            };
            state.running_mean[j] = moved(state.running_mean[j], mean);
            state.running_var[j] = moved(state.running_var[j], squares / (n - 1.0).max(1.0));
            state.inv_std[j] = F::of(inv_std);
            for c in 0..cells {
                let at = c * features + j;
                let hat = (x[at].to_f64() - mean) * inv_std;
                state.normalised[at] = F::of(hat);
                x[at] = F::of(state.gamma[j].to_f64() * hat + state.beta[j].to_f64());
            }
        }
    }

    /// dγ = Σ dy x̂, dβ = Σ dy.
    fn batch_norm_sums(
        &self,
        kept: BatchNormKept<Self>,
        [cells, features]: [usize; 2],
        dy: &Vec<F>,
        [dgamma, dbeta]: [&mut Vec<F>; 2],
    ) {
        for j in 0..features {
            let places = (0..cells).map(|c| c * features + j);
            let products = places.clone().map(|at| dy[at].to_f64() * kept.normalised[at].to_f64());
            dgamma[j] = F::of(products.sum());
            dbeta[j] = F::of(places.map(|at| dy[at].to_f64()).sum());
        }
    }

    /// dy ← γ/√(σ² + ε) (dy - dβ/n - x̂ dγ/n).
    fn batch_norm_grad_by_sums(
        &self,
        kept: BatchNormKept<Self>,
        gamma: &Vec<F>,
        [dgamma, dbeta]: [&Vec<F>; 2],
        n: usize,
        [cells, features]: [usize; 2],
        dy: &mut Vec<F>,
    ) {
        for j in 0..features {
            let scale = gamma[j].to_f64() * kept.inv_std[j].to_f64();
            for at in (0..cells).map(|c| c * features + j) {
                let shared = dbeta[j].to_f64() + kept.normalised[at].to_f64() * dgamma[j].to_f64();
                dy[at] = F::of(scale * (dy[at].to_f64() - shared / n as f64));
            }
        }
    }
}
