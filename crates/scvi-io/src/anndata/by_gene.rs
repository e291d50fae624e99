//! Counts that are stored gene by gene, turned to cells.

use std::ops::Range;

use scvi::data::CsrMatrix;

use super::sparse::Sparse;
use super::target::Target;
use crate::IoError;

/// How many values are read at a time.
const BLOCK: u64 = 1 << 20;

/// A matrix whose lines are genes. Its cells come by a counting sort: a look at `indices` counts the
/// values of each cell; then each run of cells takes one pass over all values.
pub(super) struct ByGene<'a> {
    target: Target<'a>,
    arrays: Box<Sparse>,
    /// where each gene begins, and where the last ends
    genes: Vec<u64>,
    /// the same of each cell, once turned
    cells: Vec<u64>,
}

impl<'a> ByGene<'a> {
    /// Counts the values of each cell.
    pub(super) fn new(target: Target<'a>, arrays: Box<Sparse>) -> Result<Self, IoError> {
        let genes = arrays.read_indptr(target.genes.len())?;
        let n_cells = target.cells.len();
        let mut by_gene = Self { target, arrays, genes, cells: vec![0; n_cells + 1] };
        let mut cells = std::mem::take(&mut by_gene.cells);
        by_gene.each_block(|range| {
            let indices =
                by_gene.arrays.indices_at(n_cells, range.start, range.end - range.start)?;
            indices.iter().for_each(|&cell| cells[cell as usize + 1] += 1);
            Ok(())
        })?;
        for cell in 0..n_cells {
            cells[cell + 1] += cells[cell];
        }
        by_gene.cells = cells;
        Ok(by_gene)
    }

    /// The cells in runs of at most `max_nnz` values, if they have more than one cell.
    pub(super) fn each_run(
        &self,
        max_nnz: u64,
        mut f: impl FnMut(&CsrMatrix) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        let (mut start, n_cells) = (0, self.target.cells.len());
        while start < n_cells {
            let most = self.cells[start].saturating_add(max_nnz);
            let end = self.cells.partition_point(|&end| end <= most) - 1;
            let end = end.clamp(start + 1, n_cells);
            f(&self.rows(start..end)?)?;
            start = end;
        }
        Ok(())
    }

    /// A run of cells: `(cells.len(), genes)`.
    fn rows(&self, cells: Range<usize>) -> Result<CsrMatrix, IoError> {
        let ends = &self.cells[cells.start..=cells.end];
        let indptr: Vec<u64> = ends.iter().map(|end| end - ends[0]).collect();
        let nnz = indptr[cells.len()] as usize;
        let (mut genes, mut counts) = (vec![0_u32; nnz], vec![0.0_f32; nnz]);
        let mut next = indptr.clone();
        let n_cells = self.target.cells.len();
        self.each_block(|range| {
            let n = range.end - range.start;
            let indices = self.arrays.indices_at(n_cells, range.start, n)?;
            let values = self.arrays.values_at(range.start, n)?.map_err(|(at, value)| {
                let (place, position) =
                    (format!("{}/data", self.target.place), range.start + at as u64);
                let gene = self.genes.partition_point(|&start| start <= position) - 1;
                self.target.bad_count(&place, indices[at] as usize, gene, value)
            })?;
            let mut gene = self.genes.partition_point(|&start| start <= range.start) - 1;
            for ((at, &cell), &value) in (range.start..).zip(&indices).zip(&values) {
                while self.genes[gene + 1] <= at {
                    gene += 1;
                }
                let cell = cell as usize;
                if !cells.contains(&cell) {
                    continue;
                }
                let slot = &mut next[cell - cells.start];
                // A file that changes while it is read could overrun what was counted.
                if *slot == indptr[cell - cells.start + 1] {
                    let expected = "the same indices when read again";
                    return Err(self.target.store.structure(self.target.place, expected, "others"));
                }
                genes[*slot as usize] = gene as u32;
                counts[*slot as usize] = value;
                *slot += 1;
            }
            Ok(())
        })?;
        self.target.matrix(indptr, genes, counts)
    }

    fn each_block(
        &self,
        mut f: impl FnMut(Range<u64>) -> Result<(), IoError>,
    ) -> Result<(), IoError> {
        let nnz = self.arrays.nnz() as u64;
        (0..nnz).step_by(BLOCK as usize).try_for_each(|start| f(start..(start + BLOCK).min(nnz)))
    }
}
