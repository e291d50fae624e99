//! Inputs as they were typed, opened and joined.

use std::env;
use std::path::{Path, PathBuf};

use scvi::data::MatrixKey;
use scvi_io::anndata::AnnDataFile;
use scvi_io::inputs::{
    GeneNames, Input, Join, JoinOptions, Joined, ListedInput, NamedSample, SampleOptions,
    list_inputs, write_joined,
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

/// The batch of an AnnData that has no column for it.
fn batch_name(path: &Path, key: &str, input: &ListedInput) -> Result<Option<String>, CliError> {
    let has_column = AnnDataFile::open(path)?.obs_columns().iter().any(|known| known == key);
    Ok((!has_column).then(|| input.name()))
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

impl<'a> Typed<'a> {
    /// Inputs that are read together, and for no model.
    pub(super) fn new(
        inputs: &'a [PathBuf],
        from: &'a InputArgs,
        reading: &'a ReadArgs,
        beside: Option<&'a Path>,
    ) -> Self {
        Self { inputs, from, reading, model: None, only: None, beside }
    }

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
    pub(super) fn named(&self) -> Result<Vec<ListedInput>, CliError> {
        Ok(list_inputs(self.inputs, &self.from.batch_name)?)
    }

    fn sample(
        &self,
        input: ListedInput,
        options: &SampleOptions,
        trained_on: Option<&MatrixKey>,
        common: &Common,
    ) -> Result<NamedSample, CliError> {
        let shown = input.path.display().to_string();
        let named = input.open(options, |file, path| {
            let matrix = match trained_on {
                None => Matrix::for_training(file, path, self.reading)?,
                Some(key) => Matrix::for_model(file, path, self.reading, key)?,
            };
            // Joined, the samples have one matrix: there is no other to name any more.
            matrix.check_first(self.reading)?;
            Ok::<_, CliError>(matrix.key)
        })?;
        for (kind, n) in named.sample.left_out() {
            tell(common, &format!("{shown}: left out {n} features of type {kind}"));
        }
        Ok(named)
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
