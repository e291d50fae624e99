//! Batch normalisation over the cells of a minibatch (Ioffe and Szegedy 2015).
//!
//! Training: x̂ = (x - μ)/√(σ² + ε) with the minibatch's mean and biased variance, y = γ x̂ + β;
//! running ← (1 - momentum) running + momentum · (μ, unbiased variance).
//! Evaluation: the running moments take the place of μ and σ².
//! Gradient, n cells: dγ = Σ dy x̂, dβ = Σ dy,
//! dx = γ/√(σ² + ε) · (dy - dβ/n - x̂ dγ/n).
//!
//! A minibatch that falls into leaves is normalised as a whole, all the same: each leaf's mean and
//! Σ (x - μ)² are combined pair by pair (Chan, Golub and LeVeque 1979),
//! μ = μ_a + n_b/n (μ_b - μ_a), S = S_a + S_b + n_a n_b/n (μ_b - μ_a)²; the sums of the gradient add
//! up.
//!
//! scVI's momentum is 0.01 and its ε 1e-3 (scvi-tools 1.4.2, `nn/_base_components.py`); torch's
//! running variance is the unbiased one.

mod cpu;
mod leaves;
#[cfg(test)]
mod tests;

pub(crate) use cpu::*;
pub(crate) use leaves::*;
