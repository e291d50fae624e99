//! Local inverse Simpson index (Korsunsky et al. 2019).

use rayon::prelude::*;

use super::Categories;
use crate::{AnalysisError, Neighbors};

/// Neighbors a cell that scib-metrics measures with: its 90 count the cell itself.
pub const LISI_N_OTHERS: usize = 89;

const TOLERANCE: f64 = 1e-5;
const MAX_TRIES: usize = 50;

/// Effective number of categories around each cell: `(cells)`.
///
/// ```text
/// LISI = 1 / Σ_c (Σ_j∈c p_j)²,  p_j ∝ exp(-β d_j),  β such that the entropy of p is ln(perplexity)
/// ```
/// with a perplexity of a third of the neighbors, the cell counted as one.
///
/// Source: scib-metrics 0.5.10, `metrics/_lisi.py` and `utils/_lisi.py`.
///
/// # Errors
/// [`AnalysisError::Cells`] where there is not one category for each cell.
pub fn lisi_knn(neighbors: &Neighbors, categories: &Categories) -> Result<Vec<f64>, AnalysisError> {
    categories.check("categories", neighbors.n_cells())?;
    let entropy = (((neighbors.k() + 1) / 3) as f64).ln();
    let of_cell = |cell: usize| {
        let p = probabilities(neighbors.distances(cell), entropy);
        let mut sums = vec![0.0; categories.n_categories()];
        for (&other, p) in neighbors.indices(cell).iter().zip(&p.values) {
            sums[categories.codes()[other as usize] as usize] += p;
        }
        // as scib-metrics: no entropy, no index
        if p.entropy == 0.0 { -1.0 } else { 1.0 / sums.iter().map(|s| s * s).sum::<f64>() }
    };
    Ok((0..neighbors.n_cells()).into_par_iter().map(of_cell).collect())
}

/// How well batches mix: median LISI, scaled to 0 (apart) to 1 (mixed); none with one batch.
///
/// # Errors
/// As [`lisi_knn`].
pub fn ilisi_knn(
    neighbors: &Neighbors,
    batches: &Categories,
) -> Result<Option<f64>, AnalysisError> {
    let others = batches.n_categories().saturating_sub(1);
    Ok(median(lisi_knn(neighbors, batches)?)
        .filter(|_| others > 0)
        .map(|m| (m - 1.0) / others as f64))
}

/// How well labels stay apart: median LISI, scaled to 0 (mixed) to 1 (apart); none with one label.
///
/// # Errors
/// As [`lisi_knn`].
pub fn clisi_knn(neighbors: &Neighbors, labels: &Categories) -> Result<Option<f64>, AnalysisError> {
    let n = labels.n_categories() as f64;
    Ok(median(lisi_knn(neighbors, labels)?).filter(|_| n > 1.0).map(|m| (n - m) / (n - 1.0)))
}

struct Probabilities {
    values: Vec<f64>,
    entropy: f64,
}

/// Of neighbors, by their distances, with the given entropy.
fn probabilities(distances: &[f32], wanted: f64) -> Probabilities {
    let (mut beta, mut low, mut high) = (1.0f64, f64::NEG_INFINITY, f64::INFINITY);
    let mut p = at_beta(distances, beta);
    for _ in 0..MAX_TRIES {
        let difference = p.entropy - wanted;
        if difference.abs() < TOLERANCE {
            break;
        }
        if difference > 0.0 {
            low = beta;
            beta = if high == f64::INFINITY { beta * 2.0 } else { (beta + high) / 2.0 };
        } else {
            high = beta;
            beta = if low == f64::NEG_INFINITY { beta / 2.0 } else { (beta + low) / 2.0 };
        }
        p = at_beta(distances, beta);
    }
    p
}

fn at_beta(distances: &[f32], beta: f64) -> Probabilities {
    let mut values: Vec<f64> = distances.iter().map(|&d| (-f64::from(d) * beta).exp()).collect();
    let sum: f64 = values.iter().sum();
    if sum == 0.0 {
        return Probabilities { values, entropy: 0.0 };
    }
    let weighted: f64 = distances.iter().zip(&values).map(|(&d, p)| f64::from(d) * p).sum();
    values.iter_mut().for_each(|p| *p /= sum);
    Probabilities { values, entropy: sum.ln() + beta * weighted / sum }
}

/// Of numbers that are not NaN; none of none.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.retain(|v| !v.is_nan());
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some((values[middle - 1] + values[middle]) / 2.0),
    }
}
