//! `scvi report`.

mod columns;
mod of_run;
mod output;
mod provenance;

use std::ops::ControlFlow;
use std::path::Path;

use scvi::model::{Progress, Watch};
use scvi_io::SavedModel;
use scvi_io::anndata::AnnDataFile;
use scvi_report::page::Page;
use scvi_report::report::{Follow, ReportInput, report};
use scvi_report::sections::{Expression, read_expression};

use crate::args::{Common, ReportArgs};
use crate::error::CliError;
use crate::input::{Prepared, open};
use crate::report::Report;
use crate::watching::{Stage, Tasks};
use columns::{Colors, colors};

pub use of_run::RunReport;
pub use output::ReportOutput;

pub fn run(args: &ReportArgs, common: &Common) -> Result<(), CliError> {
    let output = ReportOutput::check(&args.output, args.format, common)?;
    let expression = args.de.as_deref().map(read_expression).transpose()?;
    let source = &args.source;
    let (model, prepared) = open(source, common)?;
    let of_model = labels_of_model(&model, &prepared)?;
    let names = if args.labels_key.is_empty() { &of_model } else { &args.labels_key };
    let subject = Subject {
        saved: &model,
        prepared: &prepared,
        model: &source.model,
        labels: names,
        color_by: &args.color_by,
        expression,
        batch_size: source.batch_size,
        command: provenance::command(),
    };
    let tasks = Tasks::new(common);
    let page = subject.page(&tasks)?;
    let files = output.write(&page, common)?;
    let mut report = Report::default();
    report
        .add("cells", prepared.counts.n_cells())
        .dropped(&prepared.dropped)
        .add("sections", page.sections.iter().map(|s| s.id).collect::<Vec<_>>())
        .add("seconds", tasks.seconds())
        .add("files", files);
    report.print(common)
}

/// The column of labels that the model was trained with, where the file has it: without it, too, it
/// can be read for the model.
fn labels_of_model(model: &SavedModel, prepared: &Prepared) -> Result<Vec<String>, CliError> {
    let file = AnnDataFile::open(&prepared.path)?;
    let keys = model.meta.registry.labels.iter().map(|field| field.key.clone());
    Ok(keys.filter(|key| file.obs_columns().contains(key)).collect())
}

/// What a report is about.
pub struct Subject<'a> {
    pub saved: &'a SavedModel,
    pub prepared: &'a Prepared,
    /// The model's folder.
    pub model: &'a Path,
    /// Columns of obs with labels.
    pub labels: &'a [String],
    /// Columns of obs, or genes.
    pub color_by: &'a [String],
    pub expression: Option<Expression>,
    pub batch_size: usize,
    /// The command that makes the report again.
    pub command: String,
}

impl Subject<'_> {
    /// The page.
    pub fn page(self, tasks: &Tasks) -> Result<Page, CliError> {
        let prepared = self.prepared;
        let Colors { columns, genes } = colors(&self, tasks.common)?;
        let data = prepared.dataset()?;
        let input = ReportInput {
            model: self.saved,
            data: &data,
            cells: &prepared.kept_names(),
            columns,
            color_genes: genes,
            dropped: &prepared.dropped,
            origin: provenance::origin(&self),
            expression: self.expression,
            batch_size: self.batch_size,
            seed: tasks.common.seed,
        };
        tasks.run_stages("report", |stage, watch| {
            let mut follow = Following { stage, watch };
            report(input, &mut follow)
        })
    }
}

/// The stages of a report as those of a bar.
struct Following<'a, 'w> {
    stage: &'a Stage<'a>,
    watch: &'a mut Watch<'w>,
}

impl Follow for Following<'_, '_> {
    fn stage(&mut self, what: &'static str) {
        (self.stage)(what);
    }

    fn progress(&mut self, progress: Progress) -> ControlFlow<()> {
        (self.watch)(progress)
    }
}
