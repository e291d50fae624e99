//! The order of cells within an epoch.

use scvi_kernels::{Philox, Stream};
use serde::{Deserialize, Serialize};

/// How far apart cells may stand that come into one minibatch.
///
/// Cells in memory are shuffled all together. Cells in a file are read in blocks of neighbours, as
/// many blocks at a time as fill a buffer, drawn anew each epoch; the cells of a buffer are shuffled
/// together. A buffer of all cells is the same as none, whatever the blocks.
///
/// ```
/// use scvi::data::Shuffling;
///
/// let mut all: Vec<u32> = (0..100).collect();
/// Shuffling::Cells.shuffle(0, 3, &mut all);
/// let mut blocks: Vec<u32> = (0..100).collect();
/// Shuffling::Blocks { block_size: 4, buffer_size: 100 }.shuffle(0, 3, &mut blocks);
/// assert_eq!(all, blocks);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Shuffling {
    /// Any cell may stand beside any other.
    #[default]
    Cells,
    /// Cells stand beside those of their own buffer.
    Blocks {
        /// Neighbours in the file that are read together.
        block_size: usize,
        /// Cells that are shuffled together.
        buffer_size: usize,
    },
}

impl Shuffling {
    /// Neighbours in a file that are read together, unless something else is asked for.
    pub const BLOCK_SIZE: usize = 64;
    /// Cells that are shuffled together, unless something else is asked for.
    pub const BUFFER_SIZE: usize = 16_384;

    /// Brings an epoch's cells into their order, which depends on the seed, the epoch and the order
    /// in which they come.
    pub fn shuffle(&self, seed: u64, epoch: u32, cells: &mut [u32]) {
        let philox = Philox::new(seed);
        philox.shuffle(Stream::Shuffle, epoch, cells);
        let Self::Blocks { block_size, buffer_size } = *self else { return };
        let Some(last) = cells.iter().max() else { return };
        let block_of = |cell: u32| cell as usize / block_size;
        let n_blocks = block_of(*last) + 1;
        let mut buffer_of = vec![0_u32; n_blocks];
        let per_buffer = (buffer_size / block_size).max(1);
        for (place, block) in
            philox.permutation(Stream::Blocks, epoch, n_blocks).into_iter().enumerate()
        {
            buffer_of[block as usize] = (place / per_buffer) as u32;
        }
        // A stable sort leaves the cells of a buffer in the random order that they have.
        cells.sort_by_key(|&cell| buffer_of[block_of(cell)]);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn buffers_follow_each_other_and_hold_whole_blocks(
            n in 1_u32..600, step in 1_usize..4, block_size in 1_usize..20, blocks in 1_usize..9,
        ) {
            let cells: Vec<u32> = (0..n).step_by(step).collect();
            let mut order = cells.clone();
            let buffer_size = block_size * blocks;
            Shuffling::Blocks { block_size, buffer_size }.shuffle(7, 2, &mut order);
            let mut sorted = order.clone();
            sorted.sort_unstable();
            prop_assert_eq!(sorted, cells);
            // A block is done with once `blocks` others have followed it.
            let mut open: Vec<usize> = Vec::new();
            let mut closed = BTreeSet::new();
            for &cell in &order {
                let block = cell as usize / block_size;
                prop_assert!(!closed.contains(&block));
                if !open.contains(&block) {
                    if open.len() == blocks {
                        closed.extend(open.drain(..));
                    }
                    open.push(block);
                }
            }
        }
    }

    #[test]
    fn every_epoch_fills_buffers_with_other_blocks() {
        let shuffling = Shuffling::Blocks { block_size: 10, buffer_size: 100 };
        let first = |epoch| {
            let mut cells: Vec<u32> = (0..1000).collect();
            shuffling.shuffle(0, epoch, &mut cells);
            cells[..100].iter().map(|cell| cell / 10).collect::<BTreeSet<_>>()
        };
        assert_eq!(first(0).len(), 10);
        assert_ne!(first(0), first(1));
        assert_eq!(first(1), first(1));
    }
}
