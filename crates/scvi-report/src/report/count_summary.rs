//! One pass over all counts.

use scvi::data::CountSource;
use scvi::model::{Watch, tell};
use scvi_kernels::CsrRows;

use crate::AnalysisError;

/// Cells that are read at a time.
const AT_A_TIME: usize = 4096;

/// What one pass over all counts tells.
pub struct CountSummary {
    /// Sum of the counts of each cell: `(cells)`.
    pub totals: Vec<f64>,
    /// Genes with a count in each cell: `(cells)`.
    pub n_genes: Vec<f64>,
    /// Counts of each of some genes in a sample of the cells: `(genes)` of `(sample)`.
    pub of_genes: Vec<Vec<f32>>,
}

impl CountSummary {
    /// Reads all counts once. `sample` is in rising order.
    ///
    /// # Errors
    /// Where counts cannot be read, or the watcher stops it.
    pub fn new(
        counts: &dyn CountSource,
        sample: &[u32],
        genes: &[u32],
        watch: &mut Watch,
    ) -> Result<Self, AnalysisError> {
        let n_cells = counts.n_cells();
        let all: Vec<u32> = (0..n_cells as u32).collect();
        let of_gene = || Vec::with_capacity(sample.len());
        let mut summary = Self {
            totals: Vec::with_capacity(n_cells),
            n_genes: Vec::with_capacity(n_cells),
            of_genes: genes.iter().map(|_| of_gene()).collect(),
        };
        let (mut rows, mut left) = (CsrRows::default(), sample);
        counts.expect(&mut all.iter().copied());
        for cells in all.chunks(AT_A_TIME) {
            rows.clear();
            counts.read(cells, &mut rows).map_err(scvi::model::TaskError::from)?;
            for (row, &cell) in cells.iter().enumerate() {
                let (at, values) = rows.row(row);
                summary.totals.push(values.iter().map(|&x| f64::from(x)).sum());
                summary.n_genes.push(values.len() as f64);
                if left.first() == Some(&cell) {
                    left = &left[1..];
                    for (gene, out) in genes.iter().zip(&mut summary.of_genes) {
                        out.push(at.binary_search(gene).map_or(0.0, |k| values[k]));
                    }
                }
            }
            tell(watch, summary.totals.len(), n_cells)?;
        }
        Ok(summary)
    }
}
