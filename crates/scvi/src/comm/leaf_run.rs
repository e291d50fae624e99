//! The tree over the leaves of a minibatch.

use std::ops::Range;

/// What a run of leaves adds up to before other leaves join: complete subtrees of the tree over all
/// leaves, from left to right. Leaf 0 is added to 1, 2 to 3; these sums to each other, and so on; what
/// has no sibling at the end of a minibatch is added to its left neighbour, the last one first.
#[derive(Debug, Clone, Default)]
pub(crate) struct LeafRun {
    first: usize,
    /// Leaves of each subtree.
    widths: Vec<usize>,
}

impl LeafRun {
    /// A run that begins with leaf `first`, without a leaf.
    pub(crate) fn begin(&mut self, first: usize) {
        self.first = first;
        self.widths.clear();
    }

    /// The subtrees of these leaves.
    pub(crate) fn of(leaves: Range<usize>) -> Self {
        let mut run = Self { first: leaves.start, widths: Vec::new() };
        for _ in leaves {
            run.push(1);
            while run.join_siblings() {}
        }
        run
    }

    pub(crate) fn widths(&self) -> &[usize] {
        &self.widths
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.widths.is_empty()
    }

    /// A subtree behind the others.
    pub(crate) fn push(&mut self, width: usize) {
        self.widths.push(width);
    }

    /// Joins the last two subtrees, where they are siblings: their sums are to be added.
    pub(crate) fn join_siblings(&mut self) -> bool {
        let [before @ .., left, right] = &self.widths[..] else { return false };
        let start = self.first + before.iter().sum::<usize>();
        left == right && start.is_multiple_of(2 * left) && self.join_last()
    }

    /// Joins the last two subtrees, where there are two: their sums are to be added.
    pub(crate) fn join_last(&mut self) -> bool {
        if self.widths.len() < 2 {
            return false;
        }
        let right = self.widths.pop().unwrap_or_default();
        self.widths.last_mut().into_iter().for_each(|left| *left += right);
        true
    }
}

/// The sum over the leaves of a minibatch in the order of the tree: of subtrees from left to right,
/// each with the number of its leaves. `add` puts the sum of two in the place of the left one.
pub(crate) fn tree_sum<T>(
    terms: impl IntoIterator<Item = (usize, T)>,
    mut add: impl FnMut(&mut T, T),
) -> Option<T> {
    let (mut run, mut sums) = (LeafRun::default(), Vec::new());
    let mut add_last_two = |sums: &mut Vec<T>| {
        if let (Some(right), Some(left)) = (sums.pop(), sums.last_mut()) {
            add(left, right);
        }
    };
    for (width, term) in terms {
        run.push(width);
        sums.push(term);
        while run.join_siblings() {
            add_last_two(&mut sums);
        }
    }
    while run.join_last() {
        add_last_two(&mut sums);
    }
    sums.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How the numbers of `n` leaves are added up where workers end their runs at `ends`.
    fn sum(ends: &[usize]) -> String {
        let name = |leaf: usize| leaf.to_string();
        let mut subtrees: Vec<(usize, String)> = Vec::new();
        let join = |sums: &mut Vec<String>| {
            let right = sums.pop().unwrap();
            let left = sums.pop().unwrap();
            sums.push(format!("({left}+{right})"));
        };
        let mut start = 0;
        for &end in ends {
            let (mut run, mut own) = (LeafRun::default(), Vec::new());
            run.begin(start);
            for leaf in start..end {
                run.push(1);
                own.push(name(leaf));
                while run.join_siblings() {
                    join(&mut own);
                }
            }
            assert_eq!(run.widths(), LeafRun::of(start..end).widths());
            subtrees.extend(run.widths().iter().copied().zip(own));
            start = end;
        }
        tree_sum(subtrees, |left, right| *left = format!("({left}+{right})")).unwrap()
    }

    #[test]
    fn the_tree_does_not_depend_on_who_has_which_leaf() {
        assert_eq!(sum(&[7]), "(((0+1)+(2+3))+((4+5)+6))");
        for n in 1..20 {
            let want = sum(&[n]);
            for workers in 1..9 {
                let ends: Vec<usize> = (1..=workers).map(|w| n * w / workers).collect();
                assert_eq!(sum(&ends), want, "{n} leaves, {workers} workers");
            }
        }
    }
}
