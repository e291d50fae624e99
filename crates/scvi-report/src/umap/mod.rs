//! Coordinates in the plane that keep neighbors together (UMAP; McInnes, Healy and Melville 2018).

mod curve;
mod fuzzy;
mod initial;
mod layout;

use scvi::model::Watch;

use crate::{AnalysisError, Embedding, Neighbors};
use curve::Curve;
use fuzzy::FuzzyGraph;

/// How to lay out cells in the plane: umap-learn's options, scanpy's defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct UmapOptions {
    /// Least distance between cells in the plane, in units of `spread`'s.
    pub min_dist: f64,
    /// How far apart clusters are laid out.
    pub spread: f64,
    /// Passes over the edges of the graph: 500 up to 10,000 cells and 200 beyond where `None`.
    pub n_epochs: Option<u32>,
    /// Cells that push a cell away for each neighbor that pulls it.
    pub negative_sample_rate: u32,
    /// Seed of the picture.
    pub seed: u64,
}

impl UmapOptions {
    /// Neighbors a cell that make scanpy's picture: its `n_neighbors` of 15 counts the cell itself.
    pub const N_OTHERS: usize = 14;
}

impl Default for UmapOptions {
    fn default() -> Self {
        Self { min_dist: 0.5, spread: 1.0, n_epochs: None, negative_sample_rate: 5, seed: 0 }
    }
}

/// Coordinates in the plane, x and y of each cell: `(cells)`.
///
/// The fuzzy graph, the curve and the forces are those of umap-learn 0.5. Layout starts from the
/// first two principal components of `embedding` (`init="pca"`). Within an epoch each cell moves
/// by the places that the others had before it, instead of one edge after the other: the same seed
/// then gives the same picture for any number of threads.
///
/// # Errors
/// [`AnalysisError::Option`] where an option is out of range, [`AnalysisError::Cells`] where
/// `neighbors` are those of other cells, [`TaskError::Stopped`](scvi::model::TaskError::Stopped) where the watcher stops it.
pub fn umap(
    embedding: Embedding,
    neighbors: &Neighbors,
    options: &UmapOptions,
    watch: &mut Watch,
) -> Result<Vec<[f32; 2]>, AnalysisError> {
    let n_cells = embedding.n_cells();
    if neighbors.n_cells() != n_cells {
        let found = neighbors.n_cells();
        return Err(AnalysisError::Cells { what: "lists of neighbors", found, expected: n_cells });
    }
    let curve = Curve::fit(options.spread, options.min_dist)?;
    let n_epochs = options.n_epochs.unwrap_or(if n_cells <= 10_000 { 500 } else { 200 });
    let graph = FuzzyGraph::new(neighbors).without_rare(n_epochs);
    let start = initial::principal_plane(embedding, options.seed);
    layout::optimize(start, &graph, curve, n_epochs, options, watch)
}

#[cfg(test)]
mod tests;
