//! Silhouette widths (Rousseeuw 1987), scaled as scIB does.

use rayon::prelude::*;

use super::{Categories, stratified};
use crate::{AnalysisError, Embedding};

/// Cells that pairwise distances are computed for; of more a stratified sample is taken.
pub const SILHOUETTE_CELLS: usize = 20_000;

/// Mean silhouette width by label, scaled to 0 to 1; none with one label.
///
/// Above [`SILHOUETTE_CELLS`] of a sample of so many, stratified by label and drawn with `seed`.
///
/// Source: scib-metrics 0.5.10, `metrics/_silhouette.py`, `silhouette_label`.
///
/// # Errors
/// [`AnalysisError::Cells`] where there is not one label for each cell.
pub fn silhouette_label(
    embedding: Embedding,
    labels: &Categories,
    seed: u64,
) -> Result<Option<f64>, AnalysisError> {
    labels.check("labels", embedding.n_cells())?;
    let cells = stratified(labels, SILHOUETTE_CELLS, seed);
    let widths = widths(embedding, &cells, labels.codes());
    Ok(widths.map(|widths| (mean(&widths) + 1.0) / 2.0))
}

/// 1 - |silhouette width by batch| within each label, averaged by label: 1 where batches mix; none
/// where no label has cells of two batches.
///
/// Above [`SILHOUETTE_CELLS`] of a sample of so many, stratified by label and batch.
///
/// Source: scib-metrics 0.5.10, `metrics/_silhouette.py`, `silhouette_batch`.
///
/// # Errors
/// [`AnalysisError::Cells`] where there is not one label and one batch for each cell.
pub fn silhouette_batch(
    embedding: Embedding,
    labels: &Categories,
    batches: &Categories,
    seed: u64,
) -> Result<Option<f64>, AnalysisError> {
    labels.check("labels", embedding.n_cells())?;
    batches.check("batches", embedding.n_cells())?;
    let n_batches = batches.n_categories() as u32;
    let pairs = labels.codes().iter().zip(batches.codes());
    let both: Vec<u32> = pairs.map(|(label, batch)| label * n_batches + batch).collect();
    let sample = stratified(&Categories::new(&both), SILHOUETTE_CELLS, seed);
    let mut by_label = vec![Vec::new(); labels.n_categories()];
    for cell in sample {
        by_label[labels.codes()[cell as usize] as usize].push(cell);
    }
    let of_label = |cells: &Vec<u32>| {
        let widths = widths(embedding, cells, batches.codes())?;
        Some(mean(&widths.iter().map(|w| 1.0 - w.abs()).collect::<Vec<_>>()))
    };
    let of_labels: Vec<f64> = by_label.iter().filter_map(of_label).collect();
    Ok((!of_labels.is_empty()).then(|| mean(&of_labels)))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Silhouette width of each of the cells among them; none where all have the same code, or each one of
/// its own.
fn widths(embedding: Embedding, cells: &[u32], codes: &[u32]) -> Option<Vec<f64>> {
    let of_cells: Vec<u32> = cells.iter().map(|&cell| codes[cell as usize]).collect();
    let categories = Categories::new(&of_cells);
    let n = categories.n_categories();
    if n < 2 || n == cells.len() {
        return None;
    }
    let sizes: Vec<f64> = categories.members().iter().map(|m| m.len() as f64).collect();
    let width = |place: usize| {
        let row = embedding.row(cells[place] as usize);
        let mut sums = vec![0.0f64; n];
        for (&other, &code) in cells.iter().zip(categories.codes()) {
            sums[code as usize] += f64::from(distance(row, embedding.row(other as usize)));
        }
        let own = categories.codes()[place] as usize;
        if sizes[own] < 2.0 {
            return 0.0;
        }
        let others = (0..n).filter(|&c| c != own).map(|c| sums[c] / sizes[c]);
        let (within, between) =
            (sums[own] / (sizes[own] - 1.0), others.fold(f64::INFINITY, f64::min));
        let larger = within.max(between);
        if larger > 0.0 { (between - within) / larger } else { 0.0 }
    };
    Some((0..cells.len()).into_par_iter().map(width).collect())
}

#[inline]
fn distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f32>().sqrt()
}
