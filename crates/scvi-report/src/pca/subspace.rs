//! The space of largest variance, by subspace iteration.

use nalgebra::{DMatrix, DVector, SymmetricEigen};
use rayon::prelude::*;
use scvi_kernels::{Philox, Stream};

use super::PrincipalComponents;
use super::log_counts::LogCounts;

/// Vectors more than components are wanted.
const MORE: usize = 20;

/// Products with the covariance.
const ITERATIONS: usize = 12;

/// Vectors that one thread multiplies with.
const WIDTH: usize = 8;

pub(super) fn principal_components(
    rows: &LogCounts,
    n_components: usize,
    seed: u64,
) -> PrincipalComponents {
    let (n_cells, n_genes) = (rows.n_cells(), rows.n_genes);
    let n_components = n_components.min(n_cells).min(n_genes);
    let n_vectors = (n_components + MORE).min(n_genes);
    if n_components == 0 {
        let (scores, variances) = (Vec::new(), Vec::new());
        return PrincipalComponents { n_components, scores, variances, total_variance: 0.0 };
    }
    let (mean, total_variance) = moments(rows);
    let philox = Philox::new(seed);
    let mut basis = DMatrix::from_fn(n_genes, n_vectors, |gene, vector| {
        philox.normal_pair(Stream::Layout as u32, u32::MAX, gene as u32, vector as u32)[0]
    });
    for _ in 0..ITERATIONS {
        basis = times_covariance(rows, &mean, &basis.qr().q());
    }
    let basis = basis.qr().q();
    let within = basis.tr_mul(&times_covariance(rows, &mean, &basis));
    let eigen = SymmetricEigen::new((&within + within.transpose()) * 0.5);
    let mut order: Vec<usize> = (0..n_vectors).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    order.truncate(n_components);
    let mut loadings = basis * eigen.eigenvectors.select_columns(&order);
    for mut column in loadings.column_iter_mut() {
        if column[column.iamax()] < 0.0 {
            column.neg_mut();
        }
    }
    let variances = order.iter().map(|&k| eigen.eigenvalues[k].max(0.0)).collect();
    let scores = scores(rows, &mean, &loadings);
    PrincipalComponents { n_components, scores, variances, total_variance }
}

/// Mean of each gene, and the sum of their variances.
fn moments(rows: &LogCounts) -> (DVector<f64>, f64) {
    let mut sums = DVector::<f64>::zeros(rows.n_genes);
    let mut squares = DVector::<f64>::zeros(rows.n_genes);
    for (gene, value) in (0..rows.n_cells()).flat_map(|cell| rows.row(cell)) {
        sums[gene] += value;
        squares[gene] += value * value;
    }
    let n = rows.n_cells() as f64;
    let mean = sums / n.max(1.0);
    let centered = squares.iter().zip(mean.iter()).map(|(square, m)| square - n * m * m);
    let total_variance = centered.sum::<f64>() / (n - 1.0).max(1.0);
    (mean, total_variance)
}

/// C V with the covariance C = (AᵀA - n μμᵀ)/(n - 1): `(genes, vectors)`.
fn times_covariance(rows: &LogCounts, mean: &DVector<f64>, v: &DMatrix<f64>) -> DMatrix<f64> {
    let (n_genes, n) = (rows.n_genes, rows.n_cells() as f64);
    let first_columns: Vec<usize> = (0..v.ncols()).step_by(WIDTH).collect();
    // Each group of vectors is summed over the cells in their order, whatever thread does it.
    let groups: Vec<Vec<[f64; WIDTH]>> = first_columns
        .par_iter()
        .map(|&first| {
            let v = group(v, first); // (genes, WIDTH)
            let mut out = vec![[0.0; WIDTH]; n_genes];
            for cell in 0..rows.n_cells() {
                let product = times_row(rows, cell, &v);
                for (gene, value) in rows.row(cell) {
                    out[gene].iter_mut().zip(product).for_each(|(sum, p)| *sum += value * p);
                }
            }
            out
        })
        .collect();
    let along_mean = mean.transpose() * v; // (1, vectors)
    DMatrix::from_fn(n_genes, v.ncols(), |gene, k| {
        let product = groups[k / WIDTH][gene][k % WIDTH];
        (product - n * mean[gene] * along_mean[k]) / (n - 1.0).max(1.0)
    })
}

/// Some columns of a matrix, side by side; zeros past the last.
fn group(v: &DMatrix<f64>, first: usize) -> Vec<[f64; WIDTH]> {
    let at = |gene, k| if first + k < v.ncols() { v[(gene, first + k)] } else { 0.0 };
    (0..v.nrows()).map(|gene| std::array::from_fn(|k| at(gene, k))).collect()
}

fn times_row(rows: &LogCounts, cell: usize, v: &[[f64; WIDTH]]) -> [f64; WIDTH] {
    let mut product = [0.0; WIDTH];
    for (gene, value) in rows.row(cell) {
        product.iter_mut().zip(v[gene]).for_each(|(sum, x)| *sum += value * x);
    }
    product
}

/// (A - μ) V: `(cells, vectors)`, row by row.
fn scores(rows: &LogCounts, mean: &DVector<f64>, v: &DMatrix<f64>) -> Vec<f32> {
    let along_mean = mean.transpose() * v;
    let mut scores = vec![0.0; rows.n_cells() * v.ncols()];
    for first in (0..v.ncols()).step_by(WIDTH) {
        let v_group = group(v, first);
        scores.par_chunks_exact_mut(v.ncols()).enumerate().for_each(|(cell, out)| {
            let product = times_row(rows, cell, &v_group);
            for (k, product) in product.into_iter().enumerate().take(v.ncols() - first) {
                out[first + k] = (product - along_mean[first + k]) as f32;
            }
        });
    }
    scores
}
