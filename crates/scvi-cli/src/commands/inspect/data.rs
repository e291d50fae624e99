//! What an AnnData holds: its matrices, and how many cells each category has.

use std::path::Path;

use scvi::data::MatrixKey;
use scvi::listed;
use scvi_io::IoError;
use scvi_io::anndata::{AnnDataFile, Categorical, Column, MatrixSummary, ValueKind};
use serde_json::{Value, json};

use crate::args::Common;
use crate::error::CliError;
use crate::options::quoted;
use crate::report::{Report, aligned};

/// What is shown of a file.
pub(super) fn report(path: &Path, common: &Common) -> Result<Report, CliError> {
    let file = AnnDataFile::open(path)?;
    let summary = |key: &MatrixKey| file.stored_counts(key).and_then(|stored| stored.summary());
    let matrices: Vec<Matrix> = file
        .matrices()
        .into_iter()
        .map(|key| Matrix { option: file.spelling(&key), summary: summary(&key), key })
        .collect();
    let columns: Vec<Categories> =
        file.obs_columns().iter().filter_map(|key| categories(&file, key)).collect();
    let is_category = |key: &&String| columns.iter().any(|column| column.key == **key);
    let others: Vec<&String> = file.obs_columns().iter().filter(|key| !is_category(key)).collect();
    let mut report = Report::default();
    report.add("kind", file.kind()).add("cells", file.n_obs()).add("genes", file.n_vars());
    if common.json {
        report
            .add("matrices", matrices.iter().map(Matrix::json).collect::<Vec<_>>())
            .add("layers", file.layers().to_vec())
            .add("obs", file.obs_columns().to_vec())
            .add("categories", columns.iter().map(Categories::json).collect::<Vec<_>>())
            .add("obsm", file.obsm_keys().to_vec())
            .add("var_names", file.var_names().to_vec());
    } else {
        report
            .lines("matrices", aligned(&matrices.iter().map(Matrix::text).collect::<Vec<_>>()))
            .lines(
                "categories_(cells)",
                aligned(&columns.iter().map(Categories::text).collect::<Vec<_>>()),
            )
            .add("other columns", listed(others))
            .add("obsm", listed(file.obsm_keys()));
    }
    Ok(report)
}

/// A matrix, and what reads it.
struct Matrix {
    key: MatrixKey,
    /// The value of `--layer`.
    option: String,
    summary: Result<MatrixSummary, IoError>,
}

impl Matrix {
    /// Place, shape, type, form, and what the values are.
    fn text(&self) -> Vec<String> {
        let place = self.key.to_string();
        let summary = match &self.summary {
            Ok(summary) => summary,
            Err(error) => return vec![place, format!("cannot be read: {error}")],
        };
        let MatrixSummary { n_cells, n_genes, data_type, storage, n_values, n_seen, kind } =
            summary;
        let seen = match n_seen == n_values {
            true => format!("all {n_values} values"),
            false => format!("{n_seen} of {n_values} values"),
        };
        let verdict = match kind {
            ValueKind::Counts if self.key == MatrixKey::X => format!("counts ({seen})"),
            ValueKind::Counts => {
                format!("counts ({seen}): --layer {}", quoted(&self.option))
            }
            ValueKind::Zeros => format!("zeros ({seen})"),
            ValueKind::Other { value, cell, gene } => {
                format!("no counts: {} in cell '{cell}', gene '{gene}'", *value as f32)
            }
        };
        let shape = format!("{n_cells} cells x {n_genes} genes");
        vec![place, shape, data_type.clone(), storage.name().to_owned(), verdict]
    }

    fn json(&self) -> Value {
        let (place, option) = (self.key.to_string(), &self.option);
        let summary = match &self.summary {
            Ok(summary) => summary,
            Err(error) => {
                return json!({"place": place, "layer": option, "error": error.to_string()});
            }
        };
        let (kind, first) = match &summary.kind {
            ValueKind::Counts => ("counts", Value::Null),
            ValueKind::Zeros => ("zeros", Value::Null),
            ValueKind::Other { value, cell, gene } => {
                ("other", json!({"value": value, "cell": cell, "gene": gene}))
            }
        };
        json!({
            "place": place,
            "layer": option,
            "cells": summary.n_cells,
            "genes": summary.n_genes,
            "data_type": summary.data_type,
            "storage": summary.storage.name(),
            "values": summary.n_values,
            "values_seen": summary.n_seen,
            "holds": kind,
            "first_that_is_no_count": first,
        })
    }
}

/// A column of obs that tells cells apart by categories.
struct Categories {
    key: String,
    /// Names, in the order of the column, with their cells.
    cells: Vec<(String, usize)>,
    n_missing: usize,
    n_cells: usize,
}

/// A column with its categories; `None` of numbers, and of what cannot be read.
fn categories(file: &AnnDataFile, key: &str) -> Option<Categories> {
    let column = file.obs_column(key).ok()?;
    if !matches!(column, Column::Categorical(_) | Column::Strings(_) | Column::Bools(_)) {
        return None;
    }
    let Categorical { codes, categories, .. } = column.to_categorical();
    let mut cells = vec![0; categories.len()];
    codes.iter().flatten().for_each(|&code| cells[code as usize] += 1);
    Some(Categories {
        key: key.to_owned(),
        n_missing: codes.len() - cells.iter().sum::<usize>(),
        n_cells: codes.len(),
        cells: categories.into_iter().zip(cells).collect(),
    })
}

impl Categories {
    /// Whether there are too many for groups of cells: names of single cells, rather.
    fn are_names(&self) -> bool {
        2 * self.cells.len() > self.n_cells
    }

    /// Name, number of categories, and the first of them with their numbers of cells.
    fn text(&self) -> Vec<String> {
        let n = self.cells.len();
        let (number, mut shown) = match self.are_names() {
            true => (format!("{n} different values"), format!("of {} cells", self.n_cells)),
            false => (
                if n == 1 { "1 category".to_owned() } else { format!("{n} categories") },
                listed(self.cells.iter().map(|(name, n)| format!("{name} ({n})"))),
            ),
        };
        if self.n_missing > 0 {
            shown += &format!("; without a value ({})", self.n_missing);
        }
        vec![self.key.clone(), number, shown]
    }

    fn json(&self) -> Value {
        let cells = self.cells.iter().map(|(name, n)| json!({"name": name, "cells": n}));
        json!({
            "key": self.key,
            "n_categories": self.cells.len(),
            "n_missing": self.n_missing,
            "categories": cells.collect::<Vec<_>>(),
        })
    }
}
