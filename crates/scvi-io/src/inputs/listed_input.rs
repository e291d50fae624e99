//! An input as a list gives it, before it is opened.

use std::path::{Path, PathBuf};

use scvi::data::MatrixKey;

use super::error::InputError;
use super::join::NamedSample;
use super::locate::sample_name;
use super::sample::{Input, Sample, SampleOptions};
use super::sample_sheet::read_sample_sheet;
use crate::IoError;
use crate::anndata::AnnDataFile;

/// An input with what its list says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedInput {
    /// Where it is.
    pub path: PathBuf,
    /// Its name, where the list has one.
    pub name: Option<String>,
    /// Further columns of obs: key, and the value of all its cells, in the order of the list.
    pub columns: Vec<(String, String)>,
}

/// Lists inputs given by paths: `@FILE` stands for those of a [list of samples](read_sample_sheet).
/// `names` are those of all inputs, or none.
///
/// # Errors
/// [`InputError::NamesOfInputs`] where there are more or fewer names than inputs,
/// [`InputError::SampleColumns`] where two lists differ in their columns, others where a list cannot
/// be read.
pub fn list_inputs(paths: &[PathBuf], names: &[String]) -> Result<Vec<ListedInput>, InputError> {
    let mut listed = Vec::new();
    for path in paths {
        match path.to_string_lossy().strip_prefix('@') {
            Some(sheet) => listed.extend(read_sample_sheet(Path::new(sheet))?),
            None => {
                listed.push(ListedInput { path: path.clone(), name: None, columns: Vec::new() });
            }
        }
    }
    let (found, n_inputs) = (names.len(), listed.len());
    if found > 0 && found != n_inputs {
        return Err(InputError::NamesOfInputs { found, n_inputs });
    }
    for (input, name) in listed.iter_mut().zip(names) {
        input.name = Some(name.clone());
    }
    let keys = |input: &ListedInput| input.columns.iter().map(|(key, _)| key.clone()).collect();
    let lists: Vec<Vec<String>> = listed.iter().map(keys).collect();
    match lists.iter().find(|keys| **keys != lists[0]) {
        None => Ok(listed),
        Some(other) => Err(InputError::SampleColumns {
            first: scvi::listed(&lists[0]),
            other: scvi::listed(other),
        }),
    }
}

impl ListedInput {
    /// Its name: that of the list, else that of its file or folder.
    pub fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| sample_name(&self.path))
    }

    /// Opens it to be joined with others. `matrix_of` says which matrix of an AnnData has the counts.
    ///
    /// # Errors
    /// [`InputError`] where it cannot be read, and what `matrix_of` returns.
    pub fn open<E: From<InputError> + From<IoError>>(
        self,
        options: &SampleOptions,
        matrix_of: impl FnOnce(&AnnDataFile, &Path) -> Result<MatrixKey, E>,
    ) -> Result<NamedSample, E> {
        let name = self.name();
        let sample = match Input::open(&self.path, options)? {
            Input::Other(sample) => *sample,
            Input::AnnData(path) => {
                let file = AnnDataFile::open(&path)?;
                let matrix = matrix_of(&file, &path)?;
                Sample::of_anndata(file, matrix)?
            }
        };
        Ok(NamedSample { name, sample, columns: self.columns })
    }
}
