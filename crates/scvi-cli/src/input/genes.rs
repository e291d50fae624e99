//! Genes of a file in the order of a model.

use std::path::Path;

use scvi::data::GeneOverlap;
use scvi_io::ModelMeta;

use super::matrix::Matrix;
use crate::args::Common;
use crate::error::CliError;
use crate::log::note;

/// The model's column for each gene of the file.
pub(super) fn overlap(
    path: &Path,
    found: &[String],
    expected: &[String],
) -> Result<GeneOverlap, CliError> {
    GeneOverlap::new(found, expected)
        .map_err(|error| CliError::RepeatedGene { path: path.display().to_string(), error })
}

/// The same, where the file must have all the model's genes and no others.
fn same_genes(path: &Path, found: &[String], expected: &[String]) -> Result<GeneOverlap, CliError> {
    let overlap = overlap(path, found, expected)?;
    match overlap.missing().first() {
        None => Ok(overlap),
        Some(&gene) => Err(CliError::GeneNames {
            path: path.display().to_string(),
            gene: expected[gene as usize].clone(),
            n_missing: overlap.missing().len(),
            n_genes: expected.len(),
        }),
    }
}

/// The genes of a matrix in the order of a model.
pub(super) fn genes_of_model(
    matrix: &Matrix,
    meta: &ModelMeta,
    common: &Common,
) -> Result<GeneOverlap, CliError> {
    let (found, expected) = (matrix.genes.len(), meta.var_names.len());
    // A model may have been trained on some of the genes.
    if found < expected {
        let path = matrix.path.display().to_string();
        return Err(CliError::GeneCount { path, matrix: matrix.key.to_string(), found, expected });
    }
    let genes = same_genes(matrix.path, &matrix.genes, &meta.var_names)?;
    if genes.n_extra() > 0 {
        let n = genes.n_extra();
        note(common, &format!("left out {n} genes of {} that the model does not know", matrix.key));
    }
    if !genes.is_identity() && !genes.places().iter().flatten().is_sorted() {
        note(common, "genes stand in another order than in the model; matched by name");
    }
    Ok(genes)
}
