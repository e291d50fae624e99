//! The report that ends a training run.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use scvi_io::SavedModel;
use scvi_report::report::title;

use super::{ReportOutput, Subject, provenance};
use crate::args::{Common, ReportFormat, TrainArgs};
use crate::commands::demonstration;
use crate::error::CliError;
use crate::input::{Prepared, open_trained};
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
    /// What was asked for: the demonstration always writes one, in place of an earlier one's.
    pub fn check(args: &TrainArgs, common: &Common) -> Result<Option<Self>, CliError> {
        let is_demonstration = args.input.is_none();
        let path = match (&args.report, is_demonstration) {
            (Some(path), _) => path.clone(),
            (None, true) => PathBuf::from(demonstration::REPORT),
            (None, false) => return Ok(None),
        };
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

    /// Writes it, of the model that the run has just written; its file.
    pub fn write(&self, model: &Path, prepared: &Prepared) -> Result<Vec<String>, CliError> {
        let SavedModel { vae, meta, history, .. } = open_trained(model)?;
        let labels = meta.registry.labels.iter().map(|field| field.key.clone());
        let labels: Vec<String> = labels.chain(self.labels.iter().cloned()).collect();
        let subject = Subject {
            vae: &vae,
            meta: &meta,
            history: &history,
            prepared,
            model,
            labels: &labels,
            color_by: &[],
            expression: None,
            batch_size: BATCH_SIZE,
            command: provenance::command(),
        };
        let page = subject.page(&Tasks::new(&self.common))?;
        self.output.write(&page, &self.common)
    }
}

/// Whether the file is the report of an earlier demonstration.
fn is_earlier(path: &Path) -> bool {
    let mut begin = Vec::new();
    let read = File::open(path).and_then(|file| file.take(2048).read_to_end(&mut begin));
    let title = format!("<title>{}</title>", title("SCVI", demonstration::DATA));
    read.is_ok() && String::from_utf8_lossy(&begin).contains(&title)
}
