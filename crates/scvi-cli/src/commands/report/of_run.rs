//! The report that ends a training run.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use scvi_io::SavedModel;
use scvi_report::page::Page;
use scvi_report::report::title;

use super::{ReportOutput, Subject, provenance};
use crate::args::{Common, ReportFormat, TrainArgs};
use crate::commands::demonstration;
use crate::error::CliError;
use crate::input::Prepared;
use crate::log::tell;
use crate::watching::Tasks;

/// Cells evaluated at a time; results do not depend on it.
const BATCH_SIZE: usize = 256;

/// The report that ends a training run.
pub struct RunReport {
    output: ReportOutput,
    /// Columns of obs with labels, where the model has none.
    labels: Vec<String>,
    common: Common,
}

impl RunReport {
    /// The file of the page that a run writes.
    pub fn path_of(args: &TrainArgs) -> Option<PathBuf> {
        let demonstration = || args.input.is_none().then(|| PathBuf::from(demonstration::REPORT));
        args.report.clone().or_else(demonstration)
    }

    /// What was asked for: the demonstration always writes one, in place of an earlier one's.
    pub fn check(args: &TrainArgs, common: &Common) -> Result<Option<Self>, CliError> {
        let is_demonstration = args.input.is_none();
        let Some(path) = Self::path_of(args) else { return Ok(None) };
        let mut common = common.clone();
        if is_demonstration && !common.overwrite && args.report.is_none() && is_earlier(&path) {
            tell(&common, &format!("replacing {} of an earlier demonstration", path.display()));
            common.overwrite = true;
        }
        let output = ReportOutput::check(&path, ReportFormat::Html, &common)?;
        let labels =
            if is_demonstration { vec![demonstration::CELL_TYPE.to_owned()] } else { vec![] };
        Ok(Some(Self { output, labels, common }))
    }

    /// The page's file.
    pub fn path(&self) -> &Path {
        self.output.path()
    }

    /// The page of a model, which is in the folder `model`.
    pub fn page(
        &self,
        saved: &SavedModel,
        model: &Path,
        prepared: &Prepared,
    ) -> Result<Page, CliError> {
        let labels = saved.meta.registry.labels.iter().map(|field| field.key.clone());
        let labels: Vec<String> = labels.chain(self.labels.iter().cloned()).collect();
        let subject = Subject {
            saved,
            prepared,
            model,
            labels: &labels,
            color_by: &[],
            expression: None,
            batch_size: BATCH_SIZE,
            command: provenance::command(),
        };
        subject.page(&Tasks::new(&self.common))
    }

    /// Writes it to its file, or to another.
    pub fn write(&self, page: &Page, path: &Path) -> Result<(), CliError> {
        self.output.at(path).write(page, &self.common).map(drop)
    }
}

/// Whether the file is the report of an earlier demonstration.
fn is_earlier(path: &Path) -> bool {
    let mut begin = Vec::new();
    let read = File::open(path).and_then(|file| file.take(2048).read_to_end(&mut begin));
    let title = format!("<title>{}</title>", title("SCVI", demonstration::DATA));
    read.is_ok() && String::from_utf8_lossy(&begin).contains(&title)
}
