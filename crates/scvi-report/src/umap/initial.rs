//! Where the layout starts.

use nalgebra::{DMatrix, SymmetricEigen};
use scvi_kernels::{Philox, Stream};

use crate::Embedding;

/// Largest coordinate before noise is added.
const EXTENT: f32 = 10.0;

/// Standard deviation of the noise that tells cells at the same place apart.
const NOISE: f64 = 1e-4;

/// The first two principal components, with a little noise, each stretched to 0 to 10.
///
/// Source: umap-learn 0.5.12, `umap_.py`, `simplicial_set_embedding` with `init="pca"`.
pub(super) fn principal_plane(embedding: Embedding, seed: u64) -> Vec<[f32; 2]> {
    let mean = mean(embedding);
    let axes = principal_axes(embedding, &mean);
    let project = |cell: usize| {
        axes.each_ref().map(|axis| {
            let centered = embedding.row(cell).iter().zip(&mean).map(|(&x, m)| f64::from(x) - m);
            centered.zip(axis).map(|(x, weight)| x * weight).sum::<f64>() as f32
        })
    };
    let mut places: Vec<[f32; 2]> = (0..embedding.n_cells()).map(project).collect();
    let largest = places.as_flattened().iter().fold(0.0f32, |max, x| max.max(x.abs()));
    let philox = Philox::new(seed);
    for (cell, place) in (0..).zip(&mut places) {
        let noise = philox.normal_pair(Stream::Layout as u32, 0, cell, 0);
        for (x, noise) in place.iter_mut().zip(noise) {
            let scaled = if largest > 0.0 { *x / largest * EXTENT } else { 0.0 };
            *x = scaled + (noise * NOISE) as f32;
        }
    }
    for axis in 0..2 {
        stretch(&mut places, axis);
    }
    places
}

fn mean(embedding: Embedding) -> Vec<f64> {
    let mut mean = vec![0.0; embedding.n_dimensions()];
    for cell in 0..embedding.n_cells() {
        mean.iter_mut().zip(embedding.row(cell)).for_each(|(sum, &x)| *sum += f64::from(x));
    }
    mean.iter_mut().for_each(|sum| *sum /= embedding.n_cells().max(1) as f64);
    mean
}

/// Unit vectors of largest variance: `(2, dimensions)`; the second is zero in one dimension.
///
/// The largest entry of each is positive: its sign is arbitrary otherwise.
fn principal_axes(embedding: Embedding, mean: &[f64]) -> [Vec<f64>; 2] {
    let width = embedding.n_dimensions();
    let mut covariance = DMatrix::<f64>::zeros(width, width);
    let mut centered = vec![0.0; width];
    for cell in 0..embedding.n_cells() {
        for ((out, &x), mean) in centered.iter_mut().zip(embedding.row(cell)).zip(mean) {
            *out = f64::from(x) - mean;
        }
        for (i, x) in centered.iter().enumerate() {
            for (j, y) in centered[..=i].iter().enumerate() {
                covariance[(i, j)] += x * y;
            }
        }
    }
    covariance.fill_upper_triangle_with_lower_triangle();
    let eigen = SymmetricEigen::new(covariance);
    let mut order: Vec<usize> = (0..width).collect();
    order.sort_by(|&a, &b| eigen.eigenvalues[b].total_cmp(&eigen.eigenvalues[a]));
    [0, 1].map(|rank| {
        let Some(&column) = order.get(rank) else { return vec![0.0; width] };
        let axis: Vec<f64> = eigen.eigenvectors.column(column).iter().copied().collect();
        let largest =
            axis.iter().copied().fold(0.0f64, |m, x| if x.abs() > m.abs() { x } else { m });
        axis.into_iter().map(|x| x * largest.signum()).collect()
    })
}

/// Brings one coordinate of all cells to 0 to 10.
fn stretch(places: &mut [[f32; 2]], axis: usize) {
    let values = || places.iter().map(|place| place[axis]);
    let (low, high) = values()
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let scale = if high > low { EXTENT / (high - low) } else { 0.0 };
    places.iter_mut().for_each(|place| place[axis] = (place[axis] - low) * scale);
}
