//! Where a minibatch's rows of counts come from.

use std::io;

use scvi_kernels::CsrRows;

use super::CsrMatrix;

/// Rows of counts by cell number: a matrix in memory, or a file that is read as it is needed.
pub trait CountSource: Sync {
    /// Number of cells.
    fn n_cells(&self) -> usize;
    /// Number of genes.
    fn n_genes(&self) -> usize;
    /// Counts above zero in the cell that has most of them: what buffers are sized by.
    fn max_nnz_per_cell(&self) -> usize;
    /// Adds the given cells to `rows`, in their order.
    ///
    /// # Errors
    /// Where a file cannot be read.
    fn read(&self, cells: &[u32], rows: &mut CsrRows) -> io::Result<()>;
    /// Announces which cells will be read from now on, in their order, so that a file can be read
    /// ahead; replaces what was announced before. What is read does not depend on it.
    fn expect(&self, cells: &mut dyn Iterator<Item = u32>) {
        let _ = cells;
    }
}

impl CountSource for CsrMatrix {
    fn n_cells(&self) -> usize {
        CsrMatrix::n_cells(self)
    }

    fn n_genes(&self) -> usize {
        CsrMatrix::n_genes(self)
    }

    fn max_nnz_per_cell(&self) -> usize {
        self.indptr().windows(2).map(|w| (w[1] - w[0]) as usize).max().unwrap_or(0)
    }

    fn read(&self, cells: &[u32], rows: &mut CsrRows) -> io::Result<()> {
        for &cell in cells {
            let (genes, counts) = self.row(cell as usize);
            rows.push(genes, counts);
        }
        Ok(())
    }
}
