//! Some of the cells of another source.

use std::io;

use scvi_kernels::CsrRows;

use super::CountSource;

/// The chosen cells of another source, numbered from 0 in the order of the choice.
pub struct SelectedCounts {
    source: Box<dyn CountSource>,
    chosen: Vec<u32>,
}

impl SelectedCounts {
    /// Cell `i` is cell `chosen[i]` of the source.
    ///
    /// # Panics
    /// If there is no such cell.
    pub fn new(source: Box<dyn CountSource>, chosen: Vec<u32>) -> Self {
        assert!(chosen.iter().all(|&cell| (cell as usize) < source.n_cells()), "no such cell");
        Self { source, chosen }
    }
}

impl CountSource for SelectedCounts {
    fn n_cells(&self) -> usize {
        self.chosen.len()
    }

    fn n_genes(&self) -> usize {
        self.source.n_genes()
    }

    fn max_nnz_per_cell(&self) -> usize {
        self.source.max_nnz_per_cell()
    }

    fn read(&self, cells: &[u32], rows: &mut CsrRows) -> io::Result<()> {
        let numbers: Vec<u32> = cells.iter().map(|&cell| self.chosen[cell as usize]).collect();
        self.source.read(&numbers, rows)
    }

    fn expect(&self, cells: &mut dyn Iterator<Item = u32>) {
        self.source.expect(&mut cells.map(|cell| self.chosen[cell as usize]));
    }
}
