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

/// A tile is 4 x 4 squares of 4 x 4 numbers: each square is transposed within the lanes of 128 bits
/// that it fills, for such shuffles are the fastest, then squares change places.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn transposed_v4(simd: pulp::x86::V4, tile: Tile<f32>) -> Tile<f32> {
    use std::arch::x86_64::__m512;
    /// Which lanes of a pair of vectors: those of even or of odd number.
    const EVEN: i32 = 0b10_00_10_00;
    const ODD: i32 = 0b11_01_11_01;
    /// Which numbers of a lane, of the first and of the second vector.
    const LOW: i32 = 0b01_00_01_00;
    const HIGH: i32 = 0b11_10_11_10;
    let f = simd.avx512f;
    // Loops alone: a closure would not be compiled for these instructions.
    let rows: [__m512; LANES] = pulp::cast(tile);
    let mut squares = rows;
    for i in (0..LANES).step_by(4) {
        let low = f._mm512_unpacklo_ps(rows[i], rows[i + 1]);
        let high = f._mm512_unpackhi_ps(rows[i], rows[i + 1]);
        let low2 = f._mm512_unpacklo_ps(rows[i + 2], rows[i + 3]);
        let high2 = f._mm512_unpackhi_ps(rows[i + 2], rows[i + 3]);
        squares[i] = f._mm512_shuffle_ps::<LOW>(low, low2);
        squares[i + 1] = f._mm512_shuffle_ps::<HIGH>(low, low2);
        squares[i + 2] = f._mm512_shuffle_ps::<LOW>(high, high2);
        squares[i + 3] = f._mm512_shuffle_ps::<HIGH>(high, high2);
    }
    let mut out = rows;
    for i in 0..4 {
        let even = f._mm512_shuffle_f32x4::<EVEN>(squares[i], squares[4 + i]);
        let odd = f._mm512_shuffle_f32x4::<ODD>(squares[i], squares[4 + i]);
        let even2 = f._mm512_shuffle_f32x4::<EVEN>(squares[8 + i], squares[12 + i]);
        let odd2 = f._mm512_shuffle_f32x4::<ODD>(squares[8 + i], squares[12 + i]);
        out[i] = f._mm512_shuffle_f32x4::<EVEN>(even, even2);
        out[4 + i] = f._mm512_shuffle_f32x4::<EVEN>(odd, odd2);
        out[8 + i] = f._mm512_shuffle_f32x4::<ODD>(even, even2);
        out[12 + i] = f._mm512_shuffle_f32x4::<ODD>(odd, odd2);
    }
    pulp::cast(out)
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
