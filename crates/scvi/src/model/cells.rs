//! Which cells a task looks at.

use super::pass::TaskError;
use crate::data::Dataset;

/// Cells of a data set, in the order of a task's results.
#[derive(Clone, Copy)]
pub struct Cells<'a> {
    pub(super) data: &'a Dataset<'a>,
    /// Every cell where `None`.
    chosen: Option<&'a [u32]>,
    /// Numbers that noise goes by instead of the cells'.
    numbers: Option<&'a [u32]>,
    pub(super) batch_size: usize,
}

impl<'a> Cells<'a> {
    /// Every cell, `batch_size` at a time; results do not depend on it.
    pub fn all(data: &'a Dataset<'a>, batch_size: usize) -> Self {
        Self { data, chosen: None, numbers: None, batch_size }
    }

    /// The chosen cells (scvi-tools' `indices`), which may come more than once.
    pub fn chosen(data: &'a Dataset<'a>, chosen: &'a [u32], batch_size: usize) -> Self {
        Self { data, chosen: Some(chosen), numbers: None, batch_size }
    }

    /// Chosen cells with a number each for their noise: a cell that comes twice is drawn twice.
    pub(super) fn numbered(self, numbers: &'a [u32]) -> Self {
        Self { numbers: Some(numbers), ..self }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.chosen.map_or(self.data.n_cells(), <[u32]>::len)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers of the cells from `start` on, as many as a minibatch takes.
    pub(super) fn minibatch(&self, start: usize, out: &mut Vec<u32>) {
        let range = start..(start + self.batch_size).min(self.len());
        out.clear();
        match self.chosen {
            Some(chosen) => out.extend_from_slice(&chosen[range]),
            None => out.extend(range.start as u32..range.end as u32),
        }
    }

    /// Numbers the cells of the minibatch that starts at `start`, for their noise.
    pub(super) fn number(&self, start: usize, cells: &mut [u32]) {
        if let Some(numbers) = self.numbers {
            cells.copy_from_slice(&numbers[start..][..cells.len()]);
        }
    }

    /// Makes sure that a pass can go over them.
    pub(super) fn check(&self) -> Result<(), TaskError> {
        if self.batch_size == 0 {
            return Err(TaskError::BatchSize);
        }
        let n_cells = self.data.n_cells();
        let mut chosen = self.chosen.unwrap_or_default().iter();
        match chosen.find(|&&cell| cell as usize >= n_cells) {
            Some(&found) => Err(TaskError::Cell { found, n_cells }),
            None => Ok(()),
        }
    }
}
