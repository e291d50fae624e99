//! Share of neighbors with the same label.

use super::Categories;
use crate::{AnalysisError, Neighbors};

/// Mean share of a cell's neighbors that have its label; none without neighbors.
///
/// # Errors
/// [`AnalysisError::Cells`] where there is not one label for each cell.
pub fn knn_purity(
    neighbors: &Neighbors,
    labels: &Categories,
) -> Result<Option<f64>, AnalysisError> {
    labels.check("labels", neighbors.n_cells())?;
    let codes = labels.codes();
    let same = |cell: usize| {
        let others = neighbors.indices(cell).iter();
        others.filter(|&&other| codes[other as usize] == codes[cell]).count()
    };
    let (n, all) = (neighbors.n_cells(), neighbors.n_cells() * neighbors.k());
    Ok((all > 0).then(|| (0..n).map(same).sum::<usize>() as f64 / all as f64))
}
