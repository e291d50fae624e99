//! A query for a reference model: its genes by name, its new categories.

use std::collections::HashSet;
use std::path::Path;

use scvi::data::{CategoricalField, GeneOverlap, Registry};
use scvi_io::ModelMeta;
use scvi_io::anndata::{AnnDataFile, Column};

use super::cell_selection::CellSelection;
use super::columns::Columns;
use super::genes::overlap;
use super::labels;
use super::matrix::Matrix;
use super::read::{EmptyCells, How, read};
use super::{Prepared, require_counts, warn_of_repeated_names};
use crate::args::{Common, MapArgs};
use crate::error::CliError;
use crate::log::note;

/// Below this share of the reference's genes scvi-tools warns, and so do we.
const POOR_OVERLAP: f64 = 0.8;

/// Cells to be mapped.
pub struct Query {
    /// Counts in the reference's columns; categories are the reference's, then the new ones.
    pub prepared: Prepared,
    /// Which genes were found.
    pub overlap: GeneOverlap,
    /// New categories of each column that has any.
    pub new_categories: Vec<(String, Vec<String>)>,
}

/// Reads cells for `scvi map`.
pub fn for_query(
    path: &Path,
    meta: &ModelMeta,
    args: &MapArgs,
    common: &Common,
) -> Result<Query, CliError> {
    let file = AnnDataFile::open(path)?;
    require_counts(&file, path, "mapping")?;
    let matrix = Matrix::for_model(&file, path, &args.reading, &meta.registry.layer)?;
    warn_of_repeated_names("cell", file.obs_names(), common);
    let names = match &args.query.var_names_column {
        None => matrix.genes.to_vec(),
        Some(key) => named(&file.var_column_of(&matrix.key, key)?),
    };
    let overlap = overlap(path, &names, &meta.var_names)?;
    check_overlap(&matrix, &overlap, meta, args.query.min_overlap)?;
    let mut registry = Registry { layer: matrix.key.clone(), ..meta.registry.clone() };
    let batch_name = args.from.batch_name.first().map(String::as_str);
    let allow_many = args.query.allow_many_categories;
    let labels_grow = meta.scanvi.is_none();
    let grows = Growing { batch_name, labels_grow, allow_many };
    let new_categories = new_categories(&file, &mut registry, &grows)?;
    let needs_labels = meta.needs_labels();
    let mut columns = Columns::for_model(&file, path, &registry, batch_name, needs_labels)?;
    if let (Some(_), Some(field)) = (&meta.scanvi, &registry.labels) {
        columns.labels = labels::of_query(&file, path, field, common)?;
    }
    let genes = Some((&overlap, &meta.var_names[..]));
    let how = How {
        cells: CellSelection::new(&matrix, &args.cells, &args.reading)?,
        empty_cells: EmptyCells::from_option(&args.cells),
        reading: &args.reading,
        shuffling: Some(&args.shuffle),
        keep_dropped_cells: args.keep_dropped_cells,
    };
    let prepared = read(&matrix, registry, columns, genes, how, common)?;
    if overlap.share() < POOR_OVERLAP {
        note(
            common,
            &format!(
                "the query has {:.1} % of the reference's genes; the others count as zeros, and \
                 the result may be poor",
                100.0 * overlap.share()
            ),
        );
    }
    Ok(Query { prepared, overlap, new_categories })
}

/// The values of a column as names; a gene without one has none that anything could match.
fn named(column: &Column) -> Vec<String> {
    (0..column.len()).map(|gene| column.label(gene).unwrap_or_default()).collect()
}

fn check_overlap(
    matrix: &Matrix,
    overlap: &GeneOverlap,
    meta: &ModelMeta,
    min_overlap: f64,
) -> Result<(), CliError> {
    if !(0.0..=1.0).contains(&min_overlap) {
        let found = min_overlap.to_string();
        return Err(CliError::Option { option: "min_overlap", found, range: "0 to 1" });
    }
    let n_shared = overlap.n_shared();
    if n_shared > 0 && overlap.share() >= min_overlap {
        return Ok(());
    }
    let n_genes = n_shared + overlap.missing().len();
    let column = column_of_names(matrix, &meta.var_names, n_shared);
    let path = matrix.path.display().to_string();
    Err(CliError::Overlap { path, n_shared, n_genes, min_overlap, column })
}

/// The column of var that has the most of the reference's names, where it has more than `n_shared`.
fn column_of_names(matrix: &Matrix, var_names: &[String], n_shared: usize) -> Option<String> {
    let known: HashSet<&str> = var_names.iter().map(String::as_str).collect();
    let shared = |key: &String| {
        let names = named(&matrix.file.var_column_of(&matrix.key, key).ok()?);
        let found: HashSet<&str> = names.iter().map(String::as_str).collect();
        Some((found.intersection(&known).count(), key.clone()))
    };
    let columns = matrix.file.var_columns().iter();
    let most = columns.filter_map(shared).max_by_key(|(shared, _)| *shared);
    most.filter(|(shared, _)| *shared > n_shared).map(|(_, key)| key)
}

/// How the categories of a reference grow.
struct Growing<'a> {
    batch_name: Option<&'a str>,
    /// A classifier has no place for other labels.
    labels_grow: bool,
    allow_many: bool,
}

/// Adds the query's categories to those of the reference. Labels that no dispersion goes by may be
/// missing.
fn new_categories(
    file: &AnnDataFile,
    registry: &mut Registry,
    &Growing { batch_name, labels_grow, allow_many }: &Growing,
) -> Result<Vec<(String, Vec<String>)>, CliError> {
    let is_there = |labels: &&mut CategoricalField| file.obs_columns().contains(&labels.key);
    let labels = registry.labels.as_mut().filter(|_| labels_grow).filter(is_there);
    let batch = registry.batch.iter_mut().map(|field| (field, batch_name));
    let others = labels.into_iter().chain(&mut registry.categorical_covariates);
    let mut all = Vec::new();
    for (field, batch_name) in batch.chain(others.map(|field| (field, None))) {
        let new = super::columns::extend(file, field, batch_name, allow_many)?;
        if !new.is_empty() {
            all.push((field.key.clone(), new));
        }
    }
    Ok(all)
}
