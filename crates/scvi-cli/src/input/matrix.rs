//! Which matrix of a file is read, and that it holds counts if another one does.

use std::borrow::Cow;
use std::path::Path;

use scvi::data::{CsrMatrix, MatrixKey, Survey};
use scvi_io::IoError;
use scvi_io::anndata::{AnnDataFile, StoredCounts, ValueKind};

use super::note;
use crate::args::{Common, ReadArgs};
use crate::error::CliError;

/// A matrix of an open file, with its genes.
pub(super) struct Matrix<'a> {
    pub(super) file: &'a AnnDataFile,
    pub(super) path: &'a Path,
    pub(super) key: MatrixKey,
    pub(super) genes: Cow<'a, [String]>,
}

impl<'a> Matrix<'a> {
    /// The matrix that the user names; X otherwise.
    pub(super) fn for_training(
        file: &'a AnnDataFile,
        path: &'a Path,
        args: &ReadArgs,
    ) -> Result<Self, CliError> {
        Self::named_or(file, path, args, &MatrixKey::X, "")
    }

    /// The matrix that the user names, or the one that a model was trained on.
    pub(super) fn for_model(
        file: &'a AnnDataFile,
        path: &'a Path,
        args: &ReadArgs,
        trained_on: &MatrixKey,
    ) -> Result<Self, CliError> {
        Self::named_or(file, path, args, trained_on, ", which the model was trained on")
    }

    fn named_or(
        file: &'a AnnDataFile,
        path: &'a Path,
        args: &ReadArgs,
        default: &MatrixKey,
        why: &'static str,
    ) -> Result<Self, CliError> {
        let missing = |wanted: String, why| {
            let all = file.matrices();
            let counts = with_counts(file);
            let read = if counts.is_empty() { &all } else { &counts };
            Err(CliError::NoMatrix {
                path: path.display().to_string(),
                wanted,
                why,
                available: all.iter().map(MatrixKey::to_string).collect(),
                spelled: read.iter().map(|key| file.spelling(key)).collect(),
            })
        };
        match args.layer.as_deref().map(|text| file.matrix_named(text)) {
            Some(Ok(key)) => Self::of(file, path, key),
            Some(Err(IoError::NoCounts { wanted, .. })) => missing(wanted, ""),
            Some(Err(error)) => Err(error.into()),
            None if file.matrices().contains(default) => Self::of(file, path, default.clone()),
            None => missing(default.to_string(), why),
        }
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

    /// Refuses, after a look at a part of its values, a matrix without counts where another holds
    /// counts: reading all of it may take long. Nothing is refused of those who allow it.
    pub(super) fn check_first(&self, args: &ReadArgs) -> Result<(), CliError> {
        if args.allow_non_counts {
            return Ok(());
        }
        match self.file.stored_counts(&self.key)?.summary()?.kind {
            ValueKind::Other { value, cell, gene } => {
                self.not_counts(value, cell, gene).map_or(Ok(()), Err)
            }
            ValueKind::Counts | ValueKind::Zeros => Ok(()),
        }
    }

    /// Reads all counts once, some cells at a time, and holds none.
    pub(super) fn each_block(&self, f: &mut dyn FnMut(&CsrMatrix)) -> Result<Survey, CliError> {
        let stored = self.file.stored_counts(&self.key)?;
        let survey = stored.for_each_block(StoredCounts::TURNED, &mut |counts| {
            f(counts);
            Ok(())
        });
        survey.map_err(|error| self.explain(error.into()))
    }

    /// The error that a value is no count, where another matrix of the file holds counts.
    pub(super) fn not_counts(&self, value: f64, cell: String, gene: String) -> Option<CliError> {
        let counts = with_counts(self.file);
        let others: Vec<&MatrixKey> = counts.iter().filter(|key| **key != self.key).collect();
        (!others.is_empty()).then(|| CliError::NotCounts {
            path: self.path.display().to_string(),
            matrix: self.key.to_string().into(),
            value,
            cell: cell.into(),
            gene: gene.into(),
            counts: others.iter().map(|key| key.to_string()).collect(),
            spelled: others.iter().map(|key| self.file.spelling(key)).collect(),
        })
    }

    /// Says where a value is no whole number.
    pub(super) fn warn_of_fractions(&self, survey: &Survey, why: &str, common: &Common) {
        let Some((cell, gene, value)) = survey.first_fraction else { return };
        let (cell, gene) = (&self.file.obs_names()[cell], &self.genes[gene as usize]);
        note(common, &fraction_note(&self.key, value, cell, gene, why));
    }

    /// The same of an error that reading all counts ended with.
    pub(super) fn explain(&self, error: CliError) -> CliError {
        match error {
            CliError::Io(IoError::BadCount { value, ref cell, ref gene, .. }) => {
                self.not_counts(value, cell.clone(), gene.clone()).unwrap_or(error)
            }
            error => error,
        }
    }
}

/// What is said of a value that is no whole number.
pub(super) fn fraction_note(
    key: &MatrixKey,
    value: f32,
    cell: &str,
    gene: &str,
    why: &str,
) -> String {
    format!(
        "{key} holds values that are not whole numbers ({value} in cell '{cell}', gene '{gene}'); {why}"
    )
}

/// The matrices of a file that hold counts, as far as a part of their values tells.
fn with_counts(file: &AnnDataFile) -> Vec<MatrixKey> {
    let holds_counts = |key: &MatrixKey| {
        let summary = file.stored_counts(key).and_then(|stored| stored.summary());
        summary.is_ok_and(|summary| summary.kind == ValueKind::Counts)
    };
    file.matrices().into_iter().filter(holds_counts).collect()
}
