//! Matrix products over slices.

mod ahead;
mod dots;
mod lists;
mod micro;
mod nonzeros;
mod pair;
mod panel;
mod rows;
mod transpose;

pub(crate) use ahead::{Ahead, Next};
pub use micro::MicroKernels;
pub(crate) use nonzeros::{Nonzeros, VECTORS};
pub(crate) use pair::{Pair, Vectors};
pub(crate) use panel::Panel;
pub(crate) use rows::add_weighted_rows;
pub(crate) use transpose::{Tile, transpose};

use crate::CACHE_LINE;
use crate::real::Real;

/// A read-only view of a matrix: element `(i, j)` lies at `data[i * rs + j * cs]`.
#[derive(Clone, Copy)]
pub(crate) struct Mat<'a, F> {
    data: &'a [F],
    rows: usize,
    cols: usize,
    rs: usize,
    cs: usize,
}

impl<'a, F> Mat<'a, F> {
    /// `rows` rows of `cols` values each, `stride` apart.
    pub(crate) fn strided(data: &'a [F], rows: usize, cols: usize, stride: usize) -> Self {
        assert!(stride >= cols && (rows == 0 || data.len() >= (rows - 1) * stride + cols));
        Self { data, rows, cols, rs: stride, cs: 1 }
    }

    /// `rows` rows of `cols` values each, side by side.
    pub(crate) fn new(data: &'a [F], rows: usize, cols: usize) -> Self {
        Self::strided(data, rows, cols, cols)
    }

    /// Rows and columns.
    pub(crate) fn size(self) -> [usize; 2] {
        [self.rows, self.cols]
    }

    /// Its numbers row by row, slice by slice; its rows are contiguous.
    pub(crate) fn slices(self) -> impl Iterator<Item = &'a [F]> {
        assert!(self.cs == 1, "rows are contiguous");
        // Without gaps they are one.
        let is_one = self.rs == self.cols;
        let (rows, len) = if is_one { (1, self.rows * self.cols) } else { (self.rows, self.cols) };
        (0..rows).map(move |i| &self.data[i * self.rs..][..len])
    }

    /// Some of the rows.
    pub(crate) fn rows(self, range: std::ops::Range<usize>) -> Self {
        self.t().columns(range).t()
    }

    /// One row, or `None` past the last; its values are contiguous.
    fn row(self, i: usize) -> Option<&'a [F]> {
        assert!(self.cs == 1, "rows are contiguous");
        (i < self.rows).then(|| &self.data[i * self.rs..][..self.cols])
    }

    /// Some of the columns.
    pub(crate) fn columns(self, range: std::ops::Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.cols);
        let skipped = (range.start * self.cs).min(self.data.len());
        Self { data: &self.data[skipped..], cols: range.len(), ..self }
    }

    /// The transpose.
    pub(crate) fn t(self) -> Self {
        Self { data: self.data, rows: self.cols, cols: self.rows, rs: self.cs, cs: self.rs }
    }
}

/// Reads data in the order of memory, which the processor does fastest, before a product jumps about.
pub(crate) fn touch<F: Real>(data: &[F]) {
    let line = CACHE_LINE / size_of::<F>();
    let all = data.iter().step_by(line).fold(F::ZERO, |all, &v| all.max(v));
    std::hint::black_box(all);
}

/// `out = keep * out + a b` on the calling thread; `out` has rows `stride` apart.
pub(crate) fn matmul<F: Real>(a: Mat<F>, b: Mat<F>, out: &mut [F], stride: usize, keep: F) {
    let (m, k, n) = (a.rows, a.cols, b.cols);
    assert_eq!(k, b.rows, "inner dimensions");
    assert!(stride >= n && (m == 0 || out.len() >= (m - 1) * stride + n), "output too small");
    // Our columns are contiguous, and few enough to be read where they are: a copy of them is a
    // fortieth of a product's time. The library packs operands that are not contiguous all the same.
    gemm::set_lhs_packing_threshold_single_thread(usize::MAX);
    // SAFETY: `Mat` and the assertions above bound every element that the three views reach, and
    // `out` is borrowed mutably, so it overlaps neither input.
    #[allow(unsafe_code)]
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            stride as isize,
            keep != F::ZERO,
            a.data.as_ptr(),
            a.cs as isize,
            a.rs as isize,
            b.data.as_ptr(),
            b.cs as isize,
            b.rs as isize,
            keep,
            F::ONE,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_odd_strided_and_transposed_views() {
        let (m, k, n) = (7, 5, 3);
        let a: Vec<f32> = (0..m * 8).map(|i| (i % 11) as f32 - 4.0).collect();
        let b: Vec<f32> = (0..n * k).map(|i| (i % 7) as f32 - 2.0).collect();
        let mut out = vec![1.0f32; m * 4];
        matmul(Mat::strided(&a, m, k, 8), Mat::new(&b, n, k).t(), &mut out, 4, 1.0);
        for i in 0..m {
            for j in 0..n {
                let dot: f32 = (0..k).map(|l| a[i * 8 + l] * b[j * k + l]).sum();
                assert_eq!(out[i * 4 + j], 1.0 + dot);
            }
            assert_eq!(out[i * 4 + 3], 1.0, "the gap between rows is left alone");
        }
    }
}
