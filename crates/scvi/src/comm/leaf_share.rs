//! Which worker has which leaves of a minibatch.

use std::ops::Range;

use bytemuck::Pod;

use super::{Comm, Solo, gather};

/// The leaves of a minibatch, and a worker's part of them.
#[derive(Clone, Copy)]
pub struct LeafShare<'a> {
    comm: &'a dyn Comm,
    /// Cells of each leaf of the minibatch.
    cells: &'a [usize],
}

impl<'a> LeafShare<'a> {
    /// Leaves of so many cells each, shared among the workers.
    pub fn new(comm: &'a dyn Comm, cells: &'a [usize]) -> Self {
        Self { comm, cells }
    }

    /// All leaves for one worker.
    pub fn solo(cells: &'a [usize]) -> Self {
        Self::new(&Solo, cells)
    }

    /// Which of `n` leaves (or numbers) a worker has: all workers have as many, but for one.
    pub fn run(n: usize, worker: usize, workers: usize) -> Range<usize> {
        n * worker / workers..n * (worker + 1) / workers
    }

    /// The way to the other workers.
    pub(crate) fn comm(&self) -> &'a dyn Comm {
        self.comm
    }

    /// Cells of each leaf of the minibatch.
    pub(crate) fn cells(&self) -> &'a [usize] {
        self.cells
    }

    /// Cells of the minibatch.
    pub(crate) fn n_cells(&self) -> usize {
        self.cells.iter().sum()
    }

    /// The leaves of a worker.
    pub(crate) fn of(&self, worker: usize) -> Range<usize> {
        Self::run(self.cells.len(), worker, self.comm.size())
    }

    /// The leaves of this worker.
    pub(crate) fn own(&self) -> Range<usize> {
        self.of(self.comm.rank())
    }

    /// Whether this worker has them all.
    pub(crate) fn is_solo(&self) -> bool {
        self.comm.size() == 1
    }

    /// Whether the minibatch is one leaf that no other worker has a part in.
    pub(crate) fn is_single(&self) -> bool {
        self.is_solo() && self.cells.len() == 1
    }

    /// What each leaf comes to, `(leaves, per_leaf)`, from that of this worker's leaves.
    pub(crate) fn gather<E: Pod>(&self, own: &[E], per_leaf: usize) -> Vec<E> {
        let length = |worker| self.of(worker).len() * per_leaf;
        gather(self.comm, own, &(0..self.comm.size()).map(length).collect::<Vec<_>>())
    }
}
