//! A minibatch of counts, by cell and by gene.

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
}

/// A minibatch where the kernels want it: the same counts by cell and by gene, with what is
/// derived from them alone.
#[derive(Debug, Clone, Default)]
pub struct CountsBatch<F> {
    pub(crate) n_genes: usize,
    /// `(cells + 1)`
    pub(crate) indptr: Vec<usize>,
    /// gene of each count, cell by cell
    pub(crate) genes: Vec<u32>,
    /// what the encoder sees of each count, cell by cell: x or ln(1 + x)
    pub(crate) inputs: Vec<F>,
    /// `(genes + 1)`
    pub(crate) gene_ptr: Vec<usize>,
    /// cell of each count, gene by gene
    pub(crate) cells: Vec<u32>,
    /// each count, gene by gene
    pub(crate) counts_by_gene: Vec<F>,
    /// what the encoder sees, gene by gene
    pub(crate) inputs_by_gene: Vec<F>,
    /// ln Σ_g x, the observed library size: `(cells)`
    pub(crate) library: Vec<F>,
    /// Σ_g ln Γ(x + 1), the part of the likelihood that no parameter touches: `(cells)`
    pub(crate) ln_factorials: Vec<F>,
    table: CountTable<F>,
}

impl<F: Real> CountsBatch<F> {
    /// An empty minibatch with room for `max_cells` cells that hold `max_nnz` counts together.
    pub fn new(max_cells: usize, max_nnz: usize, n_genes: usize) -> Self {
        Self {
            n_genes,
            indptr: Vec::with_capacity(max_cells + 1),
            genes: Vec::with_capacity(max_nnz),
            inputs: Vec::with_capacity(max_nnz),
            gene_ptr: vec![0; n_genes + 1],
            cells: Vec::with_capacity(max_nnz),
            counts_by_gene: Vec::with_capacity(max_nnz),
            inputs_by_gene: Vec::with_capacity(max_nnz),
            library: Vec::with_capacity(max_cells),
            ln_factorials: Vec::with_capacity(max_cells),
            table: CountTable::new(),
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

    /// Takes the rows in, transposes them, and derives inputs, library sizes and constants.
    ///
    /// # Panics
    /// If a gene is out of range.
    pub fn load(&mut self, rows: &CsrRows, log_variational: bool) {
        self.indptr.clone_from(&rows.indptr);
        self.genes.clone_from(&rows.genes);
        self.inputs.resize(rows.counts.len(), F::ZERO);
        self.library.resize(rows.n_cells(), F::ZERO);
        self.ln_factorials.resize(rows.n_cells(), F::ZERO);
        for cell in 0..rows.n_cells() {
            let row = rows.indptr[cell]..rows.indptr[cell + 1];
            let (mut total, mut constant) = (0.0f64, 0.0f64);
            for (&x, input) in rows.counts[row.clone()].iter().zip(&mut self.inputs[row]) {
                let (ln_1p, ln_factorial) = self.table.look_up(x);
                *input = if log_variational { ln_1p } else { F::of(x as f64) };
                total += x as f64;
                constant += ln_factorial;
            }
            self.library[cell] = F::of(total.ln());
            self.ln_factorials[cell] = F::of(constant);
        }
        self.transpose(rows);
    }

    /// Counting sort by gene; cells rise within a gene because they are visited in order.
    fn transpose(&mut self, rows: &CsrRows) {
        let nnz = rows.counts.len();
        self.cells.resize(nnz, 0);
        self.counts_by_gene.resize(nnz, F::ZERO);
        self.inputs_by_gene.resize(nnz, F::ZERO);
        self.gene_ptr.fill(0);
        for &g in &rows.genes {
            self.gene_ptr[g as usize + 1] += 1;
        }
        for g in 0..self.n_genes {
            self.gene_ptr[g + 1] += self.gene_ptr[g];
        }
        // While filling, gene_ptr[g] is the next free place of gene g ...
        for cell in 0..rows.n_cells() {
            for k in rows.indptr[cell]..rows.indptr[cell + 1] {
                let place = &mut self.gene_ptr[rows.genes[k] as usize];
                self.cells[*place] = cell as u32;
                self.counts_by_gene[*place] = F::of(rows.counts[k] as f64);
                self.inputs_by_gene[*place] = self.inputs[k];
                *place += 1;
            }
        }
        // ... and ends as the start of gene g + 1: shift back by one.
        self.gene_ptr.copy_within(0..self.n_genes, 1);
        self.gene_ptr[0] = 0;
    }
}

/// ln(1 + x) and ln x! of small whole counts, which nearly all counts are.
#[derive(Debug, Clone, Default)]
struct CountTable<F> {
    ln_1p: Vec<F>,
    ln_factorial: Vec<f64>,
}

impl<F: Real> CountTable<F> {
    const SIZE: usize = 1024;

    fn new() -> Self {
        let mut ln_factorial = vec![0.0; Self::SIZE];
        for x in 1..Self::SIZE {
            ln_factorial[x] = ln_factorial[x - 1] + (x as f64).ln();
        }
        let ln_1p = (0..Self::SIZE).map(|x| F::of((x as f64).ln_1p())).collect();
        Self { ln_1p, ln_factorial }
    }

    #[inline]
    fn look_up(&self, x: f32) -> (F, f64) {
        let whole = x as usize;
        if whole < Self::SIZE && whole as f32 == x {
            return (self.ln_1p[whole], self.ln_factorial[whole]);
        }
        // ln Γ(x + 1) = ln Γ(x + θ) - ln Γ(θ) at θ = 1
        (F::of((x as f64).ln_1p()), f64::ln_gamma_ratio(1.0, x as f64).0)
    }
}
