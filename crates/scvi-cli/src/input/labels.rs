//! Labels of cells, one of which means that there is none.

use std::path::Path;

use scvi::data::CategoricalField;
use scvi_io::anndata::{AnnDataFile, Categorical};

use super::columns::Coded;
use crate::args::Common;
use crate::error::CliError;
use crate::log::note;

/// What names the cells that have no value.
const MISSING: &str = "nan";

/// The labels of a column for training; the last category is that of unlabelled cells.
///
/// Source: scvi-tools 1.4.2, `data/fields/_scanvi.py`, `LabelsWithUnlabeledObsField`.
pub(super) fn for_training(
    file: &AnnDataFile,
    path: &Path,
    key: &str,
    unlabeled: &str,
    common: &Common,
) -> Result<Coded, CliError> {
    let column = file.obs_column(key)?;
    let (n_missing, n_cells) = (column.missing().len(), column.len());
    if n_missing > 0 && !unlabeled.eq_ignore_ascii_case(MISSING) {
        let (path, key) = (path.display().to_string(), key.to_owned());
        return Err(CliError::MissingLabels { path, key, n_missing, n_cells });
    }
    let Categorical { codes, categories, kind, .. } = column.to_categorical();
    let mut field = CategoricalField { key: key.to_owned(), categories, kind };
    let known = field.code(unlabeled);
    let code = known.map_or(field.categories.len(), |code| code as usize);
    if known.is_none() {
        field.categories.push(unlabeled.to_owned());
        if n_missing > 0 && field.check().is_err() {
            // Beside numbers, for one, a missing value is no number.
            field.kind = Default::default();
        }
        if n_missing == 0 {
            let labels = scvi::listed(&field.categories[..code]);
            note(
                common,
                &format!(
                    "no cell has '{unlabeled}' in column '{key}': all cells are labelled ({labels})"
                ),
            );
        }
    }
    let last = field.categories.len() - 1;
    field.categories.swap(code, last);
    let moved = |found: usize| match found {
        found if found == code => last,
        found if found == last => code,
        found => found,
    };
    let codes = codes.into_iter().map(|found| moved(found.map_or(code, |f| f as usize)) as u32);
    let codes = codes.collect();
    field.check().map_err(|error| CliError::category(path, error))?;
    Ok(Coded { field, codes })
}

/// The labels of a query in the categories of a reference, the last of which is that of unlabelled
/// cells: those have it that have no value, or no column. Labels do not grow.
///
/// Source: scvi-tools 1.4.2, as above, `transfer_field` with `allow_missing_labels`.
pub(super) fn of_query(
    file: &AnnDataFile,
    path: &Path,
    labels: &CategoricalField,
    common: &Common,
) -> Result<Vec<u32>, CliError> {
    let unlabeled = labels.categories.len() as u32 - 1;
    let (key, name) = (&labels.key, &labels.categories[unlabeled as usize]);
    if !file.obs_columns().contains(key) {
        note(common, &format!("obs has no column '{key}': all cells count as '{name}'"));
        return Ok(vec![unlabeled; file.n_obs()]);
    }
    let column = file.obs_column(key)?;
    let n_missing = column.missing().len();
    let Categorical { codes, categories, kind, .. } = column.to_categorical();
    let found = CategoricalField { key: key.clone(), categories, kind };
    if n_missing > 0 {
        note(
            common,
            &format!("{n_missing} cells without a value in column '{key}' count as '{name}'"),
        );
    }
    let present: Vec<u32> = codes.iter().flatten().copied().collect();
    let known = labels.transfer(&found, &present);
    let mut known = known.map_err(|error| CliError::category(path, error))?.into_iter();
    let code = |found: Option<u32>| found.and_then(|_| known.next()).unwrap_or(unlabeled);
    Ok(codes.into_iter().map(code).collect())
}
