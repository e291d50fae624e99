//! Gradients of several passes added up pair by pair.

use scvi_kernels::Backend;

use crate::comm::LeafRun;

/// The sum of a parameter's gradients over the passes of a step (leaves of a minibatch, several
/// minibatches), in a binary tree that depends only on their number: pass 0 with 1, 2 with 3, then
/// these sums with each other. Of n gradients at most log₂ n + 1 are held.
#[derive(Clone)]
pub(super) struct GradientTree<B: Backend> {
    /// Which subtrees are complete.
    run: LeafRun,
    /// Their sums.
    sums: Vec<B::Buf>,
    /// Buffers that a sum no longer needs.
    spare: Vec<B::Buf>,
    len: usize,
}

impl<B: Backend> GradientTree<B> {
    /// Of a parameter of `len` numbers.
    pub(super) fn new(len: usize) -> Self {
        Self { run: LeafRun::default(), sums: Vec::new(), spare: Vec::new(), len }
    }

    /// The first pass is this one of all: those before are another worker's.
    pub(super) fn begin(&mut self, first: usize) {
        self.run.begin(first);
    }

    /// Whether there is no gradient.
    pub(super) fn is_empty(&self) -> bool {
        self.run.is_empty()
    }

    /// A buffer that the gradient of the next pass is written to.
    pub(super) fn next(&mut self, backend: &B) -> &mut B::Buf {
        self.add_siblings(backend);
        self.run.push(1);
        let buf = self.spare.pop().unwrap_or_else(|| backend.zeros(self.len));
        self.sums.push(buf);
        self.sums.last_mut().expect("one was pushed")
    }

    /// A buffer that no sum needs, where there is one; see [`Self::give`].
    pub(super) fn take_spare(&mut self) -> Option<B::Buf> {
        self.spare.pop()
    }

    /// A buffer of the parameter's length that it may write to.
    pub(super) fn give(&mut self, spare: B::Buf) {
        self.spare.push(spare);
    }

    /// The sum over all passes; the tree is empty after that.
    pub(super) fn take(&mut self, backend: &B) -> Option<B::Buf> {
        while self.run.join_last() {
            self.add_last_two(backend);
        }
        self.run.begin(0);
        self.sums.pop()
    }

    /// The sum of each complete subtree, which other workers' are added to; the tree is empty after
    /// that.
    pub(super) fn take_subtrees(&mut self, backend: &B) -> Vec<Vec<B::Elem>> {
        self.add_siblings(backend);
        self.run.begin(0);
        let sums = self.sums.iter().map(|sum| backend.download(sum, self.len)).collect();
        self.spare.append(&mut self.sums);
        sums
    }

    fn add_siblings(&mut self, backend: &B) {
        while self.run.join_siblings() {
            self.add_last_two(backend);
        }
    }

    fn add_last_two(&mut self, backend: &B) {
        if let (Some(last), Some(sum)) = (self.sums.pop(), self.sums.last_mut()) {
            backend.add(&last, sum, self.len);
            self.spare.push(last);
        }
    }
}

#[cfg(test)]
mod tests {
    use scvi_kernels::{Cpu, Device};

    use super::*;

    /// The sum of these numbers, as the tree forms it.
    fn sum(values: &[f32]) -> f32 {
        let backend = Cpu::<f32>::new();
        let mut tree = GradientTree::new(1);
        for &value in values {
            backend.upload(tree.next(&backend), &[value]);
        }
        let sum = tree.take(&backend).unwrap();
        assert!(tree.is_empty());
        backend.download(&sum, 1)[0]
    }

    #[test]
    fn neighbours_come_first() {
        let (big, small) = (1e8_f32, 1.0);
        assert_eq!(sum(&[big, -big, small, small]), 2.0);
        // From left to right it would be 1: the first small one is lost.
        assert_eq!(sum(&[big, small, -big, small]), (big + small) + (-big + small));
        assert_eq!(sum(&[3.0, 4.0, 5.0]), 12.0);
        let seven: Vec<f32> = (0..7).map(|k| 0.1 * k as f32).collect();
        let want =
            ((seven[0] + seven[1]) + (seven[2] + seven[3])) + ((seven[4] + seven[5]) + seven[6]);
        assert_eq!(sum(&seven), want);
    }

    #[test]
    fn a_tree_is_used_again() {
        let backend = Cpu::<f32>::new();
        let mut tree = GradientTree::<Cpu<f32>>::new(1);
        for step in 1..4 {
            for leaf in 0..5 {
                backend.upload(tree.next(&backend), &[(step * leaf) as f32]);
            }
            let sum = tree.take(&backend).unwrap();
            assert_eq!(backend.download(&sum, 1), [10.0 * step as f32]);
            tree.give(sum);
        }
        assert!(tree.take(&backend).is_none());
    }

    #[test]
    fn steps_of_several_workers_hold_no_more_memory() {
        let backend = Cpu::<f32>::new();
        let mut tree = GradientTree::<Cpu<f32>>::new(1);
        let mut held = Vec::new();
        for _ in 0..4 {
            for _ in 0..3 {
                tree.next(&backend);
            }
            assert_eq!(tree.take_subtrees(&backend).len(), 2);
            let grad = tree.take_spare().unwrap();
            held.push(tree.spare.len());
            tree.give(grad);
        }
        assert_eq!(held, [1; 4]);
    }
}
