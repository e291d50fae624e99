//! Genes and batches that the user names, as numbers of the model.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use scvi::data::Registry;
use scvi_io::IoError;

use crate::error::CliError;

/// Numbers of the genes in a list, one name a line, in its order.
pub fn gene_list(path: &Path, var_names: &[String]) -> Result<Vec<u32>, CliError> {
    let shown = || path.display().to_string();
    let text = fs::read_to_string(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => IoError::NotFound { path: path.to_owned() },
        _ => IoError::Os { action: "read", path: path.to_owned(), source },
    })?;
    let listed: Vec<&str> = text.lines().map(str::trim).filter(|name| !name.is_empty()).collect();
    let numbers: HashMap<&str, u32> =
        var_names.iter().zip(0..).map(|(name, number)| (name.as_str(), number)).collect();
    let unknown: Vec<&str> =
        listed.iter().copied().filter(|name| !numbers.contains_key(name)).collect();
    if !unknown.is_empty() {
        let first = unknown[..unknown.len().min(10)].join(", ");
        let (n_unknown, n_genes) = (unknown.len(), listed.len());
        return Err(CliError::UnknownGenes { path: shown(), n_unknown, n_genes, first });
    }
    if listed.is_empty() {
        return Err(CliError::NoGenesListed { path: shown() });
    }
    Ok(listed.iter().map(|name| numbers[name]).collect())
}

/// Numbers of the batches that are named.
pub fn batches(names: &[String], registry: &Registry) -> Result<Vec<u32>, CliError> {
    let known = registry.batch.as_ref();
    let number = |name: &String| {
        known.and_then(|field| field.code(name)).ok_or_else(|| CliError::UnknownBatch {
            found: name.clone(),
            known: known.map_or("none".to_owned(), |field| field.categories.join(", ")),
        })
    };
    names.iter().map(number).collect()
}
