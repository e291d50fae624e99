//! Columns of obs that a model reads beside the counts.

use std::path::Path;

use scvi::data::{CategoricalField, CategoryKind, MatrixKey, Registry};
use scvi::listed;
use scvi::preprocess::Batches;
use scvi_io::anndata::AnnDataFile;

use super::cell_selection::CellSelection;
use super::samples::LABEL as SAMPLE;
use crate::args::{Common, DataArgs};
use crate::error::CliError;
use crate::log::note;
use crate::report::number;

/// What obs says of each cell; lists are empty where no column was asked for.
#[derive(Default)]
pub struct Columns {
    pub batch: Vec<u32>,
    pub labels: Vec<u32>,
    /// One list a covariate.
    pub categories: Vec<Vec<u32>>,
    /// One list a covariate.
    pub continuous: Vec<Vec<f32>>,
    pub size_factor: Vec<f32>,
}

impl Columns {
    /// Reads the columns that the user named, and registers their categories; with an
    /// `unlabeled` category, that of the labels is their last.
    pub(super) fn for_training(
        file: &AnnDataFile,
        path: &Path,
        args: &DataArgs,
        layer: MatrixKey,
        batch_name: Option<&str>,
        unlabeled: Option<&str>,
        common: &Common,
    ) -> Result<(Self, Registry), CliError> {
        let coded = |key: &String| checked(categorical(file, key)?, file, args, common);
        let batch = match batch_name {
            None => args.batch_key.as_ref().map(coded).transpose()?,
            Some(name) => {
                let key = args.batch_key.as_deref().unwrap_or(SAMPLE);
                Some(one_batch(file, path, key, name, CategoryKind::Text)?)
            }
        };
        let labels = args.labels_key.as_ref().map(|key| match unlabeled {
            None => coded(key),
            Some(unlabeled) => labels(file, path, key, unlabeled, args, common),
        });
        let labels = labels.transpose()?;
        let keys = &args.categorical_covariate_key;
        let covariates = keys.iter().map(coded).collect::<Result<Vec<_>, _>>()?;
        let registry = Registry {
            layer,
            batch: batch.as_ref().map(|c| c.field.clone()),
            labels: labels.as_ref().map(|c| c.field.clone()),
            categorical_covariates: covariates.iter().map(|c| c.field.clone()).collect(),
            continuous_covariates: args.continuous_covariate_key.clone(),
            size_factor: args.size_factor_key.clone(),
        };
        let codes = |column: Option<Coded>| column.map_or(Vec::new(), |c| c.codes);
        let mut columns = Self {
            batch: batch.map_or_else(|| vec![0; file.n_obs()], |c| c.codes),
            labels: codes(labels),
            categories: covariates.into_iter().map(|c| c.codes).collect(),
            ..Self::default()
        };
        columns.read_numbers(file, path, &registry)?;
        Ok((columns, registry))
    }

    /// Reads the columns of an SCVI that a SCANVI begins with, in its categories, and labels.
    pub(super) fn for_labels(
        file: &AnnDataFile,
        path: &Path,
        scvi: &Registry,
        (key, unlabeled): (&str, &str),
        batch_name: Option<&str>,
        args: &DataArgs,
        common: &Common,
    ) -> Result<(Self, Registry), CliError> {
        let Coded { field, codes } = labels(file, path, key, unlabeled, args, common)?;
        let registry = Registry { labels: Some(field), ..scvi.clone() };
        let columns = Self::for_model(file, path, &registry, batch_name, false)?;
        Ok((Self { labels: codes, ..columns }, registry))
    }

