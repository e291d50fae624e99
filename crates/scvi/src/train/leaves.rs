//! How a minibatch falls into leaves.

use std::ops::Range;
use std::sync::Arc;

use super::trainable::MinibatchSize;
use crate::comm::{Comm, LeafShare, gather, tree_sum};
use crate::data::{largest_minibatch, minibatches};
use crate::module::Minibatch;

/// Cells of a leaf. A tail of one or two joins the leaf before it.
const LEAF: usize = 128;

/// What there is of each leaf of a minibatch that is this worker's.
///
/// A minibatch of n cells has leaves of 128, and one of the rest, which stands last: a function of n
/// alone, whoever computes them. Kernels see a leaf at a time, so that what they work on stays in
/// cache, and sums over cells are formed leaf by leaf and added up pair by pair.
pub struct Leaves<T> {
    /// As many as the worker has of the largest minibatch, and at least one.
    all: Vec<T>,
    /// cells of each leaf of the minibatch at hand, other workers' among them
    cells: Vec<usize>,
    comm: Arc<dyn Comm>,
    /// whether a minibatch has several at all
    several: bool,
    /// host memory that a leaf passes through
    host: Minibatch,
}

impl<T> Leaves<T> {
    /// For minibatches of at most this size, what `make` makes of each leaf, by its number and the
    /// size that it has at most; one leaf of all cells unless `several`.
    pub(super) fn new(
        size: MinibatchSize,
        several: bool,
        comm: &Arc<dyn Comm>,
        mut make: impl FnMut(usize, MinibatchSize) -> T,
    ) -> Self {
        let most = ranges(size.cells, several).count().div_ceil(comm.size()).max(1);
        let cells = if several { largest_minibatch(size.cells, LEAF) } else { size.cells };
        let leaf = MinibatchSize { cells, nnz: size.nnz.div_ceil(size.cells.max(1)) * cells };
        let all = (0..most).map(|i| make(i, leaf)).collect();
        let comm = Arc::clone(comm);
        Self { all, cells: Vec::new(), comm, several, host: Minibatch::default() }
    }

    /// The first leaf, of the minibatch at hand or not.
    pub(super) fn any(&self) -> &T {
        &self.all[0]
    }

    /// What each worker has of all leaves of the minibatch at hand, one number a cell.
    pub(super) fn gather_cells(&self, own: &[f64]) -> Vec<f64> {
        let share = share(&self.comm, &self.cells);
        let cells = |worker| share.cells()[share.of(worker)].iter().sum();
        gather(&*self.comm, own, &(0..self.comm.size()).map(cells).collect::<Vec<_>>())
    }

    /// How the leaves of the minibatch at hand are shared among the workers.
    pub(super) fn share(&self) -> LeafShare<'_> {
        share(&self.comm, &self.cells)
    }

    /// The leaves of the minibatch at hand to change, and how they are shared.
    pub(super) fn get_mut_and_share(&mut self) -> (&mut [T], LeafShare<'_>) {
        let share = share(&self.comm, &self.cells);
        (&mut self.all[..share.own().len()], share)
    }

    /// The leaves of the minibatch at hand.
    pub fn get(&self) -> &[T] {
        &self.all[..self.share().own().len()]
    }

    /// The same to change.
    pub fn get_mut(&mut self) -> &mut [T] {
        self.get_mut_and_share().0
    }

    /// Gives each of the worker's leaves its part of a minibatch, which becomes the one at hand.
    pub(super) fn load(&mut self, minibatch: &Minibatch, mut load: impl FnMut(&mut T, &Minibatch)) {
        let ranges = || ranges(minibatch.cells.len(), self.several);
        self.cells.clear();
        self.cells.extend(ranges().map(|range| range.len()));
        let own = share(&self.comm, &self.cells).own();
        if share(&self.comm, &self.cells).is_single() {
            return load(&mut self.all[0], minibatch);
        }
        for (leaf, cells) in self.all.iter_mut().zip(ranges().skip(own.start).take(own.len())) {
            minibatch.copy_cells(cells, &mut self.host);
            load(leaf, &self.host);
        }
    }

    /// Exchanges what belongs together of two, by `swap`, and which leaves are at hand.
    pub(super) fn swap_with<U>(
        &mut self,
        other: &mut Leaves<U>,
        mut swap: impl FnMut(&mut T, &mut U),
    ) {
        let n = self.get().len().max(other.get().len());
        self.all[..n].iter_mut().zip(&mut other.all[..n]).for_each(|(a, b)| swap(a, b));
        std::mem::swap(&mut self.cells, &mut other.cells);
    }
}

fn share<'a>(comm: &'a Arc<dyn Comm>, cells: &'a [usize]) -> LeafShare<'a> {
    LeafShare::new(&**comm, cells)
}

fn ranges(n: usize, several: bool) -> impl Iterator<Item = Range<usize>> {
    minibatches(n, if several { LEAF } else { n.max(1) })
}

/// The sum of one number a leaf, in the tree over the leaves.
pub(super) fn sum_of_leaves(values: impl Iterator<Item = f64>) -> f64 {
    tree_sum(values.map(|value| (1, value)), |sum, value| *sum += value).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comm::Solo;

    fn sizes(n: usize) -> Vec<usize> {
        ranges(n, true).map(|range| range.len()).collect()
    }

    #[test]
    fn leaves_have_128_cells_and_the_rest_stands_last() {
        assert_eq!(sizes(128), [128]);
        assert_eq!(sizes(130), [130]);
        assert_eq!(sizes(131), [128, 3]);
        assert_eq!(sizes(258), [128, 130]);
        assert_eq!(sizes(1000), [128, 128, 128, 128, 128, 128, 128, 104]);
        assert!(
            (1..3000).all(|n| sizes(n).iter().all(|&cells| cells <= largest_minibatch(3000, LEAF)))
        );
        assert!(ranges(1000, false).eq(std::iter::once(0..1000)));
    }

    #[test]
    fn neighbours_are_added_first() {
        let huge = 1e17;
        let sum = |values: &[f64]| sum_of_leaves(values.iter().copied());
        assert_eq!(sum(&[huge, -huge, 1.0, 1.0]), 2.0);
        assert_eq!(sum(&[1.0, 2.0, 3.0, 4.0, 5.0]), 15.0);
        assert_eq!((sum(&[3.5]), sum(&[])), (3.5, 0.0));
    }

    #[test]
    fn each_leaf_gets_its_cells() {
        let mut minibatch = Minibatch::default();
        minibatch.rows.clear();
        for cell in 0..300_u32 {
            minibatch.rows.push(&[cell % 7], &[1.0 + cell as f32]);
            minibatch.cells.push(cell + 5);
            minibatch.batch.push(cell % 3);
            minibatch.continuous.extend([cell as f32, 0.5]);
        }
        let size = MinibatchSize { cells: 300, nnz: 300 };
        let comm: Arc<dyn Comm> = Arc::new(Solo);
        let mut leaves = Leaves::new(size, true, &comm, |_, _| Minibatch::default());
        leaves.load(&minibatch, |leaf, part| leaf.clone_from(part));
        let cells: Vec<u32> = leaves.get().iter().flat_map(|leaf| leaf.cells.clone()).collect();
        assert_eq!((leaves.get().len(), cells), (3, minibatch.cells.clone()));
        let last = &leaves.get()[2];
        assert_eq!((last.rows.n_cells(), last.rows.row(0)), (44, (&[4][..], &[257.0][..])));
        assert_eq!(last.continuous[..2], [256.0, 0.5]);
        assert!(last.labels.is_empty() && last.posterior.qz_m.is_empty());
    }
}
