//! A copy of a file with results added, of the same kind as the file.

use std::path::Path;

use scvi::module::{MinifiedDataType, PosteriorRows};

use super::{AnnDataFile, Extras, NewRows, PosteriorKeys};
use crate::h5ad::H5adRows;
use crate::output::{check_output, check_output_dir};
use crate::rows::RowSink;
use crate::zarr::copy::{ZarrCopy, marker};
use crate::{IoError, h5ad, zarr};

/// Whether a folder is a zarr store, of an AnnData or of anything else.
pub fn is_store(path: impl AsRef<Path>) -> bool {
    path.as_ref().join(marker(path.as_ref())).is_file()
}

/// Checks that a copy of `input` with results added can be written at `output`, and is named as what
/// it will be: of a folder, which is a zarr store, a copy ends in `.zarr`, of a file in `.h5ad`. For an
/// `.h5ad` file that can be opened this includes a dry run, without the values of its arrays.
///
/// # Errors
/// [`IoError::OtherKind`], those of [`check_output`] and [`check_output_dir`], and
/// [`IoError::CannotCopy`] where nothing can be added to such a copy.
pub fn check_copy(
    input: impl AsRef<Path>,
    output: impl AsRef<Path>,
    overwrite: bool,
) -> Result<(), IoError> {
    let (input, output) = (input.as_ref(), output.as_ref());
    let kind = if input.is_dir() { "zarr" } else { "h5ad" };
    if output.extension().is_none_or(|ending| ending != kind) {
        let (input, output) = (input.into(), output.into());
        return Err(IoError::OtherKind { input, output, kind });
    }
    match kind {
        "zarr" => check_output_dir(output, marker(output), overwrite),
        _ => {
            check_output(output, overwrite)?;
            // What cannot be opened is told by whoever needs it.
            let Ok(file) = AnnDataFile::open(input) else { return Ok(()) };
            h5ad::dry_run_copy(&file, output, overwrite)
        }
    }
}

/// Checks by a dry run that the minified form of `input` can be written at `output`, after
/// [`check_copy`] found nothing wrong.
///
/// # Errors
/// [`IoError::CannotCopy`] where counts cannot be left out of the copy.
pub fn check_minified(
    input: impl AsRef<Path>,
    output: impl AsRef<Path>,
    kind: MinifiedDataType,
    overwrite: bool,
) -> Result<(), IoError> {
    match AnnDataFile::open(input) {
        Ok(file) if file.kind() == "h5ad" => {
            h5ad::dry_run_minified(&file, output.as_ref(), kind, overwrite)
        }
        _ => Ok(()),
    }
}

/// A copy of an AnnData in the making, to which matrices are added row by row: of an `.h5ad` file
/// as [`H5adRows`] says; of a zarr store file by file, arrays being added in the store's version of
/// the format, uncompressed, and consolidated metadata written anew where there were some.
#[derive(Debug)]
pub struct CopyRows(Copy);

#[derive(Debug)]
enum Copy {
    Hdf5(H5adRows),
    Zarr(ZarrCopy),
}

impl CopyRows {
    /// Copies `input`, and reserves the matrices.
    ///
    /// # Errors
    /// [`IoError`] where the input is no AnnData, a name is none, a matrix does not fit, the output
    /// cannot be written, or a part of the file cannot be copied as it is.
    pub fn create(
        input: impl AsRef<Path>,
        output: impl AsRef<Path>,
        matrices: &[NewRows<'_>],
        extras: Extras<'_>,
        overwrite: bool,
    ) -> Result<Self, IoError> {
        let (input, output) = (input.as_ref(), output.as_ref());
        Ok(Self(match input.is_dir() {
            true => Copy::Zarr(ZarrCopy::create(input, output, matrices, extras, overwrite)?),
            false => Copy::Hdf5(H5adRows::create(input, output, matrices, extras, overwrite)?),
        }))
    }
}

impl RowSink for CopyRows {
    fn columns(&self) -> &[usize] {
        match &self.0 {
            Copy::Hdf5(copy) => copy.columns(),
            Copy::Zarr(copy) => copy.columns(),
        }
    }

    fn append(&mut self, matrix: usize, rows: &[f32]) -> Result<(), IoError> {
        match &mut self.0 {
            Copy::Hdf5(copy) => copy.append(matrix, rows),
            Copy::Zarr(copy) => copy.append(matrix, rows),
        }
    }

    fn finish(self: Box<Self>) -> Result<(), IoError> {
        match self.0 {
            Copy::Hdf5(copy) => Box::new(copy).finish(),
            Copy::Zarr(copy) => Box::new(copy).finish(),
        }
    }
}

/// Writes a copy of `input` in scvi-tools' minified form: the posteriors of its cells, and X and
/// every layer all zero and raw gone unless the counts are to be kept.
///
/// | where | what |
/// |---|---|
/// | `obsm["scvi_latent_qzm"]`, `obsm["scvi_latent_qzv"]` | mean and variance: `(cells, n_latent)` |
/// | `obsm["scanvi_latent_qzm"]`, `obsm["scanvi_latent_qzv"]` | the same of a SCANVI |
/// | `obs["observed_lib_size"]` | Σ_g x of each cell, in counts |
/// | `uns["_scvi_adata_minify_type"]` | which of the two kinds it is |
///
/// Whatever else the file holds is copied as it is. The room that counts took is free: they are
/// not copied and then deleted.
///
/// Source: scvi-tools 1.4.2, `model/base/_base_model.py`, `minify_adata`;
/// `model/utils/_minification.py`.
///
/// # Errors
/// [`IoError`] where the posterior does not fit the input, or the input cannot be copied or the
/// output written.
pub fn write_minified(
    input: impl AsRef<Path>,
    output: impl AsRef<Path>,
    (posterior, keys): (&PosteriorRows<f32>, PosteriorKeys),
    kind: MinifiedDataType,
    overwrite: bool,
) -> Result<(), IoError> {
    let (file, output) = (AnnDataFile::open(input)?, output.as_ref());
    check(&file, posterior)?;
    match file.kind() {
        "zarr" => zarr::copy::write_minified(&file, output, (posterior, keys), kind, overwrite),
        _ => h5ad::write_minified(&file, output, (posterior, keys), kind, overwrite),
    }
}

fn check(file: &AnnDataFile, posterior: &PosteriorRows<f32>) -> Result<(), IoError> {
    let PosteriorRows { qz_m, qz_v, observed_lib_size } = posterior;
    let n = file.n_obs();
    let fits = qz_m.len() == qz_v.len()
        && observed_lib_size.len() == n
        && qz_m.len().checked_rem(n).is_none_or(|rest| rest == 0);
    if fits {
        return Ok(());
    }
    Err(IoError::BadInput {
        what: "the posteriors".to_owned(),
        expected: format!("means, variances and sizes of {n} cells"),
        found: format!("{}, {} and {}", qz_m.len(), qz_v.len(), observed_lib_size.len()),
    })
}
