//! From an .h5ad file to what the engine trains on or evaluates.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use scvi::data::{CategoricalField, CsrMatrix, Dataset, Registry};
use scvi_io::h5ad::{Categorical, CountsKey, H5ad};
use scvi_io::{IoError, ModelMeta};

use crate::args::Common;
use crate::error::CliError;

/// Counts and batch codes of the cells in use.
pub struct Prepared {
    pub path: PathBuf,
    pub counts: CsrMatrix,
    pub batch: Vec<u32>,
    pub registry: Registry,
    pub var_names: Vec<String>,
    /// Names of all cells of the file.
    pub obs_names: Vec<String>,
    /// Rows of the file that are in use, where cells were left out.
    kept: Option<Vec<usize>>,
}

impl Prepared {
    /// Counts with their covariates.
    pub fn dataset(&self) -> Result<Dataset<'_>, CliError> {
        Ok(Dataset::new(&self.counts, self.batch.clone())?)
    }

    /// Names of the cells in use.
    pub fn kept_names(&self) -> Vec<String> {
        match &self.kept {
            None => self.obs_names.clone(),
            Some(kept) => kept.iter().map(|&row| self.obs_names[row].clone()).collect(),
        }
    }

    /// Rows of the cells in use as rows of the file; NaN for cells that were left out.
    pub fn all_rows(&self, values: Vec<f32>) -> Vec<f32> {
        let Some(kept) = &self.kept else { return values };
        let columns = values.len() / kept.len().max(1);
        let mut all = vec![f32::NAN; self.obs_names.len() * columns];
        for (&row, values) in kept.iter().zip(values.chunks_exact(columns)) {
            all[row * columns..][..columns].copy_from_slice(values);
        }
        all
    }

    /// Takes counts that were made, not read.
    pub fn simulated(path: PathBuf, sim: &scvi::data::simulate::Simulated, names: Names) -> Self {
        let batches = sim.batch.iter().max().map_or(0, |&b| b + 1);
        let categories = (0..batches).map(|b| format!("batch_{b}")).collect();
        let batch = Some(CategoricalField { key: "batch".to_owned(), categories });
        Self {
            path,
            counts: sim.counts.clone(),
            batch: sim.batch.clone(),
            registry: Registry { layer: None, batch, labels: None },
            var_names: names.genes,
            obs_names: names.cells,
            kept: None,
        }
    }
}

/// Names of simulated cells and genes.
pub struct Names {
    pub cells: Vec<String>,
    pub genes: Vec<String>,
}

/// Reads what `scvi train` learns from.
pub fn for_training(
    path: &Path,
    args: &crate::args::DataArgs,
    common: &Common,
) -> Result<Prepared, CliError> {
    let file = H5ad::open(path)?;
    if file.n_vars() == 0 {
        return Err(CliError::NoGenes { path: path.display().to_string() });
    }
    // Columns before counts: a misspelt key should not wait for a large matrix.
    let batch = args.batch_key.as_deref().map(|k| categorical(&file, k)).transpose()?;
    let labels = args.labels_key.as_deref().map(|k| categorical(&file, k)).transpose()?;
    for field in batch.iter().chain(&labels) {
        warn_of_small_categories(field, common);
    }
    let n_cells = file.n_obs();
    let codes = batch.as_ref().map_or_else(|| vec![0; n_cells], |f| f.codes.clone());
    let registry = Registry {
        layer: args.layer.clone(),
        batch: batch.map(|f| f.field),
        labels: labels.map(|f| f.field),
    };
    let prepared = read(&file, path, registry, codes, args.drop_empty_cells, common)?;
    let n_cells = prepared.counts.n_cells();
    if n_cells < 2 {
        let after = if prepared.kept.is_some() { " with counts" } else { "" };
        return Err(CliError::TooFewCells { path: path.display().to_string(), n_cells, after });
    }
    Ok(prepared)
}

/// Reads cells for a trained model: its layer, its columns, its genes in its order.
pub fn for_model(
    path: &Path,
    meta: &ModelMeta,
    drop_empty_cells: bool,
    common: &Common,
) -> Result<Prepared, CliError> {
    let file = H5ad::open(path)?;
    let expected = meta.var_names.len();
    if file.n_vars() != expected {
        let path = path.display().to_string();
        return Err(CliError::GeneCount { path, found: file.n_vars(), expected });
    }
    let place = gene_places(path, file.var_names(), &meta.var_names)?;
    let codes = match &meta.registry.batch {
        None => vec![0; file.n_obs()],
        Some(field) => transfer(path, &categorical(&file, &field.key)?, field)?,
    };
    let registry = meta.registry.clone();
    let mut prepared = read(&file, path, registry, codes, drop_empty_cells, common)?;
    if let Some(place) = place {
        note(common, "genes stand in another order than in the model; matched by name");
        prepared.counts = prepared.counts.reorder_genes(&place);
        prepared.var_names.clone_from(&meta.var_names);
    }
    Ok(prepared)
}

