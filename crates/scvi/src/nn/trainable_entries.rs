//! Which entries of a tensor are trained.

use scvi_kernels::Real;

/// Which entries of a tensor are trained; the others are frozen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrainableEntries {
    /// All of them.
    All,
    /// None: they stay bit-identical.
    Nothing,
    /// Those at these indices of a dimension, such as some columns of a weight.
    Only {
        /// The dimension, 0 for the outermost.
        dim: usize,
        /// The indices.
        indices: Vec<usize>,
    },
}

impl TrainableEntries {
    /// 1 for each entry that is trained, 0 for the others, in row-major order.
    pub(super) fn mask<F: Real>(&self, shape: &[usize]) -> Vec<F> {
        let len = shape.iter().product();
        let Self::Only { dim, indices } = self else {
            return vec![if *self == Self::All { F::ONE } else { F::ZERO }; len];
        };
        let inner: usize = shape[dim + 1..].iter().product();
        let mut moves = vec![F::ZERO; shape[*dim]];
        indices.iter().for_each(|&i| moves[i] = F::ONE);
        (0..len).map(|at| moves[at / inner % moves.len()]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_of_every_dimension() {
        let mask = |trained: TrainableEntries| trained.mask::<f64>(&[2, 3]);
        let only = |dim, indices: &[usize]| {
            mask(TrainableEntries::Only { dim, indices: indices.to_vec() })
        };
        assert_eq!(only(1, &[2, 0]), [1.0, 0.0, 1.0, 1.0, 0.0, 1.0]);
        assert_eq!(only(0, &[1]), [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
        assert_eq!((only(1, &[]), mask(TrainableEntries::All)), (vec![0.0; 6], vec![1.0; 6]));
        assert_eq!(mask(TrainableEntries::Nothing), [0.0; 6]);
    }
}
