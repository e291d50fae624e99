//! What a training run ends with.

use std::path::Path;

use scvi::data::Dataset;
use scvi_io::SavedModel;

use super::latent::{Output, Representation};
use super::report::RunReport;
use crate::args::Common;
use crate::checkpoints::Kept;
use crate::error::CliError;
use crate::input::Prepared;
use crate::results::Results;

/// Where the model goes, and the latent representation and the report if they were asked for.
pub(super) struct RunOutputs<'a> {
    pub model: &'a Path,
    pub latent: Option<Output>,
    pub page: Option<RunReport>,
    pub prepared: &'a Prepared,
    pub data: &'a Dataset<'a>,
    pub kept: &'a Kept,
    pub common: &'a Common,
}

impl RunOutputs<'_> {
    /// Writes all of it, and deletes the checkpoint once it is of no more use; the files.
    pub(super) fn write(self, saved: &SavedModel) -> Result<Vec<String>, CliError> {
        let Self { model, latent, page, prepared, kept, common, .. } = &self;
        let mut results = Results::default();
        results.folder("model", model, |path| {
            let overwrite = kept.overwrite && path == *model;
            Ok(saved.save(path, overwrite)?)
        });
        if let Some(output) = latent {
            const WHAT: &str = "latent representation";
            let mean = Representation::mean(&saved.vae, self.data, common);
            let mean = mean.map(|mean| mean.in_output_rows(prepared));
            match (mean, output.path()) {
                (Err(error), _) => results.failed(WHAT, error),
                (Ok(mean), Some(path)) => {
                    results.file(WHAT, path, |path| output.at(path).write(prepared, &mean, common))
                }
                (Ok(mean), None) => {
                    if let Err(error) = output.write(prepared, &mean, common) {
                        results.failed(WHAT, error);
                    }
                }
            }
        }
        if let Some(report) = page {
            match report.page(saved, model, prepared) {
                Err(error) => results.failed("report", error),
                Ok(page) => {
                    results.file("report", report.path(), |path| report.write(&page, path));
                }
            }
        }
        if results.are_kept() {
            kept.remove()?;
        }
        results.finish(&kept.path)
    }
}
