//! An input as one AnnData.

use std::path::Path;

use tempfile::TempDir;

use super::error::InputError;
use super::join::{JoinOptions, NamedSample, write_joined};
use super::locate::sample_name;
use super::sample::{Input, SampleOptions};
use crate::IoError;
use crate::anndata::AnnDataFile;

/// An input that was opened: the AnnData that it is, or one written for as long as this lives.
pub struct OpenedInput {
    file: AnnDataFile,
    _folder: Option<TempDir>,
}

impl OpenedInput {
    /// Opens an AnnData, or writes a sample in another form as one to the system's folder for temporary
    /// files.
    ///
    /// # Errors
    /// [`InputError`] where it cannot be read.
    pub fn open(path: &Path, options: &SampleOptions) -> Result<Self, InputError> {
        let sample = match Input::open(path, options)? {
            Input::AnnData(path) => {
                return Ok(Self { file: AnnDataFile::open(path)?, _folder: None });
            }
            Input::Other(sample) => *sample,
        };
        let folder = tempfile::Builder::new().prefix("scvi-input-").tempdir();
        let folder = folder.map_err(|e| IoError::os("create", &std::env::temp_dir(), e))?;
        let name = sample_name(path);
        let written = folder.path().join(format!("{name}.h5ad"));
        let sample = NamedSample { name, sample, columns: Vec::new() };
        write_joined(vec![sample], &JoinOptions::default(), &written, false)?;
        Ok(Self { file: AnnDataFile::open(written)?, _folder: Some(folder) })
    }

    /// The AnnData.
    pub fn file(&self) -> &AnnDataFile {
        &self.file
    }
}
