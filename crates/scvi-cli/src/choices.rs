//! Genes and batches that the user names, as numbers of the model.

use std::path::Path;

use scvi::data::{Found, NameIndex, Registry};
use scvi_io::ModelMeta;
use scvi_io::text::{ListLine, read_list, visible};

use crate::error::CliError;

/// What is decoded of every cell: genes, with their names, and the batches to decode as.
pub struct Choices {
    pub genes: Vec<u32>,
    pub names: Vec<String>,
    pub transform_batch: Vec<u32>,
}

impl Choices {
    /// The listed genes, or all of the model's in its order.
    pub fn new(
        listed: Option<&Path>,
        transform_batch: &[String],
        meta: &ModelMeta,
    ) -> Result<Self, CliError> {
        let transform_batch = batches(transform_batch, &meta.registry)?;
        let genes = match listed {
            Some(path) => gene_list(path, &meta.var_names)?,
            None => (0..meta.var_names.len() as u32).collect(),
        };
        let names = genes.iter().map(|&gene| meta.var_names[gene as usize].clone()).collect();
        Ok(Self { genes, names, transform_batch })
    }
}

/// Numbers of the genes in a list, one name a line, in its order.
pub fn gene_list(path: &Path, var_names: &[String]) -> Result<Vec<u32>, CliError> {
    let shown = || path.display().to_string();
    let listed = read_list(path)?;
    let (known, mut numbers, mut unknown) = (NameIndex::new(var_names), Vec::new(), Vec::new());
    for ListLine { number: line, text } in &listed {
        match known.find(text) {
            Found::Once(gene) => numbers.push(gene as u32),
            Found::Nowhere => unknown.push(visible(text)),
            Found::Repeated(columns) => {
                let (path, line, gene) = (shown(), *line, text.clone());
                let columns = columns.to_vec();
                return Err(CliError::RepeatedGeneListed { path, line, gene, columns });
            }
        }
    }
    if !unknown.is_empty() {
        let (n_unknown, n_genes) = (unknown.len(), listed.len());
        let unknown = scvi::listed(unknown);
        return Err(CliError::UnknownGenes { path: shown(), n_unknown, n_genes, unknown });
    }
    if numbers.is_empty() {
        return Err(CliError::NoGenesListed { path: shown() });
    }
    Ok(numbers)
}

/// Numbers of the batches that are named.
pub fn batches(names: &[String], registry: &Registry) -> Result<Vec<u32>, CliError> {
    let known = registry.batch.as_ref();
    let number = |name: &String| {
        known.and_then(|field| field.code(name)).ok_or_else(|| CliError::UnknownBatch {
            found: name.clone(),
            known: known.map_or("none".to_owned(), |field| scvi::listed(&field.categories)),
        })
    };
    names.iter().map(number).collect()
}
