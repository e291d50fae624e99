//! Inputs as they were typed, opened and joined.

use std::env;
use std::path::{Path, PathBuf};

use scvi::data::MatrixKey;
use scvi_io::anndata::AnnDataFile;
use scvi_io::inputs::{
    GeneNames, Input, InputError, Join, JoinOptions, Joined, NamedSample, Sample, SampleOptions,
    read_sample_sheet, sample_name, write_joined,
};
use scvi_io::{IoError, open_model};
use tempfile::TempDir;

use super::matrix::Matrix;
use crate::args::{Common, GeneNamesChoice, InputArgs, JoinChoice, ReadArgs};
use crate::error::CliError;
use crate::log::tell;

/// Inputs as they were typed.
pub(super) struct Typed<'a> {
    pub(super) inputs: &'a [PathBuf],
    pub(super) from: &'a InputArgs,
    pub(super) reading: &'a ReadArgs,
    /// The model that cells are read for, whose matrix they are read from.
    pub(super) model: Option<&'a Path>,
    /// The one of them that is read, where each is read by itself.
    pub(super) only: Option<usize>,
    /// An output: what is written meanwhile lies beside it.
    pub(super) beside: Option<&'a Path>,
}

/// An input with what is said about it.
pub(super) struct Named {
    pub(super) path: PathBuf,
    pub(super) name: Option<String>,
    columns: Vec<(String, String)>,
}

/// The batch of an AnnData that has no column for it.
fn batch_name(path: &Path, key: &str, named: &Named) -> Result<Option<String>, CliError> {
    let has_column = AnnDataFile::open(path)?.obs_columns().iter().any(|known| known == key);
    let name = || named.name.clone().unwrap_or_else(|| sample_name(&named.path));
    Ok((!has_column).then(name))
}

/// The one file.
pub(super) struct Opened {
    pub(super) path: PathBuf,
    /// The column that tells samples apart.
    pub(super) label: Option<String>,
    /// Its batch, where it was asked for and is no column of the file.
    pub(super) batch_name: Option<String>,
    /// Where it was written.
    pub(super) folder: Option<TempDir>,
}

