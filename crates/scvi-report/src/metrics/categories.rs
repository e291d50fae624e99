//! A category for each cell.

use scvi_kernels::{Philox, Stream};

use crate::AnalysisError;

/// The category of each cell, numbered from 0 without gaps.
#[derive(Debug, Clone, PartialEq)]
pub struct Categories {
    codes: Vec<u32>,
    n_categories: usize,
}

impl Categories {
    /// Takes any codes, one a cell; those that no cell has are left out.
    pub fn new(codes: &[u32]) -> Self {
        let mut used = codes.to_vec();
        used.sort_unstable();
        used.dedup();
        let place = |code| used.binary_search(code).expect("every code is in the list") as u32;
        Self { codes: codes.iter().map(place).collect(), n_categories: used.len() }
    }

    /// Category of each cell.
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// Number of categories, each with a cell.
    pub fn n_categories(&self) -> usize {
        self.n_categories
    }

    /// The cells of each category, in their order.
    pub(super) fn members(&self) -> Vec<Vec<u32>> {
        let mut members = vec![Vec::new(); self.n_categories];
        for (cell, &code) in (0..).zip(&self.codes) {
            members[code as usize].push(cell);
        }
        members
    }

    pub(crate) fn check(&self, what: &'static str, expected: usize) -> Result<(), AnalysisError> {
        let found = self.codes.len();
        if found == expected {
            return Ok(());
        }
        Err(AnalysisError::Cells { what, found, expected })
    }
}

/// A random sample of at most `at_most` cells in which every category has its share, by rising number.
pub fn stratified(categories: &Categories, at_most: usize, seed: u64) -> Vec<u32> {
    let n = categories.codes.len();
    let mut cells = Philox::new(seed).permutation(Stream::Chosen, 0, n);
    if n > at_most {
        cells.sort_by_key(|&cell| categories.codes[cell as usize]);
        // evenly spaced places
        cells = (0..at_most).map(|i| cells[i * n / at_most]).collect();
    }
    cells.sort_unstable();
    cells
}
