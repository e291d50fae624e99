//! Which cells a task looks at.

use super::error::TaskError;
use crate::data::Dataset;
use crate::module::Minibatch;

/// Cells of a data set, in the order of a task's results.
#[derive(Clone, Copy)]
pub struct Cells<'a> {
    pub(super) data: &'a Dataset<'a>,
    /// Every cell where `None`.
    chosen: Option<&'a [u32]>,
    noise: NoiseBy<'a>,
    pub(super) batch_size: usize,
}

/// What the noise of a row goes by.
#[derive(Clone, Copy)]
enum NoiseBy<'a> {
    /// Its cell.
    Cell,
    /// Its place among the rows.
    Place,
    /// A number that it was given.
    Number(&'a [u32]),
}

impl<'a> Cells<'a> {
    /// Every cell, `batch_size` at a time; results do not depend on it.
    pub fn all(data: &'a Dataset<'a>, batch_size: usize) -> Self {
        Self { data, chosen: None, noise: NoiseBy::Cell, batch_size }
    }

    /// The chosen cells (scvi-tools' `indices`), which may come more than once.
    pub fn chosen(data: &'a Dataset<'a>, chosen: &'a [u32], batch_size: usize) -> Self {
        Self { chosen: Some(chosen), ..Self::all(data, batch_size) }
    }

    /// Gives every place in the list noise of its own, so that a cell that comes twice is drawn
    /// twice; otherwise noise belongs to the cell.
    pub fn with_noise_by_place(self) -> Self {
        Self { noise: NoiseBy::Place, ..self }
    }

    /// The same by a number for each place.
    pub(super) fn with_noise_by_number(self, numbers: &'a [u32]) -> Self {
        Self { noise: NoiseBy::Number(numbers), ..self }
    }

    /// Number of the cell at a place in the list.
    pub(super) fn number(&self, place: usize) -> u32 {
        self.chosen.map_or(place as u32, |chosen| chosen[place])
    }

    /// Number of cells.
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

    /// Numbers what the noise of a minibatch goes by, whose first cell is at `start`.
    pub(super) fn number_noise(&self, start: usize, batch: &mut Minibatch) {
        let cells = &mut batch.cells;
        match self.noise {
            NoiseBy::Cell => {}
            NoiseBy::Place => {
                cells.iter_mut().zip(start as u32..).for_each(|(cell, place)| *cell = place);
            }
            NoiseBy::Number(numbers) => {
                let n = cells.len();
                cells.copy_from_slice(&numbers[start..][..n]);
            }
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
