//! `predict`: the label of each cell.

use scvi_kernels::Backend;

use super::cells::Cells;
use super::draws::PointEstimate;
use super::error::TaskError;
use super::minibatches::{Loaded, Room, for_each_minibatch};
use super::pass::infer;
use super::watch::Watch;
use crate::module::Scanvae;

/// Probabilities of every label.
#[derive(Debug, Clone, PartialEq)]
pub struct Predictions {
    /// Columns of the matrix.
    pub n_labels: usize,
    /// `(cells, n_labels)`.
    pub probabilities: Vec<f32>,
}

impl Predictions {
    /// The most probable label of each cell, by its code, and its probability; the first of equal
    /// ones.
    pub fn labels(&self) -> impl Iterator<Item = (u32, f32)> {
        self.probabilities.chunks_exact(self.n_labels).map(|row| {
            let codes = (0_u32..).zip(row.iter().copied());
            codes
                .reduce(|best, next| if next.1 > best.1 { next } else { best })
                .expect("a label or more")
        })
    }
}

/// Probability of each label of every cell.
///
/// Source: scvi-tools 1.4.2, `model/base/_training_mixin.py`, `predict`.
///
/// # Errors
/// [`TaskError`] where the data does not fit the model or cannot be read.
pub fn predict<B: Backend<Elem = f32>>(
    model: &Scanvae<B>,
    cells: Cells,
    estimate: PointEstimate,
    watch: &mut Watch,
) -> Result<Predictions, TaskError> {
    let vae = model.vae();
    let n_labels = model.spec().n_labels();
    let mut probabilities = Vec::with_capacity(cells.len() * n_labels);
    let noise = estimate.noise();
    let work = |Loaded { ws, batch, .. }: Loaded<_>, rows: &mut Vec<f32>| {
        infer(vae, ws, batch, noise);
        *rows = model.classify(ws, estimate == PointEstimate::Mean);
        Ok(())
    };
    for_each_minibatch(vae, cells, Room::Hidden, watch, work, |rows| {
        probabilities.append(rows);
        Ok(())
    })?;
    Ok(Predictions { n_labels, probabilities })
}
