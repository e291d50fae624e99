//! Gradients of several passes added up pair by pair.

use scvi_kernels::Backend;

/// The sum of a parameter's gradients over the passes of a step (leaves of a minibatch, several
/// minibatches), in a binary tree that depends only on their number: pass 0 with 1, 2 with 3, then
/// these sums with each other. Of n gradients at most log₂ n + 1 are held.
#[derive(Clone)]
pub(super) struct GradientTree<B: Backend> {
    /// Sums of complete subtrees, the largest first.
    sums: Vec<B::Buf>,
    /// Buffers that a sum no longer needs.
    spare: Vec<B::Buf>,
    n: usize,
    len: usize,
}

impl<B: Backend> GradientTree<B> {
    /// Of a parameter of `len` numbers.
    pub(super) fn new(len: usize) -> Self {
        Self { sums: Vec::new(), spare: Vec::new(), n: 0, len }
    }

    /// Whether there is no gradient.
    pub(super) fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// A buffer that the gradient of the next pass is written to.
    pub(super) fn next(&mut self, backend: &B) -> &mut B::Buf {
        if self.n > 0 {
            (0..self.n.trailing_zeros()).for_each(|_| self.add_last_two(backend));
        }
        self.n += 1;
        let buf = self.spare.pop().unwrap_or_else(|| backend.zeros(self.len));
        self.sums.push(buf);
        self.sums.last_mut().expect("one was pushed")
    }

    /// A buffer of the parameter's length that it may write to.
    pub(super) fn give(&mut self, spare: B::Buf) {
        self.spare.push(spare);
    }

    /// The sum over all passes; the tree is empty after that.
    pub(super) fn take(&mut self, backend: &B) -> Option<B::Buf> {
        while self.sums.len() > 1 {
            self.add_last_two(backend);
        }
        self.n = 0;
        self.sums.pop()
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
}
