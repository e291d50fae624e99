//! Genes of a file in the order of a model.

use std::collections::HashMap;
use std::path::Path;

use crate::error::CliError;

/// Column of the model for each gene of the file; `None` where they agree already.
pub(super) fn gene_places(
    path: &Path,
    found: &[String],
    expected: &[String],
) -> Result<Option<Vec<u32>>, CliError> {
    if found == expected {
        return Ok(None);
    }
    let at: HashMap<&str, usize> =
        found.iter().enumerate().map(|(i, name)| (name.as_str(), i)).collect();
    let missing: Vec<&String> =
        expected.iter().filter(|name| !at.contains_key(name.as_str())).collect();
    // Equal numbers and no gene missing, yet not one to one: names are doubled.
    if let Some(gene) = missing.first().copied().or((at.len() < found.len()).then(|| &expected[0]))
    {
        return Err(CliError::GeneNames {
            path: path.display().to_string(),
            gene: gene.clone(),
            n_missing: missing.len(),
            n_genes: expected.len(),
        });
    }
    let mut place = vec![0; found.len()];
    for (column, name) in expected.iter().enumerate() {
        place[at[name.as_str()]] = column as u32;
    }
    Ok(Some(place))
}
