//! Batch normalisation over the cells of a minibatch (Ioffe and Szegedy 2015).
//!
//! Training: x̂ = (x - μ)/√(σ² + ε) with the minibatch's mean and biased variance, y = γ x̂ + β;
//! running ← (1 - momentum) running + momentum · (μ, unbiased variance).
//! Evaluation: the running moments take the place of μ and σ².
//! Gradient, n cells: dγ = Σ dy x̂, dβ = Σ dy,
//! dx = γ/√(σ² + ε) · (dy - dβ/n - x̂ dγ/n).
//!
//! scVI's momentum is 0.01 and its ε 1e-3 (scvi-tools 1.4.2, `nn/_base_components.py`); torch's
//! running variance is the unbiased one.

mod cpu;
#[cfg(test)]
mod tests;

pub(crate) use cpu::*;
