//! The graph of neighbors, each edge with the probability that it exists.

use rayon::prelude::*;

use crate::Neighbors;

/// A symmetric weighted graph, in compressed sparse row form.
///
/// Source: umap-learn 0.5.12, `umap_.py`, `smooth_knn_dist`, `compute_membership_strengths` and
/// `fuzzy_simplicial_set`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct FuzzyGraph {
    /// Where each cell's edges start, and the last's end: `(cells + 1)`
    indptr: Vec<usize>,
    /// The other cell of each edge, rising within a cell.
    indices: Vec<u32>,
    /// In (0, 1].
    weights: Vec<f32>,
}

/// Steps of the search for a cell's scale.
const BISECTIONS: usize = 64;

/// Error of the sum of memberships at which the search ends.
const TOLERANCE: f64 = 1e-5;

/// Least scale of a cell, in units of its mean distance.
const MIN_SCALE: f64 = 1e-3;

impl FuzzyGraph {
    /// The union of every cell's fuzzy set of neighbors: w = p + q - p q, with p the membership of
    /// one cell in the other's set, and q the reverse.
    pub(crate) fn new(neighbors: &Neighbors) -> Self {
        let (n, k) = (neighbors.n_cells(), neighbors.k());
        // Two cells that are the same in every coordinate have a distance of 0, as in umap-learn.
        let mean = mean_distance(neighbors);
        let mut memberships = vec![0.0f32; n * k]; // (cells, k)
        memberships
            .par_chunks_exact_mut(k.max(1))
            .enumerate()
            .for_each(|(cell, out)| fuzzy_set(neighbors.distances(cell), mean, out));
        let incoming = Incoming::new(neighbors);
        let rows: Vec<Vec<(u32, f32)>> = (0..n)
            .into_par_iter()
            .map(|cell| {
                let own = neighbors.indices(cell).iter().zip(&memberships[cell * k..][..k]);
                let others =
                    incoming.of(cell).iter().map(|&at| ((at / k) as u32, &memberships[at]));
                union(own.map(|(&other, &p)| (other, p)), others.map(|(other, &p)| (other, p)))
            })
            .collect();
        Self::from_rows(rows)
    }

    fn from_rows(rows: impl IntoIterator<Item = Vec<(u32, f32)>>) -> Self {
        let (mut indptr, mut indices, mut weights) = (vec![0], Vec::new(), Vec::new());
        for row in rows {
            indices.extend(row.iter().map(|edge| edge.0));
            weights.extend(row.iter().map(|edge| edge.1));
            indptr.push(indices.len());
        }
        Self { indptr, indices, weights }
    }

    /// Without edges that so many epochs would not reach once.
    pub(super) fn without_rare(self, n_epochs: u32) -> Self {
        // umap-learn goes by its default where a caller asks for a short run.
        let n_epochs = match n_epochs {
            0..=10 if self.n_cells() <= 10_000 => 500,
            0..=10 => 200,
            asked => asked,
        };
        let least = self.max_weight() / n_epochs as f32;
        let reached = |cell| self.edges(cell).filter(|&(_, w)| w >= least).collect();
        Self::from_rows((0..self.n_cells()).map(reached))
    }

    pub(crate) fn n_cells(&self) -> usize {
        self.indptr.len() - 1
    }

    /// The other cell and the weight of each edge of a cell.
    pub(crate) fn edges(&self, cell: usize) -> impl Iterator<Item = (u32, f32)> {
        let edges = self.indptr[cell]..self.indptr[cell + 1];
        self.indices[edges.clone()].iter().copied().zip(self.weights[edges].iter().copied())
    }

    pub(super) fn max_weight(&self) -> f32 {
        self.weights.iter().copied().fold(0.0, f32::max)
    }
}

/// Over all neighbors, each cell itself counted as one at distance 0.
fn mean_distance(neighbors: &Neighbors) -> f64 {
    let (n, k) = (neighbors.n_cells(), neighbors.k());
    let sum: f64 = (0..n).flat_map(|cell| neighbors.distances(cell)).map(|&d| f64::from(d)).sum();
    sum / (n.max(1) * (k + 1)) as f64
}

/// Memberships exp(-(d - ρ)/σ) of a cell's neighbors, with ρ its least distance above 0 and σ such
/// that they sum to log2(k + 1).
fn fuzzy_set(distances: &[f32], mean_of_all: f64, out: &mut [f32]) {
    let rho = distances.iter().copied().find(|&d| d > 0.0).map_or(0.0, f64::from);
    let beyond = |d: f32| f64::from(d) - rho;
    let target = ((distances.len() + 1) as f64).log2();
    let (mut low, mut high, mut sigma) = (0.0, f64::INFINITY, 1.0);
    for _ in 0..BISECTIONS {
        let sum: f64 = distances.iter().map(|&d| (-beyond(d).max(0.0) / sigma).exp()).sum();
        if (sum - target).abs() < TOLERANCE {
            break;
        }
        if sum > target {
            high = sigma;
            sigma = (low + high) / 2.0;
        } else {
            low = sigma;
            sigma = if high == f64::INFINITY { sigma * 2.0 } else { (low + high) / 2.0 };
        }
    }
    let own = distances.iter().map(|&d| f64::from(d)).sum::<f64>() / (distances.len() + 1) as f64;
    let sigma = sigma.max(MIN_SCALE * if rho > 0.0 { own } else { mean_of_all });
    for (&d, out) in distances.iter().zip(out) {
        let beyond = beyond(d);
        *out = if beyond <= 0.0 || sigma == 0.0 { 1.0 } else { (-beyond / sigma).exp() as f32 };
    }
}

/// For each cell, which entries of the lists of neighbors name it.
struct Incoming {
    /// `(cells + 1)`
    indptr: Vec<usize>,
    /// Places in `(cells, k)`, rising within a cell.
    places: Vec<usize>,
}

impl Incoming {
    fn new(neighbors: &Neighbors) -> Self {
        let n = neighbors.n_cells();
        let named = || (0..n).flat_map(|cell| neighbors.indices(cell));
        let mut indptr = vec![0; n + 1];
        named().for_each(|&other| indptr[other as usize + 1] += 1);
        (0..n).for_each(|cell| indptr[cell + 1] += indptr[cell]);
        let mut next = indptr.clone();
        let mut places = vec![0; indptr[n]];
        for (place, &other) in named().enumerate() {
            let next = &mut next[other as usize];
            places[*next] = place;
            *next += 1;
        }
        Self { indptr, places }
    }

    fn of(&self, cell: usize) -> &[usize] {
        &self.places[self.indptr[cell]..self.indptr[cell + 1]]
    }
}

/// Edges of one cell by rising number of the other, from both directions.
fn union(
    own: impl Iterator<Item = (u32, f32)>,
    others: impl Iterator<Item = (u32, f32)>,
) -> Vec<(u32, f32)> {
    let mut edges: Vec<(u32, f32)> = own.chain(others).collect();
    edges.sort_by_key(|edge| edge.0);
    edges.dedup_by(|later, kept| {
        let same = later.0 == kept.0;
        if same {
            // p + q may round to above 1 before the product is taken off
            kept.1 = (kept.1 + later.1 - kept.1 * later.1).min(1.0);
        }
        same
    });
    edges.retain(|edge| edge.1 > 0.0);
    edges
}
