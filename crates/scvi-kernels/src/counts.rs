//! A minibatch of counts, by cell and by gene.

use crate::CACHE_LINE;
use crate::aligned::Aligned;
use crate::real::Real;

/// Rows of counts as they come from a file or a matrix: the host's side of a minibatch.
#[derive(Debug, Clone, Default)]
pub struct CsrRows {
    /// Start of each row, and the end of the last: `(cells + 1)`.
    pub indptr: Vec<usize>,
    /// Gene of each stored count, rising within a row.
    pub genes: Vec<u32>,
    /// The stored counts, all positive and finite.
    pub counts: Vec<f32>,
}

impl CsrRows {
    /// Empties the rows and keeps their memory.
    pub fn clear(&mut self) {
        self.indptr.clear();
        self.indptr.push(0);
        self.genes.clear();
        self.counts.clear();
    }

    /// Adds one cell. The genes rise strictly and every count is positive and finite.
    pub fn push(&mut self, genes: &[u32], counts: &[f32]) {
        self.genes.extend_from_slice(genes);
        self.counts.extend_from_slice(counts);
        self.indptr.push(self.counts.len());
    }

    /// Number of cells.
    pub fn n_cells(&self) -> usize {
        self.indptr.len().saturating_sub(1)
    }

    /// Genes and counts of one cell.
    pub fn row(&self, cell: usize) -> (&[u32], &[f32]) {
        let range = self.indptr[cell]..self.indptr[cell + 1];
        (&self.genes[range.clone()], &self.counts[range])
    }
}

/// Genes whose counts are transposed at a time.
const PLACED: usize = 1024;

/// One count of a gene. The three stand together because a transposition writes them to a place far
/// from the one before: one cache line instead of three.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct GeneCount<F> {
    pub(crate) cell: u32,
    pub(crate) count: F,
    /// what the encoder sees
    pub(crate) input: F,
}

/// A minibatch where the kernels want it: the same counts by cell and by gene, with what is
/// derived from them alone.
#[derive(Debug, Clone)]
pub struct CountsBatch<F> {
    pub(crate) n_genes: usize,
    /// `(cells + 1)`
    pub(crate) indptr: Vec<usize>,
    /// gene of each count, cell by cell
    pub(crate) genes: Vec<u32>,
    /// what the encoder sees of each count, cell by cell: x or ln(1 + x)
    pub(crate) inputs: Vec<F>,
    /// `(genes + 1)`, or empty where the counts are held by cell alone
    pub(crate) gene_ptr: Vec<usize>,
    /// the counts, gene by gene
    pub(crate) by_gene: Vec<GeneCount<F>>,
    /// ln Σ_g x, the observed library size: `(cells)`
    pub(crate) library: Aligned<F>,
    table: CountTable<F>,
    /// where the transposition stands in each cell
    next: Vec<usize>,
}

impl<F: Real> CountsBatch<F> {
    /// An empty minibatch with buffers for up to `max_cells` cells that hold `max_nnz` counts together; by
    /// gene, too, or by cell alone.
    pub fn new(max_cells: usize, max_nnz: usize, n_genes: usize, by_gene: bool) -> Self {
        Self {
            n_genes,
            indptr: Vec::with_capacity(max_cells + 1),
            genes: Vec::with_capacity(max_nnz),
            inputs: Vec::with_capacity(max_nnz),
            gene_ptr: vec![0; if by_gene { n_genes + 1 } else { 0 }],
            by_gene: Vec::with_capacity(if by_gene { max_nnz } else { 0 }),
            library: Aligned::with_capacity(CACHE_LINE, max_cells),
            table: CountTable::new(),
            next: Vec::with_capacity(max_cells + 1),
        }
    }

    /// Number of cells loaded.
    pub fn n_cells(&self) -> usize {
        self.library.len()
    }

    /// Observed library sizes, ln Σ_g x: `(cells)`.
    pub fn library(&self) -> &[F] {
        &self.library
    }

    /// Takes the rows in, transposes them where they are wanted by gene, and derives inputs and library
    /// sizes.
    ///
    /// # Panics
    /// If a gene is out of range.
    pub fn load(&mut self, rows: &CsrRows, log_variational: bool) {
        self.indptr.clone_from(&rows.indptr);
        self.genes.clone_from(&rows.genes);
        self.inputs.resize(rows.counts.len(), F::ZERO);
        self.library.resize(rows.n_cells(), F::ZERO);
        for cell in 0..rows.n_cells() {
            let row = rows.indptr[cell]..rows.indptr[cell + 1];
            let mut total = 0.0f64;
            for (&x, input) in rows.counts[row.clone()].iter().zip(&mut self.inputs[row]) {
                *input = if log_variational { self.table.ln_1p(x) } else { F::of(x as f64) };
                total += x as f64;
            }
            self.library[cell] = F::of(total.ln());
        }
        if !self.gene_ptr.is_empty() {
            self.transpose(rows);
        }
    }

