//! Genes chosen by their counts, before these are read to train on.

use std::path::Path;

use scvi::data::{CsrMatrix, GeneOverlap};
use scvi::preprocess::{HighlyVariable, seurat_v3};
use scvi_io::anndata::{AnnDataFile, StoredCounts};

use super::columns::batches;
use super::matrix::Matrix;
use crate::args::{Flavor, GenesArgs};
use crate::error::CliError;

/// What `scvi genes` finds out, with the names of all genes.
pub struct GeneTable {
    pub names: Vec<String>,
    pub found: HighlyVariable,
}

/// Looks at all counts of a file, and chooses genes.
pub fn gene_table(args: &GenesArgs) -> Result<GeneTable, CliError> {
    let path = &args.input;
    let file = AnnDataFile::open(path)?;
    let matrix = Matrix::for_training(&file, path, &args.reading)?;
    matrix.check_first(&args.reading)?;
    let batches = batches(&file, args.batch_key.as_deref())?;
    let found = choose(&matrix, &batches, args.n_top_genes as usize, args.flavor)?;
    Ok(GeneTable { names: matrix.genes.to_vec(), found })
}

/// The most variable genes of a matrix, batch by batch; its counts are read twice and not held.
pub(super) fn choose(
    matrix: &Matrix<'_>,
    batches: &[u32],
    n_top_genes: usize,
    flavor: Flavor,
) -> Result<HighlyVariable, CliError> {
    let mut pass = |f: &mut dyn FnMut(usize, &CsrMatrix)| -> Result<(), CliError> {
        let mut first = 0;
        matrix.file.stored_counts(&matrix.key)?.for_each_block(
            StoredCounts::TURNED,
            &mut |counts| {
                f(first, counts);
                first += counts.n_cells();
                Ok(())
            },
        )?;
        Ok(())
    };
    let found = match flavor {
        Flavor::SeuratV3 => seurat_v3(matrix.genes.len(), batches, n_top_genes, &mut pass),
    };
    found.map_err(|error| matrix.explain(error))
}

/// Chosen genes as those of a model: their names, and where they stand in the file.
pub(super) fn as_overlap(
    path: &Path,
    genes: &[String],
    found: &HighlyVariable,
) -> Result<(Vec<String>, GeneOverlap), CliError> {
    let names: Vec<String> = found.chosen().into_iter().map(|gene| genes[gene].clone()).collect();
    let overlap = super::genes::overlap(path, genes, &names)?;
    Ok((names, overlap))
}
