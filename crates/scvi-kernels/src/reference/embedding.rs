//! A vector for each category.

use crate::ops::embedding::{EmbeddingDims, EmbeddingGrad, MaxNorm};
use crate::real::Real;

/// `E_r ← E_r · max_norm/(‖E_r‖ₚ + 1e-7)` of each row that a cell names and whose norm is above the
/// bound, once.
pub(super) fn renorm<F: Real>(table: &mut [F], ids: &[u32], dim: usize, bound: MaxNorm) {
    let mut rows = ids.to_vec();
    rows.sort_unstable();
    rows.dedup();
    for row in rows {
        let row = &mut table[row as usize * dim..][..dim];
        let norm = norm(row, bound.norm_type);
        if norm > bound.max_norm {
            let factor = bound.max_norm / (norm + 1e-7);
            row.iter_mut().for_each(|v| *v = F::of(v.to_f64() * factor));
        }
    }
}

/// (Σ |x|ᵖ)^(1/p), or the largest |x|.
fn norm<F: Real>(row: &[F], p: f64) -> f64 {
    let sizes = row.iter().map(|v| v.to_f64().abs());
    match p.is_infinite() {
        true => sizes.fold(0.0, f64::max),
        false => sizes.map(|v| v.powf(p)).sum::<f64>().powf(1.0 / p),
    }
}

/// `dE_r` = Σ d_out over the cells with id r, by their number where the rule divides; 0 of padding
/// and of frozen rows.
pub(super) fn gradient<F: Real>(
    ids: &[u32],
    d_out: &[F],
    d: EmbeddingDims,
    rule: EmbeddingGrad,
) -> Vec<f64> {
    let mut gradient = vec![0.0; d.rows * d.dim];
    for row in rule.frozen_rows as usize..d.rows {
        if rule.padding_idx.is_some_and(|padding| padding as usize == row) {
            continue;
        }
        let cells: Vec<usize> = (0..ids.len()).filter(|&c| ids[c] as usize == row).collect();
        let n = if rule.scale_grad_by_freq { cells.len().max(1) } else { 1 };
        for j in 0..d.dim {
            let sum: f64 = cells.iter().map(|&c| d_out[c * d.dim + j].to_f64()).sum();
            gradient[row * d.dim + j] = sum / n as f64;
        }
    }
    gradient
}