impl Typed<'_> {
    /// `label` gives the column that tells samples apart; it is asked whether one is needed.
    pub(super) fn open(
        &self,
        common: &Common,
        label: impl FnOnce(bool) -> Result<Option<String>, CliError>,
    ) -> Result<Opened, CliError> {
        let mut named = self.named()?;
        if let Some(k) = self.only {
            named = vec![named.swap_remove(k)];
        }
        let options = self.options();
        if let [only] = &named[..]
            && only.columns.is_empty()
            && let Input::AnnData(path) = Input::open(&only.path, &options)?
        {
            let key = if self.only.is_some() { label(true)? } else { None };
            let batch_name = key.map(|key| batch_name(&path, &key, only)).transpose()?.flatten();
            return Ok(Opened { path, label: None, batch_name, folder: None });
        }
        let is_needed = named.len() > 1 || self.only.is_some() || !self.from.batch_name.is_empty();
        let label = label(is_needed)?.filter(|_| is_needed);
        let layer = match self.model {
            None => None,
            Some(path) => Some(open_model(path)?.meta.registry.layer),
        };
        let layer = layer.as_ref();
        let samples = named.into_iter().map(|named| self.sample(named, &options, layer, common));
        let samples = samples.collect::<Result<Vec<_>, _>>()?;
        let folder = self.folder()?;
        let name = match &samples[..] {
            [only] => only.name.clone(),
            several => format!("{} inputs", several.len()),
        };
        let path = folder.path().join(format!("{name}.h5ad"));
        let how = JoinOptions { join: self.join(), label: label.clone() };
        let names: Vec<String> = samples.iter().map(|s| s.name.clone()).collect();
        let joined = write_joined(samples, &how, &path, false)?;
        self.report(&joined, &names, label.as_deref(), common);
        Ok(Opened { path, label, batch_name: None, folder: Some(folder) })
    }

    fn options(&self) -> SampleOptions {
        let gene_names = match self.from.gene_names {
            GeneNamesChoice::Symbol => GeneNames::Symbol,
            GeneNamesChoice::Id => GeneNames::Id,
        };
        let genome = self.from.genome.clone();
        SampleOptions { gene_names, genome, allow_raw_matrix: self.from.allow_raw_matrix }
    }

    fn join(&self) -> Join {
        match self.from.join {
            JoinChoice::Inner => Join::Inner,
            JoinChoice::Outer => Join::Outer,
        }
    }

    /// Every input: lists of samples are read, and names given out.
    pub(super) fn named(&self) -> Result<Vec<Named>, CliError> {
        let mut named = Vec::new();
        for input in self.inputs {
            match input.to_string_lossy().strip_prefix('@') {
                None => named.push(Named { path: input.clone(), name: None, columns: Vec::new() }),
                Some(sheet) => {
                    let samples = read_sample_sheet(Path::new(sheet))?.into_iter();
                    named.extend(samples.map(|sample| Named {
                        path: sample.path,
                        name: sample.name,
                        columns: sample.columns,
                    }));
                }
            }
        }
        let (found, n_inputs) = (self.from.batch_name.len(), named.len());
        if found > 0 && found != n_inputs {
            return Err(InputError::NamesOfInputs { found, n_inputs }.into());
        }
        for (named, name) in named.iter_mut().zip(&self.from.batch_name) {
            named.name = Some(name.clone());
        }
        let keys = |named: &Named| named.columns.iter().map(|(key, _)| key.clone()).collect();
        let lists: Vec<Vec<String>> = named.iter().map(keys).collect();
        match lists.iter().find(|keys| **keys != lists[0]) {
            None => Ok(named),
            Some(other) => Err(CliError::SampleColumns {
                first: scvi::listed(&lists[0]),
                other: scvi::listed(other),
            }),
        }
    }

    fn sample(
        &self,
        named: Named,
        options: &SampleOptions,
        trained_on: Option<&MatrixKey>,
        common: &Common,
    ) -> Result<NamedSample, CliError> {
        let Named { path, name, columns } = named;
        let sample = match Input::open(&path, options)? {
            Input::Other(sample) => *sample,
            Input::AnnData(path) => {
                let file = AnnDataFile::open(&path)?;
                let matrix = match trained_on {
                    None => Matrix::for_training(&file, &path, self.reading)?,
                    Some(key) => Matrix::for_model(&file, &path, self.reading, key)?,
                };
                // Joined, the samples have one matrix: there is no other to name any more.
                matrix.check_first(self.reading)?;
                let key = matrix.key;
                Sample::of_anndata(file, key)?
            }
        };
        for (kind, n) in sample.left_out() {
            tell(common, &format!("{}: left out {n} features of type {kind}", path.display()));
        }
        Ok(NamedSample { name: name.unwrap_or_else(|| sample_name(&path)), sample, columns })
    }

    /// A folder beside the outputs, where there is as much room as they need.
    fn folder(&self) -> Result<TempDir, CliError> {
        let parent =
            self.beside.and_then(Path::parent).map(|parent| match parent.as_os_str().len() {
                0 => Path::new("."),
                _ => parent,
            });
        let parent = self.reading.cache.clone().or(parent.map(Path::to_owned));
        let parent = parent.filter(|p| p.is_dir()).unwrap_or_else(env::temp_dir);
        let made = tempfile::Builder::new().prefix(".scvi-inputs-").tempdir_in(&parent);
        made.map_err(|source| IoError::Os { action: "create", path: parent, source }.into())
    }

    fn report(&self, joined: &Joined, names: &[String], label: Option<&str>, common: &Common) {
        let n_cells: usize = joined.cells.iter().sum();
        if names.len() < 2 {
            return;
        }
        let batches =
            label.map_or(String::new(), |label| format!("; batches: obs column '{label}'"));
        tell(
            common,
            &format!(
                "joined {} inputs: {n_cells} cells, {} genes{batches}",
                names.len(),
                joined.n_vars
            ),
        );
        for ((name, cells), left_out) in names.iter().zip(&joined.cells).zip(&joined.genes_left_out)
        {
            let without = match left_out {
                0 => String::new(),
                n => format!(", {n} genes left out that not all inputs have"),
            };
            tell(common, &format!("  {name}: {cells} cells{without}"));
        }
    }
}
