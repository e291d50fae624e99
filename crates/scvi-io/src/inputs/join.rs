//! Samples joined to one AnnData.

use std::collections::HashMap;
use std::path::Path;

use scvi::data::CategoryKind;

use super::columns::join_columns;
use super::error::InputError;
use super::genes::{AlignedGenes, Join, align};
use super::sample::{Sample, Stopped};
use crate::anndata::{Categorical, Column};
use crate::h5ad::{CsrRows, NewAnnData, SparseMatrix};

/// A sample with what tells it from the others.
pub struct NamedSample {
    /// Its name, which its cells' names end in.
    pub name: String,
    /// The sample.
    pub sample: Sample,
    /// Further columns of obs: key, and the value of all its cells.
    pub columns: Vec<(String, String)>,
}

/// How samples are joined.
#[derive(Debug, Clone, Default)]
pub struct JoinOptions {
    /// Which genes the result has.
    pub join: Join,
    /// The column of obs that tells samples apart, where no sample has it; none for one sample.
    pub label: Option<String>,
}

/// What became of samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// Cells of each sample.
    pub cells: Vec<usize>,
    /// Genes.
    pub n_vars: usize,
    /// Genes of each sample that the result does not have.
    pub genes_left_out: Vec<usize>,
}

/// Writes samples as one `.h5ad` file, as `anndata.concat` joins them: genes by name, cells one
/// sample after another and named `CELL-NAME` where there are several.
///
/// Counts go through memory some cells at a time.
///
/// Source: anndata 0.12, `concat(adatas, join=, label=, keys=, index_unique="-")`.
///
/// # Errors
/// [`InputError`] where samples do not go together, cannot be read, or the file cannot be written.
pub fn write_joined(
    samples: Vec<NamedSample>,
    options: &JoinOptions,
    output: &Path,
    overwrite: bool,
) -> Result<Joined, InputError> {
    check_names(&samples)?;
    let (names, rest): (Vec<String>, Vec<_>) =
        samples.into_iter().map(|s| (s.name, (s.sample, s.columns))).unzip();
    let (mut samples, columns): (Vec<Sample>, Vec<_>) = rest.into_iter().unzip();
    let has_label = check_label(&samples, options.label.as_deref())?;
    let genes = align(&samples, options.join)?;
    let mut data = NewAnnData::new(
        SparseMatrix::empty(genes.names.len()),
        cell_names(&samples, &names),
        genes.names.clone(),
    );
    data.gzip_level = 0;
    data.var = genes.var.clone();
    data.obs = join_columns(&samples, options.join);
    add_columns(&mut data.obs, &samples, &columns);
    if let Some(label) = options.label.as_ref().filter(|_| !has_label) {
        set(&mut data.obs, label, per_sample(&samples, &names));
    }
    while let Err(stopped) = write(&samples, &genes, &data, output, overwrite) {
        match stopped {
            Stopped::Error(error) => return Err(error),
            Stopped::Unsorted => samples.iter_mut().try_for_each(Sample::load)?,
        }
    }
    let left_out = |columns: &Vec<Option<u32>>| columns.iter().filter(|c| c.is_none()).count();
    Ok(Joined {
        cells: samples.iter().map(Sample::n_obs).collect(),
        n_vars: genes.names.len(),
        genes_left_out: genes.columns.iter().map(left_out).collect(),
    })
}

fn write(
    samples: &[Sample],
    genes: &AlignedGenes,
    data: &NewAnnData<'_>,
    output: &Path,
    overwrite: bool,
) -> Result<(), Stopped> {
    let mut file = CsrRows::create(output, data, overwrite)?;
    for (sample, columns) in samples.iter().zip(&genes.columns) {
        sample.for_each_block(columns, genes.names.len(), &mut |counts| {
            file.append(0, counts.into())
        })?;
    }
    Ok(file.finish()?)
}

/// Two samples of one name would give two cells one name.
fn check_names(samples: &[NamedSample]) -> Result<(), InputError> {
    let mut known: HashMap<&str, &Path> = HashMap::new();
    for named in samples {
        if let Some(first) = known.insert(&named.name, named.sample.path()) {
            return Err(InputError::SameName {
                name: named.name.clone(),
                first: first.into(),
                second: named.sample.path().into(),
            });
        }
    }
    Ok(())
}

/// Whether the samples have the column that tells them apart: all of them, or none.
fn check_label(samples: &[Sample], label: Option<&str>) -> Result<bool, InputError> {
    let Some(label) = label else { return Ok(false) };
    let has = |sample: &&Sample| sample.obs.iter().any(|(key, _)| key == label);
    let (with, without) = (samples.iter().find(has), samples.iter().find(|s| !has(s)));
    match (with, without) {
        (Some(with), Some(without)) => Err(InputError::SomeHaveColumn {
            key: label.to_owned(),
            with: with.path.clone(),
            without: without.path.clone(),
        }),
        (with, _) => Ok(with.is_some()),
    }
}

fn cell_names(samples: &[Sample], names: &[String]) -> Vec<String> {
    if let [only] = samples {
        return only.obs_names.clone();
    }
    let of = |(sample, name): (&Sample, &String)| -> Vec<String> {
        sample.obs_names.iter().map(|cell| format!("{cell}-{name}")).collect()
    };
    samples.iter().zip(names).flat_map(of).collect()
}

/// A category a sample, in the order of the samples.
fn per_sample(samples: &[Sample], values: &[String]) -> Column {
    let mut categories: Vec<String> = Vec::new();
    let mut codes = Vec::new();
    for (sample, value) in samples.iter().zip(values) {
        let code = categories.iter().position(|known| known == value).unwrap_or_else(|| {
            categories.push(value.clone());
            categories.len() - 1
        });
        codes.extend(std::iter::repeat_n(Some(code as u32), sample.n_obs()));
    }
    Column::Categorical(Categorical { codes, categories, kind: CategoryKind::Text, ordered: false })
}

/// Adds the further columns, which a list of samples gives to all of them.
fn add_columns(
    obs: &mut Vec<(String, Column)>,
    samples: &[Sample],
    columns: &[Vec<(String, String)>],
) {
    let Some(keys) = columns.first() else { return };
    for (k, (key, _)) in keys.iter().enumerate() {
        let values: Vec<String> = columns.iter().map(|of| of[k].1.clone()).collect();
        let numbers: Option<Vec<f64>> = values.iter().map(|v| v.parse().ok()).collect();
        let column = match numbers {
            None => per_sample(samples, &values),
            Some(numbers) => {
                let of = |(sample, number): (&Sample, f64)| vec![number; sample.n_obs()];
                Column::Floats(samples.iter().zip(numbers).flat_map(of).collect())
            }
        };
        set(obs, key, column);
    }
}

/// Replaces a column, or adds it.
fn set(obs: &mut Vec<(String, Column)>, key: &str, column: Column) {
    match obs.iter_mut().find(|(known, _)| known == key) {
        Some((_, known)) => *known = column,
        None => obs.push((key.to_owned(), column)),
    }
}