    /// Counting sort by gene; cells rise within a gene because they are visited in order.
    fn transpose(&mut self, rows: &CsrRows) {
        let nnz = rows.counts.len();
        self.by_gene.resize(nnz, GeneCount::default());
        self.gene_ptr.fill(0);
        for &g in &rows.genes {
            self.gene_ptr[g as usize + 1] += 1;
        }
        for g in 0..self.n_genes {
            self.gene_ptr[g + 1] += self.gene_ptr[g];
        }
        // While filling, gene_ptr[g] is the next free place of gene g ...
        // A block of genes after another, whose places stay in cache: every cell has few of them.
        self.next.clone_from(&rows.indptr);
        for first in (0..self.n_genes).step_by(PLACED) {
            let end_gene = self.n_genes.min(first + PLACED);
            // What lies in memory comes faster in its order.
            let places = self.gene_ptr[first]..self.gene_ptr[end_gene];
            self.by_gene[places].fill(GeneCount::default());
            for (cell, next) in self.next.iter_mut().take(rows.n_cells()).enumerate() {
                let rest = *next..rows.indptr[cell + 1];
                let mut taken = 0;
                let (genes, counts) = (&rows.genes[rest.clone()], &rows.counts[rest.clone()]);
                for ((&gene, &count), &input) in genes.iter().zip(counts).zip(&self.inputs[rest]) {
                    if gene as usize >= end_gene {
                        break;
                    }
                    let place = &mut self.gene_ptr[gene as usize];
                    let count = F::of(count as f64);
                    self.by_gene[*place] = GeneCount { cell: cell as u32, count, input };
                    *place += 1;
                    taken += 1;
                }
                *next += taken;
            }
        }
        // ... and ends as the start of gene g + 1: shift back by one.
        self.gene_ptr.copy_within(0..self.n_genes, 1);
        self.gene_ptr[0] = 0;
    }
}

/// ln(1 + x) of small whole counts, which nearly all counts are.
#[derive(Debug, Clone, Default)]
struct CountTable<F> {
    values: Vec<F>,
}

impl<F: Real> CountTable<F> {
    const SIZE: usize = 1024;

    fn new() -> Self {
        Self { values: (0..Self::SIZE).map(|x| F::of((x as f64).ln_1p())).collect() }
    }

    #[inline]
    fn ln_1p(&self, x: f32) -> F {
        // By way of i32, which is one instruction; a count is positive.
        let whole = x as i32;
        match self.values.get(whole as usize) {
            Some(&ln_1p) if whole as f32 == x => ln_1p,
            _ => F::of((x as f64).ln_1p()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{Draw, dense};

    fn load(rows: &CsrRows, genes: usize, log: bool) -> CountsBatch<f64> {
        let mut batch = CountsBatch::new(rows.n_cells(), rows.counts.len(), genes, true);
        batch.load(rows, log);
        batch
    }

    /// Counts by gene, `(genes, cells)`, from the list by gene; each cell at most once.
    fn by_gene(batch: &CountsBatch<f64>, value: fn(&GeneCount<f64>) -> f64) -> Vec<f64> {
        let cells = batch.n_cells();
        let mut x = vec![0.0; batch.n_genes * cells];
        for gene in 0..batch.n_genes {
            let at = batch.gene_ptr[gene]..batch.gene_ptr[gene + 1];
            assert!(batch.by_gene[at.clone()].is_sorted_by(|a, b| a.cell < b.cell), "cells rise");
            for k in at {
                x[gene * cells + batch.by_gene[k].cell as usize] = value(&batch.by_gene[k]);
            }
        }
        x
    }

    proptest! {
        #[test]
        fn a_load_transposes(
            cells in 0usize..41,
            genes in 1usize..60,
            density in 0.0..1.0,
            log in any::<bool>(),
            seed in any::<u64>(),
        ) {
            let rows = Draw::new(seed).counts(cells, genes, density, 3000.0);
            // What a larger minibatch left behind must not show.
            let mut batch = load(&Draw::new(seed ^ 1).counts(50, genes, 0.9, 9.0), genes, !log);
            batch.load(&rows, log);
            prop_assert_eq!(batch.n_cells(), cells);
            let x = dense(&rows, genes);
            let see = |x: f64| if log { x.ln_1p() } else { x };
            let (counts, inputs) =
                (by_gene(&batch, |c| c.count), by_gene(&batch, |c| c.input));
            prop_assert_eq!(*batch.gene_ptr.last().unwrap(), rows.counts.len());
            for cell in 0..cells {
                for gene in 0..genes {
                    let want = x[cell * genes + gene];
                    prop_assert_eq!(counts[gene * cells + cell], want);
                    prop_assert_eq!(inputs[gene * cells + cell], see(want));
                }
                let row = &x[cell * genes..][..genes];
                prop_assert!((batch.library[cell] - row.iter().sum::<f64>().ln()).abs() < 1e-14);
                let stored = rows.indptr[cell]..rows.indptr[cell + 1];
                for (&input, &x) in batch.inputs[stored.clone()].iter().zip(&rows.counts[stored]) {
                    prop_assert_eq!(input, see(x as f64));
                }
            }
        }
    }

    #[test]
    fn inputs_are_right_beyond_the_table_and_between_whole_numbers() {
        for x in [1e-8, 0.5, 1.0, 1.5, 1023.0, 1023.5, 1024.0, 7e4, 1e7, 3e9, 3e38] {
            let mut rows = CsrRows::default();
            rows.clear();
            rows.push(&[2], &[x]);
            let got = load(&rows, 3, true);
            assert_eq!(got.inputs, [(x as f64).ln_1p()], "{x}");
            assert_eq!(got.library(), [(x as f64).ln()], "{x}");
        }
    }
}
