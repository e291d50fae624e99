//! Dense columns with one-hot columns after them.

use crate::real::Real;

/// Sizes of [`crate::LinearOps::one_hot_beside`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OneHotBeside {
    /// Cells of the minibatch.
    pub cells: usize,
    /// Dense columns, which come first.
    pub n_in: usize,
    /// One-hot columns that are 1 in a cell.
    pub per_cell: usize,
    /// One-hot columns.
    pub n_columns: usize,
}

pub(crate) fn one_hot_beside_cpu<F: Real>(x: &[F], columns: &[u32], y: &mut [F], d: OneHotBeside) {
    let width = d.n_in + d.n_columns;
    for cell in 0..d.cells {
        let (dense, one_hot) = y[cell * width..][..width].split_at_mut(d.n_in);
        dense.copy_from_slice(&x[cell * d.n_in..][..d.n_in]);
        one_hot.fill(F::ZERO);
        for &column in &columns[cell * d.per_cell..][..d.per_cell] {
            one_hot[column as usize] = F::ONE;
        }
    }
}

/// The first `to` of `from` columns.
pub(crate) fn first_columns_cpu<F: Real>(x: &[F], y: &mut [F], [from, to]: [usize; 2]) {
    for (x, y) in x.chunks_exact(from).zip(y.chunks_exact_mut(to)) {
        y.copy_from_slice(&x[..to]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{buf, full};
    use crate::{Cpu, LinearOps};

    #[test]
    fn columns_stand_after_the_dense_ones() {
        let d = OneHotBeside { cells: 3, n_in: 2, per_cell: 2, n_columns: 4 };
        let x = buf(&[0.5, 1.5, 2.5, 3.5, 4.5, 5.5]);
        let mut y = full(18, f64::NAN);
        Cpu::new().one_hot_beside(&x, &vec![0, 3, 1, 2, 0, 2], &mut y, d);
        let want = [
            [0.5, 1.5, 1.0, 0.0, 0.0, 1.0],
            [2.5, 3.5, 0.0, 1.0, 1.0, 0.0],
            [4.5, 5.5, 1.0, 0.0, 1.0, 0.0],
        ];
        assert_eq!(y[..], want.concat());
        let mut back = full(6, f64::NAN);
        Cpu::new().first_columns(&y, &mut back, 3, [6, 2]);
        assert_eq!(back, x);
    }

    #[test]
    fn without_columns_it_is_a_copy() {
        let d = OneHotBeside { cells: 2, n_in: 2, per_cell: 0, n_columns: 0 };
        let mut y = full(4, f64::NAN);
        Cpu::new().one_hot_beside(&buf(&[1.0, 2.0, 3.0, 4.0]), &vec![], &mut y, d);
        assert_eq!(y[..], [1.0, 2.0, 3.0, 4.0]);
    }
}
