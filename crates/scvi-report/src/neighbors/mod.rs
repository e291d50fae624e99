//! The nearest neighbors of every cell.

mod blocks;
mod tree;

use rayon::prelude::*;
use scvi::model::{Watch, tell};

use crate::{AnalysisError, Embedding};
use blocks::Blocks;
use tree::tree;

/// Cells of which neighbors are found between two calls of the watcher.
const WAVE: usize = 8192;

/// From this many cells on a tree is built, where there are few dimensions.
const TREE_CELLS: usize = 100_000;

/// The nearest neighbors of every cell, itself excluded, the nearest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbors {
    n_cells: usize,
    k: usize,
    /// `(cells, k)`
    indices: Vec<u32>,
    /// `(cells, k)`
    distances: Vec<f32>,
}

impl Neighbors {
    /// Number of cells.
    pub fn n_cells(&self) -> usize {
        self.n_cells
    }

    /// Neighbors of each.
    pub fn k(&self) -> usize {
        self.k
    }

    /// Neighbors of one cell, the nearest first.
    ///
    /// # Panics
    /// If `cell` is not below [`Self::n_cells`].
    pub fn indices(&self, cell: usize) -> &[u32] {
        &self.indices[cell * self.k..][..self.k]
    }

    /// Euclidean distances from one cell to its neighbors.
    ///
    /// # Panics
    /// If `cell` is not below [`Self::n_cells`].
    pub fn distances(&self, cell: usize) -> &[f32] {
        &self.distances[cell * self.k..][..self.k]
    }

    /// Only the `k` nearest.
    #[must_use]
    pub fn nearest(&self, k: usize) -> Self {
        let k = k.min(self.k);
        let indices = (0..self.n_cells).flat_map(|c| self.indices(c)[..k].to_vec()).collect();
        let distances = (0..self.n_cells).flat_map(|c| self.distances(c)[..k].to_vec()).collect();
        Self { n_cells: self.n_cells, k, indices, distances }
    }
}

/// What finds the neighbors of one cell after the other.
trait Search: Sync {
    /// Appends the `k` nearest others of each cell in `cells` as (squared distance, cell).
    fn search(&self, cells: std::ops::Range<usize>, k: usize, found: &mut Vec<(f32, u32)>);
}

/// The `k` nearest other cells of every cell by Euclidean distance; all others where there are fewer.
///
/// Exact. Of cells at the same distance those with lower numbers come first (from 100,000 cells on,
/// where only some of them are among the `k`, which ones is arbitrary but reproducible).
///
/// Time: every pair of cells is compared (100,000 cells of 10 dimensions: seconds). From 100,000 cells
/// on a k-d tree is used where there are at most 16 dimensions. Memory: 8 bytes for each neighbor, and
/// a copy of the coordinates.
///
/// # Errors
/// [`TaskError::Stopped`](scvi::model::TaskError::Stopped) where the watcher stops it.
pub fn neighbors(
    embedding: Embedding,
    k: usize,
    watch: &mut Watch,
) -> Result<Neighbors, AnalysisError> {
    if embedding.n_cells() >= TREE_CELLS
        && let Some(tree) = tree(embedding)
    {
        return search_all(&*tree, embedding.n_cells(), k, watch);
    }
    search_all(&Blocks::new(embedding), embedding.n_cells(), k, watch)
}

fn search_all<S: Search + ?Sized>(
    search: &S,
    n_cells: usize,
    k: usize,
    watch: &mut Watch,
) -> Result<Neighbors, AnalysisError> {
    let k = k.min(n_cells.saturating_sub(1));
    let (mut indices, mut distances) = (vec![0; n_cells * k], vec![0.0; n_cells * k]);
    if k == 0 {
        return Ok(Neighbors { n_cells, k, indices, distances });
    }
    let waves = indices.chunks_mut(WAVE * k).zip(distances.chunks_mut(WAVE * k)).enumerate();
    for (wave, (indices, distances)) in waves {
        let first = wave * WAVE;
        let chunks = indices.par_chunks_mut(CHUNK * k).zip(distances.par_chunks_mut(CHUNK * k));
        chunks.enumerate().for_each(|(chunk, (indices, distances))| {
            let (start, n) = (first + chunk * CHUNK, indices.len() / k);
            let mut found = Vec::with_capacity(indices.len());
            search.search(start..start + n, k, &mut found);
            for ((index, distance), (squared, cell)) in indices.iter_mut().zip(distances).zip(found)
            {
                (*index, *distance) = (cell, squared.sqrt());
            }
        });
        tell(watch, (first + WAVE).min(n_cells), n_cells)?;
    }
    Ok(Neighbors { n_cells, k, indices, distances })
}

/// Cells that one thread takes at a time.
const CHUNK: usize = 64;

#[cfg(test)]
mod tests;