/// A column with every cell's code.
struct Coded {
    field: CategoricalField,
    codes: Vec<u32>,
}

fn categorical(file: &H5ad, key: &str) -> Result<Coded, IoError> {
    let column = file.obs_column(key)?;
    file.require_complete(key, &column)?;
    let Categorical { codes, categories, .. } = column.to_categorical();
    let codes = codes.into_iter().map(|c| c.unwrap_or(0)).collect();
    Ok(Coded { field: CategoricalField { key: key.to_owned(), categories }, codes })
}

fn warn_of_small_categories(column: &Coded, common: &Common) {
    let mut cells = vec![0usize; column.field.categories.len()];
    for &code in &column.codes {
        cells[code as usize] += 1;
    }
    let few = |max: usize, min: usize| {
        let named = cells.iter().zip(&column.field.categories);
        let few = named.filter(|(n, _)| (min..=max).contains(*n)).map(|(_, c)| c.as_str());
        few.collect::<Vec<_>>().join(", ")
    };
    let (rare, unused) = (few(2, 1), few(0, 0));
    let key = &column.field.key;
    if !rare.is_empty() {
        note(common, &format!("categories of '{key}' with fewer than 3 cells: {rare}"));
    }
    if !unused.is_empty() {
        note(common, &format!("unused categories of '{key}' count as categories: {unused}"));
    }
}

/// Codes in the model's categories.
fn transfer(path: &Path, column: &Coded, known: &CategoricalField) -> Result<Vec<u32>, CliError> {
    let codes: Vec<Option<u32>> = column.field.categories.iter().map(|c| known.code(c)).collect();
    let mut unknown: Vec<&str> = Vec::new();
    let mut out = Vec::with_capacity(column.codes.len());
    for &code in &column.codes {
        match codes[code as usize] {
            Some(code) => out.push(code),
            None => {
                let name = column.field.categories[code as usize].as_str();
                if !unknown.contains(&name) {
                    unknown.push(name);
                }
            }
        }
    }
    if unknown.is_empty() {
        return Ok(out);
    }
    Err(CliError::UnknownCategories {
        path: path.display().to_string(),
        key: known.key.clone(),
        unknown: unknown.join(", "),
        known: known.categories.join(", "),
    })
}

/// Column of the model for each gene of the file; `None` where they agree already.
fn gene_places(
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

fn read(
    file: &H5ad,
    path: &Path,
    registry: Registry,
    mut batch: Vec<u32>,
    drop_empty_cells: bool,
    common: &Common,
) -> Result<Prepared, CliError> {
    let key = registry.layer.clone().map_or(CountsKey::X, CountsKey::Layer);
    let mut counts = file.counts(&key)?;
    if !counts.is_integral() {
        let place = key.place();
        note(
            common,
            &format!("{place} holds values that are not whole numbers; scVI models counts"),
        );
    }
    let empty = counts.empty_cells();
    let mut kept = None;
    if !empty.is_empty() {
        if !drop_empty_cells {
            let names: Vec<&str> =
                empty.iter().take(10).map(|&c| file.obs_names()[c].as_str()).collect();
            return Err(CliError::EmptyCells {
                path: path.display().to_string(),
                n_empty: empty.len(),
                n_cells: counts.n_cells(),
                first: names.join(", "),
            });
        }
        let rows: Vec<usize> =
            (0..counts.n_cells()).filter(|c| empty.binary_search(c).is_err()).collect();
        counts = counts.select_cells(&rows);
        batch = rows.iter().map(|&row| batch[row]).collect();
        note(common, &format!("left out {} cells without counts", empty.len()));
        kept = Some(rows);
    }
    Ok(Prepared {
        path: path.to_owned(),
        counts,
        batch,
        registry,
        var_names: file.var_names().to_vec(),
        obs_names: file.obs_names().to_vec(),
        kept,
    })
}

/// A line of advice on stderr.
pub fn note(common: &Common, text: &str) {
    if !common.quiet {
        eprintln!("warning: {text}");
    }
}
