//! Whether cells of a label hang together.

use super::Categories;
use crate::{AnalysisError, Neighbors};

/// Mean over labels of the share of their cells in the largest strongly connected component of the
/// graph of neighbors among them; none without cells.
///
/// scib-metrics takes 15 neighbors, the cell itself included: 14 others.
///
/// Source: scib-metrics 0.5.10, `metrics/_graph_connectivity.py`.
///
/// # Errors
/// [`AnalysisError::Cells`] where there is not one label for each cell.
pub fn graph_connectivity(
    neighbors: &Neighbors,
    labels: &Categories,
) -> Result<Option<f64>, AnalysisError> {
    labels.check("labels", neighbors.n_cells())?;
    let mut largest = vec![0; labels.n_categories()];
    let mut sizes = vec![0; labels.n_categories()];
    labels.codes().iter().for_each(|&label| sizes[label as usize] += 1);
    for (label, size) in components(neighbors, labels.codes()) {
        let largest = &mut largest[label as usize];
        *largest = size.max(*largest);
    }
    let shares = largest.iter().zip(&sizes).map(|(&part, &all)| part as f64 / f64::from(all));
    let n = labels.n_categories();
    Ok((n > 0).then(|| shares.sum::<f64>() / n as f64))
}

/// No component, or not numbered yet.
const NONE: u32 = u32::MAX;

/// Label and size of every strongly connected component of the edges within a label (Tarjan 1972,
/// with a stack of its own instead of recursion).
fn components(neighbors: &Neighbors, labels: &[u32]) -> Vec<(u32, usize)> {
    let n = neighbors.n_cells();
    let mut search = Search {
        order: vec![NONE; n],
        lowest: vec![0; n],
        is_open: vec![false; n],
        open: Vec::new(),
        n_found: 0,
    };
    let (mut found, mut path) = (Vec::new(), Vec::new());
    for start in 0..n {
        if search.order[start] != NONE {
            continue;
        }
        search.enter(start);
        path.push((start, 0));
        while let Some((cell, next)) = path.last_mut() {
            let cell = *cell;
            let Some(&other) = neighbors.indices(cell).get(*next) else {
                path.pop();
                if let Some(&(parent, _)) = path.last() {
                    search.lowest[parent] = search.lowest[parent].min(search.lowest[cell]);
                }
                found.extend(search.close(cell).map(|size| (labels[cell], size)));
                continue;
            };
            *next += 1;
            let other = other as usize;
            if labels[other] != labels[cell] {
                continue;
            }
            if search.order[other] == NONE {
                search.enter(other);
                path.push((other, 0));
            } else if search.is_open[other] {
                search.lowest[cell] = search.lowest[cell].min(search.order[other]);
            }
        }
    }
    found
}

struct Search {
    /// When a cell was first seen.
    order: Vec<u32>,
    /// The earliest open cell that is reached from it.
    lowest: Vec<u32>,
    /// Whether its component is not complete.
    is_open: Vec<bool>,
    open: Vec<usize>,
    n_found: u32,
}

impl Search {
    fn enter(&mut self, cell: usize) {
        (self.order[cell], self.lowest[cell]) = (self.n_found, self.n_found);
        self.n_found += 1;
        self.is_open[cell] = true;
        self.open.push(cell);
    }

    /// Size of the component that began with this cell, if it did.
    fn close(&mut self, cell: usize) -> Option<usize> {
        if self.lowest[cell] != self.order[cell] {
            return None;
        }
        let start = self.open.iter().rposition(|&open| open == cell)?;
        let component = self.open.drain(start..);
        let is_open = &mut self.is_open;
        Some(component.map(|member| is_open[member] = false).count())
    }
}
