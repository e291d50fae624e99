//! Which matrix of a file is read.

use std::borrow::Cow;
use std::path::Path;

use scvi::data::MatrixKey;
use scvi_io::anndata::AnnDataFile;

use crate::args::ReadArgs;
use crate::error::CliError;

/// A matrix of an open file, with its genes.
pub(super) struct Matrix<'a> {
    pub(super) file: &'a AnnDataFile,
    pub(super) path: &'a Path,
    pub(super) key: MatrixKey,
    pub(super) genes: Cow<'a, [String]>,
}

impl<'a> Matrix<'a> {
    /// The matrix that the user names.
    pub(super) fn for_training(
        file: &'a AnnDataFile,
        path: &'a Path,
        args: &ReadArgs,
    ) -> Result<Self, CliError> {
        let named = args.layer.as_deref().map(|text| file.matrix_named(text));
        Self::of(file, path, named.transpose()?.unwrap_or_default())
    }

    /// The matrix that the user names, or the one that a model was trained on.
    pub(super) fn for_model(
        file: &'a AnnDataFile,
        path: &'a Path,
        args: &ReadArgs,
        trained_on: &MatrixKey,
    ) -> Result<Self, CliError> {
        let key = match &args.layer {
            Some(text) => file.matrix_named(text)?,
            None if file.matrices().contains(trained_on) => trained_on.clone(),
            None => {
                return Err(CliError::NoMatrix {
                    path: path.display().to_string(),
                    trained_on: trained_on.to_string(),
                    available: file.matrices().iter().map(|key| file.spelling(key)).collect(),
                });
            }
        };
        Self::of(file, path, key)
    }

    /// The matrix at a place that is known.
    pub(super) fn of(
        file: &'a AnnDataFile,
        path: &'a Path,
        key: MatrixKey,
    ) -> Result<Self, CliError> {
        let genes = file.genes_of(&key)?;
        Ok(Self { file, path, key, genes })
    }
}
