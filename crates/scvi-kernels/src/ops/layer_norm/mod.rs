//! Layer normalisation over the features of each cell (Ba, Kiros and Hinton 2016).
//!
//! x̂ = (x - μ)/√(σ² + ε) with the cell's own mean and biased variance; no scale and no shift.
//! The same in training and evaluation.
//! Gradient: dx = (dy - mean(dy) - x̂ mean(dy x̂))/√(σ² + ε), means over the cell's features.
//!
//! scvi-tools 1.4.2, `nn/_base_components.py` (`FCLayers`): `LayerNorm(elementwise_affine=False)`,
//! whose ε is torch's default, 1e-5.

mod cpu;
#[cfg(test)]
mod tests;

pub(crate) use cpu::*;

/// Added to the variance.
pub const EPS: f64 = 1e-5;
