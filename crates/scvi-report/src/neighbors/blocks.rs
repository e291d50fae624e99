//! Neighbors by comparing every pair of cells.

use std::ops::Range;

use pulp::Arch;

use super::Search;
use crate::Embedding;

/// Cells of a tile: their distances from one cell are computed side by side.
const TILE: usize = 256;

/// Distances that are compared at a time with the farthest neighbor so far.
const GROUP: usize = 16;

/// Coordinates in tiles, dimension by dimension.
pub(super) struct Blocks<'a> {
    embedding: Embedding<'a>,
    /// `(tiles, dimensions, TILE)`; infinite where the last tile has no cell
    tiles: Vec<f32>,
    arch: Arch,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(embedding: Embedding<'a>) -> Self {
        let (n, width) = (embedding.n_cells(), embedding.n_dimensions());
        let mut tiles = vec![f32::INFINITY; n.div_ceil(TILE) * TILE * width];
        for cell in 0..n {
            let tile = &mut tiles[cell / TILE * TILE * width..];
            for (dimension, &value) in embedding.row(cell).iter().enumerate() {
                tile[dimension * TILE + cell % TILE] = value;
            }
        }
        Self { embedding, tiles, arch: Arch::new() }
    }
}

impl Search for Blocks<'_> {
    fn search(&self, cells: Range<usize>, k: usize, found: &mut Vec<(f32, u32)>) {
        let mut nearest = vec![Nearest::new(k); cells.len()];
        let mut squared = [0.0; TILE];
        let tiles = self.tiles.chunks_exact(TILE * self.embedding.n_dimensions());
        for (first, tile) in (0..).step_by(TILE).zip(tiles) {
            for (cell, nearest) in cells.clone().zip(&mut nearest) {
                let row = self.embedding.row(cell);
                self.arch.dispatch(|| squared_distances(row, tile, &mut squared));
                if (first..first + TILE).contains(&cell) {
                    squared[cell - first] = f32::INFINITY;
                }
                nearest.offer(&squared, first as u32);
            }
        }
        nearest.into_iter().for_each(|nearest| found.extend(nearest.found));
    }
}

/// Squared distances from one cell to those of a tile, summed in the order of the dimensions.
#[inline(always)]
fn squared_distances(row: &[f32], tile: &[f32], out: &mut [f32; TILE]) {
    out.fill(0.0);
    for (&x, column) in row.iter().zip(tile.chunks_exact(TILE)) {
        for (sum, y) in out.iter_mut().zip(column) {
            let difference = x - y;
            *sum += difference * difference;
        }
    }
}

/// The nearest cells so far, the nearest first.
#[derive(Clone)]
struct Nearest {
    found: Vec<(f32, u32)>,
    k: usize,
    /// Distance below which a cell is among the nearest.
    bound: f32,
}

impl Nearest {
    fn new(k: usize) -> Self {
        Self { found: Vec::with_capacity(k + 1), k, bound: f32::INFINITY }
    }

    /// Takes the distances of the cells from `first` on.
    fn offer(&mut self, squared: &[f32; TILE], first: u32) {
        for (start, group) in (first..).step_by(GROUP).zip(squared.chunks_exact(GROUP)) {
            // without a branch, so that it vectorises
            if !group.iter().fold(false, |any, &d| any | (d < self.bound)) {
                continue;
            }
            for (cell, &d) in (start..).zip(group) {
                if d < self.bound {
                    self.insert(d, cell);
                }
            }
        }
    }

    fn insert(&mut self, squared: f32, cell: u32) {
        // Cells come by rising numbers, so that behind its equals is where it belongs.
        let at = self.found.partition_point(|&(d, _)| d <= squared);
        self.found.insert(at, (squared, cell));
        self.found.truncate(self.k);
        if self.found.len() == self.k {
            self.bound = self.found[self.k - 1].0;
        }
    }
}