    /// Reads the columns that a model knows, in its categories.
    pub(super) fn for_model(
        file: &AnnDataFile,
        path: &Path,
        registry: &Registry,
        batch_name: Option<&str>,
        needs_labels: bool,
    ) -> Result<Self, CliError> {
        let in_model = |field: &CategoricalField, found: Coded| {
            let codes = field.transfer(&found.field, &found.codes);
            codes.map_err(|error| CliError::category(path, error))
        };
        let coded = |field: &CategoricalField| in_model(field, categorical(file, &field.key)?);
        let labels = registry.labels.as_ref().filter(|_| needs_labels);
        let mut columns = Self {
            batch: match &registry.batch {
                None => vec![0; file.n_obs()],
                Some(field) => in_model(field, batch_of(file, path, field, batch_name)?)?,
            },
            labels: labels.map_or(Ok(Vec::new()), coded)?,
            categories: registry
                .categorical_covariates
                .iter()
                .map(coded)
                .collect::<Result<_, _>>()?,
            ..Self::default()
        };
        columns.read_numbers(file, path, registry)?;
        Ok(columns)
    }

    fn read_numbers(
        &mut self,
        file: &AnnDataFile,
        path: &Path,
        registry: &Registry,
    ) -> Result<(), CliError> {
        let keys = registry.continuous_covariates.iter();
        let continuous = keys.map(|key| numbers(file, path, key, Numbers::Finite));
        self.continuous = continuous.collect::<Result<_, _>>()?;
        let size_factor = registry.size_factor.as_ref();
        let size_factor = size_factor.map(|key| numbers(file, path, key, Numbers::Positive));
        self.size_factor = size_factor.transpose()?.unwrap_or_default();
        Ok(())
    }

    /// Leaves the given cells alone.
    pub(super) fn select(&mut self, cells: &[usize]) {
        let codes = [&mut self.batch, &mut self.labels];
        codes.into_iter().chain(&mut self.categories).for_each(|list| pick(list, cells));
        let numbers = self.continuous.iter_mut().chain([&mut self.size_factor]);
        numbers.for_each(|list| pick(list, cells));
    }
}

fn pick<T: Copy>(list: &mut Vec<T>, cells: &[usize]) {
    if !list.is_empty() {
        *list = cells.iter().map(|&cell| list[cell]).collect();
    }
}

/// Which numbers a column may have.
#[derive(Clone, Copy)]
enum Numbers {
    Finite,
    Positive,
}

impl Numbers {
    /// What a value should be, if it is not.
    fn expected(self, value: f32) -> Option<&'static str> {
        match self {
            _ if !value.is_finite() => Some("finite and below 3.4e38 in size"),
            Self::Positive if value <= 0.0 => Some("above 0"),
            Self::Finite | Self::Positive => None,
        }
    }
}

fn numbers(
    file: &AnnDataFile,
    path: &Path,
    key: &str,
    allowed: Numbers,
) -> Result<Vec<f32>, CliError> {
    let column = file.obs_column(key)?;
    file.require_complete(key, &column)?;
    let (path, key) = (path.display().to_string(), key.to_owned());
    let Some(numbers) = column.to_numbers() else {
        return Err(CliError::NotNumeric { path, key });
    };
    let values: Vec<f32> = numbers.iter().map(|&number| number as f32).collect();
    let wrong: Vec<(usize, &str)> = (0..)
        .zip(&values)
        .filter_map(|(cell, &value)| Some((cell, allowed.expected(value)?)))
        .collect();
    let Some(&(cell, expected)) = wrong.first() else { return Ok(values) };
    let (found, name) = (number(numbers[cell]), &file.obs_names()[cell]);
    let (n_wrong, n_cells) = (wrong.len(), values.len());
    let problem = format!(
        "must be {expected}; it is {found} for cell {name} ({n_wrong} of {n_cells} cells are wrong)"
    );
    Err(CliError::Numbers { path, key, problem })
}

/// A column with every cell's code.
pub(super) struct Coded {
    pub(super) field: CategoricalField,
    pub(super) codes: Vec<u32>,
}

