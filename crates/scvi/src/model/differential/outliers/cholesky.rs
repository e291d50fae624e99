//! The Cholesky factor of a covariance, of a few up to a few hundred columns.

/// Least share of a column's variance that the columns before it must leave unexplained.
///
/// Single precision rounds a column that is a sum of others by 1e-15 or so of its variance.
const LEAST_SHARE: f64 = 1e-12;

/// L with L Lᵀ = A, lower triangular.
#[derive(Debug, Clone)]
pub(super) struct Cholesky {
    p: usize,
    factor: Vec<f64>, // (p, p), zero above the diagonal
}

impl Cholesky {
    /// Factors a symmetric matrix `(p, p)`, of which the part above the diagonal is not read.
    ///
    /// `None` where it is not positive definite, or so nearly not that rounding decides.
    pub(super) fn new(mut matrix: Vec<f64>, p: usize) -> Option<Self> {
        for i in 0..p {
            let (above, row) = matrix.split_at_mut(i * p);
            for j in 0..i {
                let other = &above[j * p..j * p + j + 1];
                row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
            }
            let left = row[i] - dot(&row[..i], &row[..i]);
            // Also false of what is not a number.
            if !(left > LEAST_SHARE * row[i] && left.is_finite()) {
                return None;
            }
            row[i] = left.sqrt();
            row[i + 1..p].fill(0.0);
        }
        Some(Self { p, factor: matrix })
    }

    /// ln det A.
    pub(super) fn ln_determinant(&self) -> f64 {
        (0..self.p).map(|i| 2.0 * self.factor[i * self.p + i].ln()).sum()
    }

    /// xᵀ A⁻¹ x; leaves L⁻¹ x in `x`.
    pub(super) fn squared_length(&self, x: &mut [f64]) -> f64 {
        for (i, row) in self.factor.chunks_exact(self.p).enumerate() {
            x[i] = (x[i] - dot(&row[..i], &x[..i])) / row[i];
        }
        dot(x, x)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factor_gives_back_the_matrix() {
        let b =
            |i: usize, j: usize| ((i * 7 + j * 3 + 1) as f64).sin() + f64::from(u8::from(i == j));
        for p in [1, 2, 5, 40] {
            let a: Vec<f64> = (0..p * p)
                .map(|at| (0..p).map(|k| b(at / p, k) * b(at % p, k)).sum::<f64>())
                .collect();
            let Cholesky { factor, .. } = Cholesky::new(a.clone(), p).unwrap();
            for (at, want) in a.iter().enumerate() {
                let found = dot(&factor[at / p * p..][..p], &factor[at % p * p..][..p]);
                assert!((found - want).abs() < 1e-10 * (1.0 + want.abs()), "{p}: {found} {want}");
            }
        }
    }

    #[test]
    fn determinants_and_lengths_are_those_of_two_by_two() {
        // Inverse [[3, -1], [-1, 2]] / 5; the 9 above the diagonal is not read.
        let cholesky = Cholesky::new(vec![2.0, 9.0, 1.0, 3.0], 2).unwrap();
        assert!((cholesky.ln_determinant() - 5f64.ln()).abs() < 1e-14);
        let found = cholesky.squared_length(&mut [1.0, 2.0]);
        assert!((found - (3.0 - 4.0 + 8.0) / 5.0).abs() < 1e-14, "{found}");
    }

    #[test]
    fn what_has_no_inverse_has_no_factor() {
        for matrix in [
            [0.0, 0.0, 0.0, 1.0],
            [1.0, 2.0, 2.0, 4.0],
            [1.0, 2.0, 2.0, 3.0],
            [1.0, 0.0, f64::NAN, 1.0],
        ] {
            assert!(Cholesky::new(matrix.to_vec(), 2).is_none(), "{matrix:?}");
        }
        // A small column is none the less a column.
        assert!(Cholesky::new(vec![1.0, 0.0, 0.0, 1e-30], 2).is_some());
    }
}
