//! How cells fall into minibatches.

use std::ops::Range;

/// How many cells a training minibatch has at the least, where there are that many: batch
/// normalisation needs a variance.
const MIN_CELLS: usize = 3;

/// Ranges of `0..n` for minibatches of `batch_size`; a tail of one or two cells joins the minibatch
/// before it, so that no cell is ever dropped and none is normalised alone.
///
/// ```
/// # use scvi::data::minibatches;
/// let sizes = |n| minibatches(n, 128).map(|r| r.len()).collect::<Vec<_>>();
/// assert_eq!(sizes(300), [128, 128, 44]);
/// assert_eq!(sizes(257), [128, 129]);
/// assert_eq!(sizes(2), [2]);
/// ```
pub fn minibatches(n: usize, batch_size: usize) -> impl Iterator<Item = Range<usize>> {
    let (full, tail) = (n / batch_size, n % batch_size);
    let joined = full > 0 && tail < MIN_CELLS;
    let count = if joined || tail == 0 { full } else { full + 1 };
    (0..count).map(move |i| {
        let end = if i + 1 == count { n } else { (i + 1) * batch_size };
        i * batch_size..end
    })
}

/// Ranges of `0..n` for minibatches of `batch_size`, without the cells that fill none.
///
/// Source: scvi-tools 1.4.2, `drop_last` in `dataloaders/_ann_dataloader.py`.
///
/// ```
/// # use scvi::data::full_minibatches;
/// assert_eq!(full_minibatches(300, 128).collect::<Vec<_>>(), [0..128, 128..256]);
/// ```
pub fn full_minibatches(n: usize, batch_size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..n / batch_size).map(move |i| i * batch_size..(i + 1) * batch_size)
}

/// Cells of the largest minibatch that [`minibatches`] gives.
pub(crate) fn largest_minibatch(n: usize, batch_size: usize) -> usize {
    n.min(batch_size + MIN_CELLS - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn minibatches_cover_every_cell_once(n in 1usize..2000, size in 1usize..300) {
            let ranges: Vec<_> = minibatches(n, size).collect();
            let mut next = 0;
            for r in &ranges {
                prop_assert_eq!(r.start, next);
                prop_assert!(r.len() >= MIN_CELLS.min(n).min(size));
                prop_assert!(r.len() <= largest_minibatch(n, size));
                next = r.end;
            }
            prop_assert_eq!(next, n);
        }
    }
}