/// A column for training, whose categories are not too many, nor too few of their cells.
fn checked(
    column: Coded,
    file: &AnnDataFile,
    args: &DataArgs,
    common: &Common,
) -> Result<Coded, CliError> {
    if !args.allow_many_categories {
        let checked = column.field.check_number(file.n_obs());
        checked.map_err(|error| CliError::category(&file.path(), error))?;
    }
    warn_of_small_categories(&column, common);
    Ok(column)
}

/// Labels for training, of which the last is that of unlabelled cells.
fn labels(
    file: &AnnDataFile,
    path: &Path,
    key: &str,
    unlabeled: &str,
    args: &DataArgs,
    common: &Common,
) -> Result<Coded, CliError> {
    checked(super::labels::for_training(file, path, key, unlabeled, common)?, file, args, common)
}

fn categorical(file: &AnnDataFile, key: &str) -> Result<Coded, CliError> {
    let (field, codes) = file.categories(key)?;
    field.check().map_err(|error| CliError::category(&file.path(), error))?;
    Ok(Coded { field, codes })
}

/// The batches of the cells in use, by a column of the file; none without a column.
pub(super) fn batches(
    file: &AnnDataFile,
    key: Option<&str>,
    cells: &CellSelection,
) -> Result<Batches, CliError> {
    let Some(key) = key else { return Ok(Batches::default()) };
    let Coded { field, codes } = categorical(file, key)?;
    Batches::new(&field, &cells.codes(&codes))
        .map_err(|error| CliError::category(&file.path(), error))
}

/// The batches of a file, or the only one, of a file without such a column.
fn batch_of(
    file: &AnnDataFile,
    path: &Path,
    field: &CategoricalField,
    batch_name: Option<&str>,
) -> Result<Coded, CliError> {
    match batch_name {
        None => categorical(file, &field.key),
        Some(name) => one_batch(file, path, &field.key, name, field.kind),
    }
}

/// All cells in one batch.
fn one_batch(
    file: &AnnDataFile,
    path: &Path,
    key: &str,
    name: &str,
    kind: CategoryKind,
) -> Result<Coded, CliError> {
    if file.obs_columns().iter().any(|known| known == key) {
        let (path, key) = (path.display().to_string(), key.to_owned());
        return Err(CliError::BatchNameBeside { path, key });
    }
    let field = CategoricalField { key: key.to_owned(), categories: vec![name.to_owned()], kind };
    Ok(Coded { field, codes: vec![0; file.n_obs()] })
}

/// Adds the categories that occur in the file to those of a field, and gives the new ones back.
pub(super) fn extend(
    file: &AnnDataFile,
    field: &mut CategoricalField,
    batch_name: Option<&str>,
    allow_many: bool,
) -> Result<Vec<String>, CliError> {
    let found = batch_of(file, &file.path(), field, batch_name)?;
    let n_known = field.categories.len();
    let extended = field.extend(&found.field, &found.codes).and_then(|new| {
        if !allow_many {
            field.check_number_from(n_known, file.n_obs())?;
        }
        Ok(new)
    });
    extended.map_err(|error| CliError::category(&file.path(), error))
}

fn warn_of_small_categories(column: &Coded, common: &Common) {
    let mut cells = vec![0usize; column.field.categories.len()];
    for &code in &column.codes {
        cells[code as usize] += 1;
    }
    let few = |max: usize, min: usize| {
        let named = cells.iter().zip(&column.field.categories);
        let few = named.filter(|(n, _)| (min..=max).contains(*n)).map(|(_, c)| c);
        few.collect::<Vec<_>>()
    };
    let (rare, unused) = (few(2, 1), few(0, 0));
    let key = &column.field.key;
    if !rare.is_empty() {
        let rare = listed(rare);
        note(common, &format!("categories of '{key}' with fewer than 3 cells: {rare}"));
    }
    if !unused.is_empty() {
        let unused = listed(unused);
        note(common, &format!("unused categories of '{key}' count as categories: {unused}"));
    }
}
