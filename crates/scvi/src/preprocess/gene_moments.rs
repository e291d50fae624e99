//! Mean and variance of every gene.

use super::Pass;
use super::batches::Batches;
use super::error::GeneSelectionError;

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

    /// The moments of each batch, in one pass; `each` is told the number and the counts of every cell.
    pub(super) fn by_batch<E: From<GeneSelectionError>>(
        n_genes: usize,
        batches: &Batches,
        pass: &mut Pass<'_, E>,
        each: &mut dyn FnMut(usize, &[f32]),
    ) -> Result<Vec<Self>, E> {
        let mut moments = vec![Self::new(n_genes); batches.len()];
        pass(&mut |first, counts| {
            for cell in 0..counts.n_cells() {
                let (genes, values) = counts.row(cell);
                let moments = &mut moments[batches.of(first + cell)];
                moments.n_cells += 1;
                for (&gene, &value) in genes.iter().zip(values) {
                    moments.add(gene, value.into(), f64::from(value) * f64::from(value));
                }
                each(first + cell, values);
            }
        })?;
        Self::require_cells(&moments)?;
        Ok(moments)
    }

    /// Adds a value and its square.
    pub(super) fn add(&mut self, gene: u32, value: f64, square: f64) {
        self.sum[gene as usize] += value;
        self.squares[gene as usize] += square;
    }

    /// Refuses batches without a single cell.
    pub(super) fn require_cells(batches: &[Self]) -> Result<(), GeneSelectionError> {
        match batches.iter().all(|batch| batch.n_cells == 0) {
            true => Err(GeneSelectionError::FewCells { batch: None, n_cells: 0 }),
            false => Ok(()),
        }
    }

    /// Those of all batches together.
    pub(super) fn joined(batches: &[Self]) -> Self {
        let mut all = Self::new(batches.first().map_or(0, |batch| batch.sum.len()));
        for batch in batches {
            all.n_cells += batch.n_cells;
            for (sums, others) in [(&mut all.sum, &batch.sum), (&mut all.squares, &batch.squares)] {
                sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
            }
        }
        all
    }

    /// Sums of values.
    pub(super) fn sums(&self) -> &[f64] {
        &self.sum
    }

    /// Genes without a single count.
    pub(super) fn n_unseen(&self) -> usize {
        self.sum.iter().filter(|sum| **sum == 0.0).count()
    }

    pub(super) fn means(&self) -> Vec<f64> {
        self.sum.iter().map(|sum| sum / self.n_cells as f64).collect()
    }

    /// Unbiased variances; of a single cell 0.
    pub(super) fn variances(&self) -> Vec<f64> {
        let n = self.n_cells as f64;
        let unbiased = if self.n_cells == 1 { 1.0 } else { n / (n - 1.0) };
        let of_gene = |(sum, squares): (&f64, &f64)| {
            let mean = sum / n;
            (squares / n - mean * mean) * unbiased
        };
        self.sum.iter().zip(&self.squares).map(of_gene).collect()
    }
}
