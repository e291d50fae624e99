//! A dense matrix of counts, read block by block: only what is not zero is kept.

use scvi::data::CsrMatrix;

use super::array::{Array, Kind};
use super::counts::{Target, is_count};
use crate::IoError;

/// Reads an array of shape `(cells, genes)`.
pub(crate) fn read_dense(target: &Target<'_>, array: &Array) -> Result<CsrMatrix, IoError> {
    target.check_shape(array.shape())?;
    let width = target.genes.len();
    let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    if width == 0 {
        indptr.resize(target.cells.len() + 1, 0);
        return target.matrix(indptr, indices, values);
    }
    let mut push = |row: usize, count: &dyn Fn(usize) -> f64| {
        for gene in 0..width {
            let value = count(gene);
            if !is_count(value) {
                return Err(target.bad_count(array.place(), row, gene, value));
            }
            if value != 0.0 {
                indices.push(gene as u32);
                values.push(value as f32);
            }
        }
        indptr.push(values.len() as u64);
        Ok(())
    };
    if array.kind() == Kind::Single {
        array.each_f32(|first, block| {
            block
                .chunks_exact(width)
                .enumerate()
                .try_for_each(|(k, row)| push(first as usize + k, &|gene| f64::from(row[gene])))
        })?;
    } else {
        array.each_f64(|first, block| {
            block
                .chunks_exact(width)
                .enumerate()
                .try_for_each(|(k, row)| push(first as usize + k, &|gene| row[gene]))
        })?;
    }
    indices.shrink_to_fit();
    values.shrink_to_fit();
    target.matrix(indptr, indices, values)
}
