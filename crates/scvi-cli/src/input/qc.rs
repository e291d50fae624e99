//! Numbers of quality control of a file's cells.

use scvi::preprocess::{QcMetrics, mitochondrial};
use scvi_io::anndata::AnnDataFile;

use super::cell_selection::no_mito_genes;
use super::matrix::Matrix;
use crate::args::QcArgs;
use crate::error::CliError;

/// scanpy's sizes of the sets of genes with most counts.
const TOP: [usize; 4] = [50, 100, 200, 500];

/// What `scvi qc` finds out, with the names of all cells.
pub struct QcTable {
    pub cells: Vec<String>,
    /// Key and values of the column that tells several inputs apart.
    pub label: Option<(String, Vec<String>)>,
    pub metrics: QcMetrics,
    /// Mitochondrial genes.
    pub n_mito: usize,
    pub n_genes: usize,
}

/// Looks at all counts of a file.
pub fn qc_table(args: &QcArgs) -> Result<QcTable, CliError> {
    let path = &args.input;
    let file = AnnDataFile::open(path)?;
    let matrix = Matrix::for_training(&file, path, &args.reading)?;
    matrix.check_first(&args.reading)?;
    let is_mito = mitochondrial(&matrix.genes, args.mito_prefix.as_deref());
    let n_mito = is_mito.iter().filter(|&&is| is).count();
    if args.mito_prefix.is_some() && n_mito == 0 {
        return Err(no_mito_genes(&matrix, args.mito_prefix.as_deref()));
    }
    let n_genes = matrix.genes.len();
    // Of fewer genes there are no such sets.
    let top: Vec<usize> = TOP.into_iter().filter(|&n| n <= n_genes).collect();
    let mut metrics = QcMetrics::new(is_mito, &top);
    matrix.each_block(&mut |counts| metrics.add(counts))?;
    let label = args.label.as_ref().map(|key| {
        let column = file.obs_column(key)?;
        let value = |cell| column.label(cell).unwrap_or_default();
        Ok::<_, CliError>((key.clone(), (0..column.len()).map(value).collect()))
    });
    let cells = file.obs_names().to_vec();
    Ok(QcTable { cells, label: label.transpose()?, metrics, n_mito, n_genes })
}
