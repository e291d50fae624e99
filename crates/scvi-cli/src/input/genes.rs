//! Genes of a file in the order of a model.

use std::path::Path;

use scvi::data::GeneOverlap;

use crate::error::CliError;

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
pub(super) fn same_genes(
    path: &Path,
    found: &[String],
    expected: &[String],
) -> Result<GeneOverlap, CliError> {
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
