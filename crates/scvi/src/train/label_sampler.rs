//! Labelled cells, as many of each label.

use super::sampler::Sampler;
use crate::data::Shuffling;

/// What the seed of labelled cells differs by from that of all cells: one order says nothing of the
/// other.
const LABELLED_SEED: u64 = 0x1abe_11ed;

/// Labelled cells in an order drawn for each epoch; of each label at most a given number, which
/// are drawn anew, too.
///
/// Source: scvi-tools 1.4.2, `dataloaders/_semi_dataloader.py`.
#[derive(Debug, Clone)]
pub struct LabelSampler {
    by_label: Vec<Vec<u32>>,
    n_samples_per_label: Option<usize>,
    shuffling: Shuffling,
    seed: u64,
}

impl LabelSampler {
    /// Those of `cells` whose code in `labels` is below `n_labels`.
    ///
    /// # Panics
    /// If a cell has no code.
    pub fn new(
        cells: &[u32],
        labels: &[u32],
        n_labels: usize,
        n_samples_per_label: Option<usize>,
        (shuffling, seed): (Shuffling, u64),
    ) -> Self {
        let mut by_label = vec![Vec::new(); n_labels];
        for &cell in cells {
            if let Some(cells) = by_label.get_mut(labels[cell as usize] as usize) {
                cells.push(cell);
            }
        }
        Self { by_label, n_samples_per_label, shuffling, seed: seed ^ LABELLED_SEED }
    }

    /// How many cells of a label an epoch reads.
    fn of_label(&self, cells: &[u32]) -> usize {
        self.n_samples_per_label.map_or(cells.len(), |most| most.min(cells.len()))
    }
}

impl Sampler for LabelSampler {
    fn len(&self) -> usize {
        self.by_label.iter().map(|cells| self.of_label(cells)).sum()
    }

    fn sample(&self, epoch: u32, order: &mut Vec<u32>) {
        for (label, cells) in self.by_label.iter().enumerate() {
            let (start, n) = (order.len(), self.of_label(cells));
            order.extend_from_slice(cells);
            if n < cells.len() {
                let seed = self.seed.wrapping_add(1 + label as u64);
                Shuffling::Cells.shuffle(seed, epoch, &mut order[start..]);
                order.truncate(start + n);
            }
        }
        self.shuffling.shuffle(self.seed, epoch, order);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Three labels of 50, 3 and no cells, and cells without one.
    fn labels() -> Vec<u32> {
        (0..90)
            .map(|cell| {
                if cell < 50 {
                    0
                } else if cell < 53 {
                    1
                } else {
                    3
                }
            })
            .collect()
    }

    fn sampler(n_samples_per_label: Option<usize>) -> LabelSampler {
        let cells: Vec<u32> = (0..90).rev().collect();
        LabelSampler::new(&cells, &labels(), 3, n_samples_per_label, (Shuffling::Cells, 7))
    }

    fn drawn(sampler: &LabelSampler, epoch: u32) -> Vec<u32> {
        let mut order = Vec::new();
        sampler.sample(epoch, &mut order);
        assert_eq!(order.len(), sampler.len());
        order
    }

    #[test]
    fn all_labelled_cells_come_once_in_another_order_each_epoch() {
        let sampler = sampler(None);
        let [first, second] = [0, 1].map(|epoch| drawn(&sampler, epoch));
        for order in [&first, &second] {
            let cells: BTreeSet<u32> = order.iter().copied().collect();
            assert_eq!(cells, (0..53).collect());
        }
        assert_ne!(first, second);
        assert_eq!(first, drawn(&sampler, 0), "an epoch's order has no state");
    }

    #[test]
    fn a_label_gives_so_many_cells_or_all_that_it_has() {
        let sampler = sampler(Some(10));
        let mut seen = BTreeSet::new();
        for epoch in 0..40 {
            let order = drawn(&sampler, epoch);
            let cells: BTreeSet<u32> = order.iter().copied().collect();
            let of = |label| cells.iter().filter(|&&c| labels()[c as usize] == label).count();
            assert_eq!((cells.len(), of(0), of(1)), (13, 10, 3), "each cell once");
            seen.extend(cells);
        }
        assert_eq!(seen, (0..53).collect(), "other cells in other epochs");
    }
}
