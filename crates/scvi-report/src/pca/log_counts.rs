//! Counts brought to the same size, in logarithms.

use scvi::data::CountSource;
use scvi::model::{TaskError, Watch, tell};
use scvi_kernels::CsrRows;

use crate::AnalysisError;

/// Cells that are read at a time.
const READ: usize = 1024;

/// ln(1 + x·target/Σx), sparse: `(cells, genes)`.
pub(super) struct LogCounts {
    pub(super) n_genes: usize,
    indptr: Vec<usize>,
    genes: Vec<u32>,
    values: Vec<f32>,
}

impl LogCounts {
    pub(super) fn read(
        counts: &dyn CountSource,
        cells: &[u32],
        chosen: Option<&[u32]>,
        target: f64,
        watch: &mut Watch,
    ) -> Result<Self, AnalysisError> {
        check("cell", cells, counts.n_cells())?;
        let places = match chosen {
            None => (0..counts.n_genes() as u32).map(Some).collect(),
            Some(genes) => places(genes, counts.n_genes())?,
        };
        let n_genes = chosen.map_or(counts.n_genes(), <[u32]>::len);
        let mut out = Self { n_genes, indptr: vec![0], genes: Vec::new(), values: Vec::new() };
        counts.expect(&mut cells.iter().copied());
        let mut rows = CsrRows::default();
        for (block, some) in cells.chunks(READ).enumerate() {
            rows.clear();
            counts.read(some, &mut rows).map_err(TaskError::from)?;
            (0..some.len()).for_each(|row| out.push(rows.row(row), &places, target));
            tell(watch, block * READ + some.len(), cells.len())?;
        }
        Ok(out)
    }

    fn push(&mut self, (genes, counts): (&[u32], &[f32]), places: &[Option<u32>], target: f64) {
        let total: f64 = counts.iter().map(|&x| f64::from(x)).sum();
        // An empty cell has no counts to scale.
        for (&gene, &x) in genes.iter().zip(counts) {
            if let Some(place) = places[gene as usize] {
                self.genes.push(place);
                self.values.push((f64::from(x) / total * target).ln_1p() as f32);
            }
        }
        self.indptr.push(self.values.len());
    }

    pub(super) fn n_cells(&self) -> usize {
        self.indptr.len() - 1
    }

    /// Gene and value of what is not zero in a cell.
    pub(super) fn row(&self, cell: usize) -> impl Iterator<Item = (usize, f64)> {
        let row = self.indptr[cell]..self.indptr[cell + 1];
        let genes = self.genes[row.clone()].iter().map(|&gene| gene as usize);
        genes.zip(self.values[row].iter().map(|&value| f64::from(value)))
    }
}

fn check(what: &'static str, numbers: &[u32], n: usize) -> Result<(), AnalysisError> {
    match numbers.iter().find(|&&number| number as usize >= n) {
        None => Ok(()),
        Some(number) => Err(AnalysisError::Option {
            name: what,
            value: number.to_string(),
            expected: "a number below their count",
        }),
    }
}

/// Column of each gene, if it has one.
fn places(chosen: &[u32], n_genes: usize) -> Result<Vec<Option<u32>>, AnalysisError> {
    check("gene", chosen, n_genes)?;
    let mut places = vec![None; n_genes];
    for (column, &gene) in (0..).zip(chosen) {
        if places[gene as usize].replace(column).is_some() {
            return Err(AnalysisError::Option {
                name: "gene",
                value: gene.to_string(),
                expected: "each gene once",
            });
        }
    }
    Ok(places)
}
