//! The order in which a head's weights are stored.

use std::ops::Range;

use super::workspace::Partition;

/// How the weights of a head, W: `(genes, hidden)`, are stored: block after block of genes, each
/// transposed, `(hidden, genes of the block)`.
///
/// So products find a block's numbers side by side, in vectors of genes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WeightBlocks {
    genes: usize,
    hidden: usize,
    /// genes of every block but the last, which may be cut short
    block: usize,
}

impl WeightBlocks {
    /// Of the weights of a head of that size.
    pub(crate) fn new(genes: usize, hidden: usize) -> Self {
        Self { genes, hidden, block: Partition::new(genes).block }
    }

    /// From rows of genes, `(genes, hidden)`, to the order of storage. The numbers may be anything
    /// that belongs to the weights, such as their gradients.
    ///
    /// # Panics
    ///
    /// Where `values` has another length.
    pub(crate) fn store<T: Copy>(&self, values: &[T]) -> Vec<T> {
        assert_eq!(values.len(), self.genes * self.hidden, "numbers of a head's weights");
        self.blocks().flat_map(|genes| self.turned(values, genes, false)).collect()
    }

    /// Back to rows of genes.
    ///
    /// # Panics
    ///
    /// Where `values` has another length.
    pub(crate) fn restore<T: Copy>(&self, values: &[T]) -> Vec<T> {
        assert_eq!(values.len(), self.genes * self.hidden, "numbers of a head's weights");
        self.blocks().flat_map(|genes| self.turned(values, genes, true)).collect()
    }

    /// A gene's weights among those stored: `(hidden)`.
    pub(super) fn gene<'a, T>(&self, stored: &'a [T], gene: usize) -> impl Iterator<Item = &'a T> {
        let first = gene / self.block * self.block;
        let genes = self.block.min(self.genes - first);
        stored[first * self.hidden + gene - first..].iter().step_by(genes).take(self.hidden)
    }

    fn blocks(&self) -> impl Iterator<Item = Range<usize>> {
        let (genes, block) = (self.genes, self.block);
        (0..genes).step_by(block).map(move |first| first..genes.min(first + block))
    }

    /// A block's numbers transposed, where they are stored that way or where they are not.
    fn turned<T: Copy>(
        &self,
        values: &[T],
        genes: Range<usize>,
        stored: bool,
    ) -> impl Iterator<Item = T> {
        let (from, n) = (&values[genes.start * self.hidden..genes.end * self.hidden], genes.len());
        let (rows, columns) = if stored { (self.hidden, n) } else { (n, self.hidden) };
        (0..columns).flat_map(move |j| (0..rows).map(move |i| from[i * columns + j]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_comes_back_and_genes_are_found_in_it() {
        for (genes, hidden) in [(1, 1), (5, 3), (160, 2), (193, 4), (2003, 7), (0, 4)] {
            let order = WeightBlocks::new(genes, hidden);
            let rows: Vec<usize> = (0..genes * hidden).collect();
            let stored = order.store(&rows);
            assert_eq!(order.restore(&stored), rows);
            for gene in 0..genes {
                let weights: Vec<usize> = order.gene(&stored, gene).copied().collect();
                assert_eq!(weights, rows[gene * hidden..(gene + 1) * hidden]);
            }
        }
    }
}
