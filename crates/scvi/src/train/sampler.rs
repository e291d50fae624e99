//! Which cells an epoch reads, and in which order.

use crate::data::Shuffling;

/// An order of cells, drawn anew each epoch or always the same (torch's `Sampler`).
///
/// Nothing has a state: the order is a function of the epoch, so that a resumed run has it, too.
pub trait Sampler: Send + Sync {
    /// Cells of an epoch, as many in each.
    fn len(&self) -> usize;

    /// Whether an epoch reads no cell.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts the cells of an epoch into `order`, which is empty.
    fn sample(&self, epoch: u32, order: &mut Vec<u32>);
}

/// All cells in an order drawn for each epoch.
#[derive(Debug, Clone)]
pub struct RandomSampler {
    /// The cells.
    pub cells: Vec<u32>,
    /// How far apart cells may stand that come into one minibatch.
    pub shuffling: Shuffling,
    /// Seed of the orders.
    pub seed: u64,
}

impl Sampler for RandomSampler {
    fn len(&self) -> usize {
        self.cells.len()
    }

    fn sample(&self, epoch: u32, order: &mut Vec<u32>) {
        order.extend_from_slice(&self.cells);
        self.shuffling.shuffle(self.seed, epoch, order);
    }
}

/// All cells in the same order each epoch.
#[derive(Debug, Clone)]
pub struct SequentialSampler {
    /// The cells.
    pub cells: Vec<u32>,
}

impl Sampler for SequentialSampler {
    fn len(&self) -> usize {
        self.cells.len()
    }

    fn sample(&self, _: u32, order: &mut Vec<u32>) {
        order.extend_from_slice(&self.cells);
    }
}
