//! Sums of products of columns, for covariances and correlations.
//!
//! With x: `(rows, columns)` the pass adds xᵀ x to `(columns, columns)`. It is part of no step and
//! of no device: what it sums comes from the host and stays there.

use crate::linalg::{Mat, matmul};
use crate::ops::{Rows, in_parts};
use crate::real::Real;

/// Columns of one task.
const PART: usize = 64;

/// sum += xᵀ x. `x` is `(rows, columns)`, `sum` is `(columns, columns)`; both triangles are filled.
///
/// The partition depends on the number of columns only: bit-identical for any number of threads.
///
/// # Panics
/// If a slice does not fit `columns`.
pub fn add_gram<F: Real>(x: &[F], columns: usize, sum: &mut [F]) {
    assert_eq!(sum.len(), columns * columns, "columns by columns");
    let rows = x.len() / columns.max(1);
    assert_eq!(x.len(), rows * columns, "whole rows");
    let all = Mat::new(x, rows, columns);
    in_parts(columns, PART, Rows::new(sum, columns), &|range, part: Rows<F>| {
        if rows == 0 {
            return;
        }
        let some = Mat::strided(&x[range.start..], rows, range.len(), columns);
        matmul(some.t(), all, part.data, columns, F::ONE);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::same_in_every_pool;

    /// Small whole numbers, whose sums are exact.
    fn values(n: usize) -> Vec<f64> {
        (0..n).map(|i| ((i * 7919) % 23) as f64 - 11.0).collect()
    }

    #[test]
    fn sums_products_of_every_pair() {
        for (rows, columns) in [(0, 3), (1, 1), (5, 3), (9, 64), (7, 65), (3, 200)] {
            let x = values(rows * columns);
            let mut sum = vec![0.5; columns * columns];
            add_gram(&x, columns, &mut sum);
            add_gram(&x, columns, &mut sum);
            for i in 0..columns {
                for j in 0..columns {
                    let products = (0..rows).map(|r| x[r * columns + i] * x[r * columns + j]);
                    assert_eq!(sum[i * columns + j], 0.5 + 2.0 * products.sum::<f64>());
                }
            }
        }
    }

    #[test]
    fn threads_do_not_show() {
        same_in_every_pool(|| {
            let x: Vec<f32> = values(37 * 150).iter().map(|&v| (v * 0.37) as f32).collect();
            let mut sum = vec![0.0f32; 150 * 150];
            add_gram(&x, 150, &mut sum);
            sum
        });
    }
}
