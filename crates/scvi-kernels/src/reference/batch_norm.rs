//! Batch normalisation, each feature over the cells; x: `(cells, features)`.

use super::Reference;
use crate::backend::{BatchNormEval, BatchNormKept, BatchNormState};
use crate::real::Real;

/// x̂ = (x - μ)/√(σ² + ε), x ← γ x̂ + β with mean and biased variance of the minibatch;
/// running ← (1 - momentum) running + momentum (μ, unbiased variance).
pub(super) fn train<F: Real>(
    state: BatchNormState<Reference<F>>,
    [cells, features]: [usize; 2],
    x: &mut [f64],
) {
    let n = cells as f64;
    for j in 0..features {
        let column = |x: &[f64]| (0..cells).map(|c| x[c * features + j]).collect::<Vec<f64>>();
        let mean = column(x).iter().sum::<f64>() / n;
        let squares: f64 = column(x).iter().map(|v| (v - mean).powi(2)).sum();
        let inv_std = 1.0 / (squares / n + state.eps).sqrt();
        // One cell has no unbiased variance; it counts as none.
        let unbiased = squares / (n - 1.0).max(1.0);
        let moved =
            |old: F, new: f64| F::of((1.0 - state.momentum) * old.to_f64() + state.momentum * new);
        state.running_mean[j] = moved(state.running_mean[j], mean);
        state.running_var[j] = moved(state.running_var[j], unbiased);
        state.inv_std[j] = F::of(inv_std);
        let (gamma, beta) = (state.gamma[j].to_f64(), state.beta[j].to_f64());
        for c in 0..cells {
            let hat = (x[c * features + j] - mean) * inv_std;
            state.normalised[c * features + j] = F::of(hat);
            x[c * features + j] = gamma * hat + beta;
        }
    }
}

/// x ← γ (x - μ)/√(σ² + ε) + β with the running moments.
pub(super) fn eval<F: Real>(
    affine: &BatchNormEval<Reference<F>>,
    [cells, features]: [usize; 2],
    x: &mut [f64],
) {
    for c in 0..cells {
        for j in 0..features {
            x[c * features + j] = eval_one(affine, j, x[c * features + j]);
        }
    }
}

/// The same of one number of feature `j`.
pub(super) fn eval_one<F: Real>(affine: &BatchNormEval<Reference<F>>, j: usize, x: f64) -> f64 {
    let [gamma, beta] = [affine.gamma[j], affine.beta[j]].map(Real::to_f64);
    let [mean, var] = [affine.running_mean[j], affine.running_var[j]].map(Real::to_f64);
    gamma * (x - mean) / (var + affine.eps).sqrt() + beta
}

/// dγ = Σ dy x̂ and dβ = Σ dy; dy ← γ/√(σ² + ε) (dy - dβ/n - x̂ dγ/n).
pub(super) fn gradient<F: Real>(
    kept: &BatchNormKept<Reference<F>>,
    gamma: &[F],
    [cells, features]: [usize; 2],
    dy: &mut [f64],
) -> [Vec<f64>; 2] {
    let n = cells as f64;
    let (mut d_gamma, mut d_beta) = (vec![0.0; features], vec![0.0; features]);
    let hat = |c: usize, j: usize| kept.normalised[c * features + j].to_f64();
    for c in 0..cells {
        for j in 0..features {
            d_gamma[j] += dy[c * features + j] * hat(c, j);
            d_beta[j] += dy[c * features + j];
        }
    }
    for c in 0..cells {
        for j in 0..features {
            let scale = gamma[j].to_f64() * kept.inv_std[j].to_f64();
            let centred = dy[c * features + j] - d_beta[j] / n - hat(c, j) * d_gamma[j] / n;
            dy[c * features + j] = scale * centred;
        }
    }
    [d_gamma, d_beta]
}
