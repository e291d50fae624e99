//! Columns of obs and genes that cells are colored by.

use scvi_io::anndata::{AnnDataFile, Categorical, Column};
use scvi_report::charts::Marks;
use scvi_report::report::{ObsColumn, Role};

use super::Subject;
use crate::args::Common;
use crate::error::CliError;
use crate::input::Prepared;
use crate::log::note;

/// More categories than that no legend can tell apart.
const MOST_CATEGORIES: usize = 200;

/// What cells are colored by.
pub struct Colors {
    pub columns: Vec<ObsColumn>,
    /// Numbers of genes.
    pub genes: Vec<u32>,
}

/// Finds what was asked for: labels first, then what the model reads, then the rest.
pub fn colors(subject: &Subject, common: &Common) -> Result<Colors, CliError> {
    let Subject { prepared, .. } = subject;
    let file = AnnDataFile::open(&prepared.path)?;
    let registry = &prepared.registry;
    let mut colors = Colors { columns: Vec::new(), genes: Vec::new() };
    for key in subject.labels {
        let column = file.obs_column(key)?;
        let (names, codes) = categories(&column.to_categorical(), prepared);
        if names.len() > MOST_CATEGORIES {
            return Err(too_many(prepared, key, names.len()));
        }
        colors.add(key, Role::Labels, Marks::Categories { names, codes });
    }
    if let Some(field) = &registry.batch {
        let codes = prepared.columns.batch.iter().map(|&code| Some(code)).collect();
        let names = field.categories.clone();
        colors.add(&field.key, Role::Batch, Marks::Categories { names, codes });
    }
    for (field, codes) in registry.categorical_covariates.iter().zip(&prepared.columns.categories) {
        let codes = codes.iter().map(|&code| Some(code)).collect();
        let names = field.categories.clone();
        colors.add(&field.key, Role::Covariate, Marks::Categories { names, codes });
    }
    for (key, values) in registry.continuous_covariates.iter().zip(&prepared.columns.continuous) {
        colors.add(key, Role::Covariate, Marks::Numbers(values.clone()));
    }
    for name in subject.color_by {
        let gene = gene(name, prepared)?;
        if file.obs_columns().contains(name) {
            if gene.is_some() {
                note(
                    common,
                    &format!("'{name}' is a column of obs and a gene; the column is shown"),
                );
            }
            let column = file.obs_column(name)?;
            colors.add(name, Role::Color, marks(name, &column, prepared)?);
        } else if let Some(gene) = gene {
            if !colors.genes.contains(&gene) {
                colors.genes.push(gene);
            }
        } else {
            let known = file.obs_columns().to_vec();
            let path = prepared.path.display().to_string();
            return Err(CliError::UnknownColor { path, name: name.clone(), known });
        }
    }
    Ok(colors)
}

impl Colors {
    /// Adds a column, unless it is there.
    fn add(&mut self, key: &str, role: Role, marks: Marks) {
        if !self.columns.iter().any(|column| column.key == key) {
            self.columns.push(ObsColumn { key: key.to_owned(), role, marks });
        }
    }
}

/// The gene of a name, if there is one.
fn gene(name: &str, prepared: &Prepared) -> Result<Option<u32>, CliError> {
    let places: Vec<usize> =
        (0..prepared.var_names.len()).filter(|&k| prepared.var_names[k] == name).collect();
    match places[..] {
        [] => Ok(None),
        [gene] => Ok(Some(gene as u32)),
        _ => Err(CliError::RepeatedColor { name: name.to_owned(), columns: places }),
    }
}

fn marks(key: &str, column: &Column, prepared: &Prepared) -> Result<Marks, CliError> {
    let is_number = !matches!(column, Column::Bools(_));
    if let Some(values) = column.to_numbers().filter(|_| is_number) {
        return Ok(Marks::Numbers(prepared.rows().map(|row| values[row] as f32).collect()));
    }
    let (names, codes) = categories(&column.to_categorical(), prepared);
    match names.len() > MOST_CATEGORIES {
        true => Err(too_many(prepared, key, names.len())),
        false => Ok(Marks::Categories { names, codes }),
    }
}

/// Categories that cells in use have, and their codes.
fn categories(column: &Categorical, prepared: &Prepared) -> (Vec<String>, Vec<Option<u32>>) {
    let mut places = vec![None; column.categories.len()];
    let codes: Vec<Option<u32>> = prepared.rows().map(|row| column.codes[row]).collect();
    codes.iter().flatten().for_each(|&code| places[code as usize] = Some(0));
    let used = places.iter_mut().flatten();
    used.enumerate().for_each(|(k, place)| *place = k as u32);
    let kept = column.categories.iter().zip(&places).filter(|(_, place)| place.is_some());
    let names = kept.map(|(name, _)| name.clone()).collect();
    (names, codes.into_iter().map(|code| places[code? as usize]).collect())
}

fn too_many(prepared: &Prepared, key: &str, found: usize) -> CliError {
    CliError::ManyColors {
        path: prepared.path.display().to_string(),
        key: key.to_owned(),
        found,
        most: MOST_CATEGORIES,
    }
}
