//! `scvi report`.

mod columns;
mod of_run;
mod output;
mod provenance;

use std::ops::ControlFlow;
use std::path::Path;

use scvi::Cpu;
use scvi::model::{Progress, Watch};
use scvi::module::Vae;
use scvi_io::model_dir::HistoryTable;
use scvi_io::{ModelMeta, SavedModel};
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
    let SavedModel { vae, meta, history, .. } = &model;
    let names: &[String] = match (&args.labels_key[..], &meta.registry.labels) {
        ([], Some(labels)) => std::slice::from_ref(&labels.key),
        (keys, _) => keys,
    };
    let subject = Subject {
        vae,
        meta,
        history,
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

/// What a report is about.
pub struct Subject<'a> {
    pub vae: &'a Vae<Cpu<f32>>,
    pub meta: &'a ModelMeta,
    pub history: &'a HistoryTable,
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
        let Self { vae, meta, prepared, .. } = self;
        let Colors { columns, genes } = colors(&self, tasks.common)?;
        let data = prepared.dataset()?;
        let input = ReportInput {
            vae,
            meta,
            history: self.history,
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
