//! From logits l to px_scale ρ, and back.

use super::ReferenceHead;
use crate::ops::count_head::{HeadDims, ScaleActivation};
use crate::reference::activation::softplus;
use crate::reference::latent::log_sum_exp;

/// ρ = e^l / Σ_g e^l of each cell, or softplus(l): `(cells, genes)`.
pub(super) fn forward(activation: ScaleActivation, logits: &[f64], genes: usize) -> Vec<f64> {
    let of_cell = |row: &[f64]| {
        let log_sum = log_sum(activation, row);
        row.iter().map(|&l| of_logit(activation, l, log_sum)).collect::<Vec<f64>>()
    };
    logits.chunks_exact(genes).flat_map(of_cell).collect()
}

/// ln Σ_g e^l of a cell's logits; 0 of a softplus, in which genes have nothing to do with each other.
pub(super) fn log_sum(activation: ScaleActivation, logits: &[f64]) -> f64 {
    match activation {
        ScaleActivation::Softmax => log_sum_exp(logits),
        ScaleActivation::Softplus => 0.0,
    }
}

/// ρ of one gene, of which the cell's [`log_sum`] is known.
pub(super) fn of_logit(activation: ScaleActivation, logit: f64, log_sum: f64) -> f64 {
    match activation {
        ScaleActivation::Softmax => (logit - log_sum).exp(),
        ScaleActivation::Softplus => softplus(logit).0,
    }
}

/// dL/dl from γ = dL/d ln μ: γ - ρ Σ_g γ of the softmax, γ ρ'(l)/ρ of the softplus.
pub(super) fn gradient(head: &ReferenceHead, d: HeadDims) -> Vec<f64> {
    let mut d_logits = vec![0.0; d.cells * d.genes];
    for c in 0..d.cells {
        let row = c * d.genes..(c + 1) * d.genes;
        let total: f64 = head.d_ln_mu[row.clone()].iter().sum();
        for i in row {
            let (gamma, scale) = (head.d_ln_mu[i], head.scale[i]);
            d_logits[i] = match head.activation {
                ScaleActivation::Softmax => gamma - scale * total,
                ScaleActivation::Softplus => gamma * softplus(head.logits[i]).1 / scale,
            };
        }
    }
    d_logits
}
