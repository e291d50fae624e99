//! Numbers of quality control of each cell.

use crate::data::CsrMatrix;

/// Prefixes of the names of mitochondrial genes, of man and of mouse.
pub const MITO_PREFIXES: [&str; 2] = ["MT-", "mt-"];

/// Which genes are mitochondrial by their names; `prefix` is that of their names, or one of
/// [`MITO_PREFIXES`].
///
/// ```
/// use scvi::preprocess::mitochondrial;
///
/// let genes = ["MT-CO1", "ACTB", "MTOR"].map(str::to_owned);
/// assert_eq!(mitochondrial(&genes, None), [true, false, false]);
/// ```
pub fn mitochondrial(genes: &[String], prefix: Option<&str>) -> Vec<bool> {
    let is_mito = |gene: &String| match prefix {
        Some(prefix) => gene.starts_with(prefix),
        None => MITO_PREFIXES.iter().any(|prefix| gene.starts_with(prefix)),
    };
    genes.iter().map(is_mito).collect()
}

/// What `scanpy.pp.calculate_qc_metrics` computes of cells, of counts that come block by block.
///
/// Percentages of a cell without counts are NaN, as there.
///
/// Source: scanpy 1.11, `preprocessing/_qc.py`, `describe_obs`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QcMetrics {
    /// Genes with a count above zero.
    pub n_genes_by_counts: Vec<u32>,
    /// Σ_g x
    pub total_counts: Vec<f64>,
    /// Σ_g x of the mitochondrial genes.
    pub total_counts_mt: Vec<f64>,
    /// Of each size: 100 times the share of the total in so many genes with most counts.
    pub pct_counts_in_top_genes: Vec<(usize, Vec<f64>)>,
    is_mito: Vec<bool>,
}

impl QcMetrics {
    /// Of no cell yet. `top` are the sizes of [`pct_counts_in_top_genes`](Self::pct_counts_in_top_genes).
    pub fn new(is_mito: Vec<bool>, top: &[usize]) -> Self {
        let pct_counts_in_top_genes = top.iter().map(|&n| (n, Vec::new())).collect();
        Self { pct_counts_in_top_genes, is_mito, ..Self::default() }
    }

    /// Takes the cells that follow.
    pub fn add(&mut self, counts: &CsrMatrix) {
        let mut sorted = Vec::new();
        for cell in 0..counts.n_cells() {
            let (genes, values) = counts.row(cell);
            let total = sum(values.iter());
            let of_mito =
                genes.iter().zip(values).filter(|(gene, _)| self.is_mito[**gene as usize]);
            self.n_genes_by_counts.push(values.iter().filter(|&&x| x > 0.0).count() as u32);
            self.total_counts.push(total);
            self.total_counts_mt.push(sum(of_mito.map(|(_, x)| x)));
            sorted.clear();
            if !self.pct_counts_in_top_genes.is_empty() {
                sorted.extend_from_slice(values);
                sorted.sort_unstable_by(|a, b| b.total_cmp(a));
            }
            for (n, pct) in &mut self.pct_counts_in_top_genes {
                pct.push(100.0 * sum(sorted.iter().take(*n)) / total);
            }
        }
    }

    /// Number of cells that came.
    pub fn n_cells(&self) -> usize {
        self.total_counts.len()
    }

    /// 100 times the share of the mitochondrial genes in each cell's total.
    pub fn pct_counts_mt(&self) -> impl Iterator<Item = f64> {
        self.total_counts_mt.iter().zip(&self.total_counts).map(|(mt, total)| 100.0 * mt / total)
    }
}

/// From 0 on: the sum of no floats is -0 otherwise.
fn sum<'a>(values: impl Iterator<Item = &'a f32>) -> f64 {
    values.fold(0.0, |sum, &x| sum + f64::from(x))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_each_cell() {
        let indptr = vec![0, 3, 3, 5];
        let counts =
            CsrMatrix::new(4, indptr, vec![0, 1, 3, 0, 2], vec![5.0, 3.0, 2.0, 1.0, 1.0]).unwrap();
        let genes = ["mt-a", "b", "c", "MT-d"].map(str::to_owned);
        let mut metrics = QcMetrics::new(mitochondrial(&genes, None), &[1, 2]);
        metrics.add(&counts.select_cells(&[0]));
        metrics.add(&counts.select_cells(&[1, 2]));
        assert_eq!(metrics.n_cells(), 3);
        assert_eq!(metrics.n_genes_by_counts, [3, 0, 2]);
        assert_eq!(metrics.total_counts, [10.0, 0.0, 2.0]);
        assert_eq!(metrics.total_counts_mt, [7.0, 0.0, 1.0]);
        let pct: Vec<f64> = metrics.pct_counts_mt().collect();
        assert!(pct[0] == 70.0 && pct[1].is_nan() && pct[2] == 50.0, "{pct:?}");
        let top = &metrics.pct_counts_in_top_genes;
        assert_eq!((top[0].1[0], top[1].1[0], top[1].1[2]), (50.0, 80.0, 100.0));
        assert!(top[0].1[1].is_nan());
        assert_eq!(mitochondrial(&genes, Some("b")), [false, true, false, false]);
    }
}
