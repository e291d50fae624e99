//! The batches in which genes are chosen.

use crate::data::{CategoricalField, CategoryError};

/// The batch of each cell; without batches all cells are one.
#[derive(Debug, Clone, Default)]
pub struct Batches {
    /// Number of each cell's batch; empty without batches.
    codes: Vec<u32>,
    names: Option<Vec<String>>,
}

impl Batches {
    /// The categories of a column, in their sorted order, with the code of each cell. Categories without
    /// a cell are no batches.
    ///
    /// # Errors
    /// [`CategoryError::Invalid`] where a category is no value of its kind.
    pub fn new(field: &CategoricalField, codes: &[u32]) -> Result<Self, CategoryError> {
        let order = field.sorted_codes()?;
        let names = order.iter().map(|&code| field.categories[code as usize].clone()).collect();
        let mut places = vec![0; order.len()];
        order.iter().zip(0..).for_each(|(&code, place)| places[code as usize] = place);
        let codes = codes.iter().map(|&code| places[code as usize]).collect();
        Ok(Self { codes, names: Some(names) })
    }

    /// Whether there are batches at all.
    pub fn are_given(&self) -> bool {
        self.names.is_some()
    }

    /// Number of batches, empty ones included.
    pub(super) fn len(&self) -> usize {
        self.names.as_ref().map_or(1, Vec::len)
    }

    /// Number of the batch of a cell.
    pub(super) fn of(&self, cell: usize) -> usize {
        if self.are_given() { self.codes[cell] as usize } else { 0 }
    }

    /// Its name, for messages.
    pub(super) fn name(&self, batch: usize) -> Option<String> {
        self.names.as_ref().map(|names| names[batch].clone())
    }
}
