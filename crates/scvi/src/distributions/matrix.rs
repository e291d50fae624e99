//! Draws of a whole matrix.

use rayon::prelude::*;
use scvi_kernels::Real;
use thiserror::Error;

use super::distribution::Distribution;
use super::error::DistributionError;
use super::noise::NoiseRng;

/// Which noise a matrix of draws takes: each of its numbers has that of its own seed, draw, cell and
/// gene, see [`NoiseRng`].
#[derive(Debug, Clone, Copy)]
pub struct SampleNoise<'a> {
    /// Seed of the run.
    pub seed: u64,
    /// Which repetition.
    pub draw: u32,
    /// Number of each row's cell in its data set: `(cells)`.
    pub cells: &'a [u32],
    /// Number of each column's gene in the model: `(genes)`.
    pub genes: &'a [u32],
}

/// A matrix of draws could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[non_exhaustive]
pub enum SampleError {
    /// The output has another size than its cells and genes.
    #[error("a buffer of {found} numbers, where {cells} cells by {genes} genes are drawn")]
    Size {
        /// Length of the output.
        found: usize,
        /// Rows.
        cells: usize,
        /// Columns.
        genes: usize,
    },
    /// The parameters of one number describe no distribution.
    #[error("no distribution for cell {cell}, gene {gene}")]
    Parameters {
        /// Number of the cell.
        cell: u32,
        /// Number of the gene.
        gene: u32,
        /// What is wrong with them.
        source: DistributionError,
    },
}

/// Draws x from `distribution(row, column)` into every place of `out`: `(cells, genes)`.
///
/// A number depends on its distribution and its noise alone, thus neither on the other cells and
/// genes of the matrix, nor on their order, nor on the number of threads.
///
/// ```
/// use scvi::distributions::{SampleNoise, ZeroInflatedNegativeBinomial, sample_matrix};
///
/// let mu = [4.0f32, 0.5, 2.0, 0.0, 1.5, 30.0]; // (cells, genes)
/// let theta = [1.0, 0.3, 20.0]; // (genes)
/// let zi_logits = [-2.0, 0.0, 1.0, -3.0, -1.0, -9.0]; // (cells, genes)
/// let noise = SampleNoise { seed: 1, draw: 0, cells: &[40, 7], genes: &[0, 1, 2] };
/// let mut out = [0.0; 6];
/// sample_matrix(
///     noise,
///     |row, column| {
///         let at = row * 3 + column;
///         ZeroInflatedNegativeBinomial::new(mu[at], theta[column], zi_logits[at])
///     },
///     &mut out,
/// )?;
/// assert_eq!(out[3], 0.0); // of mean 0
/// # Ok::<(), scvi::distributions::SampleError>(())
/// ```
///
/// Source: scvi-tools 1.4.2, `module/_vae.py`, `sample`.
///
/// # Errors
/// [`SampleError`] where `out` has not cells times genes numbers, and for the first place in
/// row-major order that has no distribution; what `out` then holds is arbitrary.
pub fn sample_matrix<F: Real, D: Distribution<F>>(
    noise: SampleNoise,
    distribution: impl Fn(usize, usize) -> Result<D, DistributionError> + Sync,
    out: &mut [F],
) -> Result<(), SampleError> {
    let SampleNoise { seed, draw, cells, genes } = noise;
    if out.len() != cells.len() * genes.len() {
        let found = out.len();
        return Err(SampleError::Size { found, cells: cells.len(), genes: genes.len() });
    }
    let fill_row = |(row, out): (usize, &mut [F])| {
        let cell = cells[row];
        for (column, (&gene, out)) in genes.iter().zip(out).enumerate() {
            *out = distribution(row, column)
                .map_err(|source| SampleError::Parameters { cell, gene, source })?
                .sample(&mut NoiseRng::new(seed, draw, cell, gene));
        }
        Ok(())
    };
    // No genes, no rows: a chunk cannot be empty.
    let rows = out.par_chunks_exact_mut(genes.len().max(1)).enumerate();
    match rows.find_map_first(|row| fill_row(row).err()) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}
