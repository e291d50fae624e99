//! Layer normalisation, each cell over its features; x: `(cells, features)`.

use super::{Reference, store, wide};
use crate::backend::LayerNormKept;
use crate::ops::layer_norm::EPS;
use crate::real::Real;

/// x ← x̂ = (x - μ)/√(σ² + ε) with the cell's mean and biased variance; x̂ and 1/√(σ² + ε) are saved.
pub(super) fn forward<F: Real>(
    x: &mut [F],
    [cells, features]: [usize; 2],
    normalised: &mut [F],
    inv_std: &mut [F],
) {
    let n = features as f64;
    for c in 0..cells {
        let at = c * features..(c + 1) * features;
        let row = wide(&x[at.clone()]);
        let mean = row.iter().sum::<f64>() / n;
        let var = row.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        let scale = 1.0 / (var + EPS).sqrt();
        let hat: Vec<f64> = row.iter().map(|v| (v - mean) * scale).collect();
        store(&hat, &mut x[at.clone()]);
        store(&hat, &mut normalised[at]);
        inv_std[c] = F::of(scale);
    }
}

/// dy ← (dy - mean(dy) - x̂ mean(dy x̂))/√(σ² + ε), means over the cell's features.
pub(super) fn gradient<F: Real>(
    kept: &LayerNormKept<Reference<F>>,
    [cells, features]: [usize; 2],
    dy: &mut [F],
) {
    let n = features as f64;
    for c in 0..cells {
        let at = c * features..(c + 1) * features;
        let (row, hat) = (wide(&dy[at.clone()]), wide(&kept.normalised[at.clone()]));
        let mean = row.iter().sum::<f64>() / n;
        let along = row.iter().zip(&hat).map(|(d, hat)| d * hat).sum::<f64>() / n;
        for j in 0..features {
            let centred = row[j] - mean - hat[j] * along;
            dy[c * features + j] = F::of(kept.inv_std[c].to_f64() * centred);
        }
    }
}
