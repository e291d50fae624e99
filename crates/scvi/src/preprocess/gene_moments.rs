//! Mean and variance of every gene.

use crate::data::CsrMatrix;

/// Sums over the cells of a batch, `(genes)` each.
#[derive(Debug, Clone)]
pub(super) struct GeneMoments {
    pub(super) n_cells: usize,
    sum: Vec<f64>,
    squares: Vec<f64>,
}

impl GeneMoments {
    pub(super) fn new(n_genes: usize) -> Self {
        Self { n_cells: 0, sum: vec![0.0; n_genes], squares: vec![0.0; n_genes] }
    }

    /// Adds a cell.
    pub(super) fn add(&mut self, counts: &CsrMatrix, cell: usize) {
        self.n_cells += 1;
        let (genes, values) = counts.row(cell);
        for (&gene, &value) in genes.iter().zip(values) {
            let value = f64::from(value);
            self.sum[gene as usize] += value;
            self.squares[gene as usize] += value * value;
        }
    }

    /// Adds the cells of another batch.
    pub(super) fn join(&mut self, other: &Self) {
        self.n_cells += other.n_cells;
        let lists = [(&mut self.sum, &other.sum), (&mut self.squares, &other.squares)];
        for (sums, others) in lists {
            sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
        }
    }

    pub(super) fn means(&self) -> Vec<f64> {
        self.sum.iter().map(|sum| sum / self.n_cells as f64).collect()
    }

    /// Unbiased variances.
    pub(super) fn variances(&self) -> Vec<f64> {
        let n = self.n_cells as f64;
        let of_gene = |(sum, squares): (&f64, &f64)| {
            let mean = sum / n;
            (squares / n - mean * mean) * n / (n - 1.0)
        };
        self.sum.iter().zip(&self.squares).map(of_gene).collect()
    }
}
