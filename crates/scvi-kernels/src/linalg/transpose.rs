//! Transposition of matrices, tile by tile.

use super::Mat;
use crate::LANES;
use crate::real::Real;
use crate::simd::vectorised;

/// A square of a matrix.
pub(crate) type Tile<F> = [[F; LANES]; LANES];

/// `out[j * stride + i] = a[i, j]`, where the rows of `a` are contiguous.
pub(crate) fn transpose<F: Real>(a: Mat<F>, out: &mut [F], stride: usize) {
    assert!(a.cs == 1, "rows are contiguous");
    assert!(stride >= a.rows && (a.cols == 0 || out.len() >= (a.cols - 1) * stride + a.rows));
    vectorised(
        #[inline(always)]
        || {
            for i in (0..a.rows).step_by(LANES) {
                for j in (0..a.cols).step_by(LANES) {
                    let (from, to) = (&a.data[i * a.rs + j..], &mut out[j * stride + i..]);
                    let size = [(a.rows - i).min(LANES), (a.cols - j).min(LANES)];
                    match size {
                        [LANES, LANES] => whole(from, a.rs, to, stride),
                        _ => partial(from, a.rs, to, stride, size),
                    }
                }
            }
        },
    );
}

/// A tile of full size.
#[inline(always)]
fn whole<F: Real>(from: &[F], from_stride: usize, to: &mut [F], to_stride: usize) {
    let mut tile = [[F::ZERO; LANES]; LANES];
    for (k, row) in tile.iter_mut().enumerate() {
        row.copy_from_slice(&from[k * from_stride..][..LANES]);
    }
    for (k, row) in F::transposed(tile).iter().enumerate() {
        to[k * to_stride..][..LANES].copy_from_slice(row);
    }
}

/// A tile at the edge.
#[inline(always)]
fn partial<F: Real>(
    from: &[F],
    from_stride: usize,
    to: &mut [F],
    to_stride: usize,
    [rows, cols]: [usize; 2],
) {
    for j in 0..cols {
        for i in 0..rows {
            to[j * to_stride + i] = from[i * from_stride + j];
        }
    }
}

/// The transpose of a tile, number by number.
#[inline(always)]
pub(crate) fn transposed_plainly<F: Real>(tile: Tile<F>) -> Tile<F> {
    std::array::from_fn(|i| std::array::from_fn(|j| tile[j][i]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_are_transposed<F: Real>() {
        for (rows, cols, pad) in [(1, 1, 0), (16, 16, 0), (7, 40, 3), (33, 17, 1), (64, 130, 2)] {
            let a: Vec<F> = (0..rows * (cols + pad)).map(|i| F::of(i as f64)).collect();
            let untouched = F::of(-1.0);
            let mut out = vec![untouched; cols * (rows + pad)];
            transpose(Mat::strided(&a, rows, cols, cols + pad), &mut out, rows + pad);
            for (j, row) in out.chunks_exact(rows + pad).enumerate() {
                let column: Vec<F> = (0..rows).map(|i| a[i * (cols + pad) + j]).collect();
                assert_eq!(row[..rows], column);
                assert!(row[rows..].iter().all(|&v| v == untouched), "the gap is left alone");
            }
        }
    }

    #[test]
    fn every_shape_is_transposed() {
        all_are_transposed::<f32>();
        all_are_transposed::<f64>();
    }
}
