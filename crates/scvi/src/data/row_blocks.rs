//! Counts that stay where they are until rows are asked for.

use std::io;
use std::ops::Range;

use super::CsrMatrix;

/// Counts in a file, of which runs of neighbouring cells can be read, by several threads at once.
pub trait RowBlocks: Send + Sync + 'static {
    /// Number of cells.
    fn n_cells(&self) -> usize;
    /// Number of genes.
    fn n_genes(&self) -> usize;
    /// The counts of neighbouring cells: `(cells.len(), genes)`.
    ///
    /// # Errors
    /// Where they cannot be read, or are no counts.
    fn read(&self, cells: Range<usize>) -> io::Result<CsrMatrix>;
}

/// A matrix in memory, read as a file would be.
impl RowBlocks for CsrMatrix {
    fn n_cells(&self) -> usize {
        CsrMatrix::n_cells(self)
    }

    fn n_genes(&self) -> usize {
        CsrMatrix::n_genes(self)
    }

    fn read(&self, cells: Range<usize>) -> io::Result<CsrMatrix> {
        Ok(self.select_cells(&cells.collect::<Vec<_>>()))
    }
}

/// What one look at all counts tells of them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Survey {
    /// Cells that were looked at.
    pub n_cells: usize,
    /// Counts above zero.
    pub nnz: u64,
    /// Counts above zero in the cell that has most of them.
    pub max_nnz_per_cell: usize,
    /// The first value that is not a whole number, with its cell and gene.
    pub first_fraction: Option<(usize, u32, f32)>,
    /// Cells without a single count.
    pub empty_cells: Vec<usize>,
    /// Whether a gene has a count in any cell, as far as that was looked at.
    seen: Vec<bool>,
}

impl Survey {
    /// Of a matrix.
    pub fn of(counts: &CsrMatrix) -> Self {
        let mut survey = Self::default();
        survey.add(counts);
        survey
    }

    /// Genes that have a count in any cell.
    pub fn n_genes_seen(&self) -> usize {
        self.seen.iter().filter(|&&seen| seen).count()
    }

    /// Looks at the cells that follow.
    pub fn add(&mut self, counts: &CsrMatrix) {
        if self.first_fraction.is_none() {
            let fraction = counts.first_fraction();
            self.first_fraction =
                fraction.map(|(cell, gene, value)| (self.n_cells + cell, gene, value));
        }
        for ends in counts.indptr().windows(2) {
            let nnz = (ends[1] - ends[0]) as usize;
            self.max_nnz_per_cell = self.max_nnz_per_cell.max(nnz);
            if nnz == 0 {
                self.empty_cells.push(self.n_cells);
            }
            self.n_cells += 1;
        }
        self.seen.resize(counts.n_genes(), false);
        counts.indices().iter().for_each(|&gene| self.seen[gene as usize] = true);
        self.nnz += counts.nnz() as u64;
    }
}
