//! `scvi report`.

mod columns;
mod differential;
mod of_run;
mod output;
mod provenance;
mod training;

use std::ops::ControlFlow;
use std::path::Path;

use scvi::Cpu;
use scvi::model::{Progress, Watch};
use scvi::module::Vae;
use scvi_io::model_dir::HistoryTable;
use scvi_io::{DroppedCells, GeneSelectionMeta, ModelMeta, SavedModel};
use scvi_report::page::Page;
use scvi_report::report::{Follow, ReportInput, report};
use scvi_report::sections::{Dropped, Expression};

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
    let expression = args.de.as_deref().map(differential::read).transpose()?;
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
        let cells = prepared.kept_names();
        let shown = |path: &Path| path.display().to_string();
        let provenance = provenance::provenance(&self, &data, tasks.common)?;
        let in_training = meta.input.iter().flat_map(|input| &input.dropped_cells);
        let in_training = in_training.map(|dropped| dropped_cells("in training", dropped));
        let here = prepared.dropped.iter().map(|dropped| dropped_cells("in this report", dropped));
        let input = ReportInput {
            title: page_title(&meta.model_class, &prepared.path),
            subtitle: format!(
                "Model {}, trained for {} epochs on {} cells with {}",
                shown(self.model),
                meta.training.epochs,
                meta.training.n_cells,
                meta.program
            ),
            vae,
            data: &data,
            counts: prepared.counts.source(),
            cells: &cells,
            genes: &prepared.var_names,
            columns,
            color_genes: genes,
            history: training::history(self.history, &meta.training.stop),
            dropped: in_training.chain(here).collect(),
            gene_selection: meta.gene_selection.as_ref().map(gene_selection),
            expression: self.expression,
            provenance,
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

/// The model's class, and the input's name without its folders.
fn page_title(class: &str, input: &Path) -> String {
    let input = input.file_name().unwrap_or(input.as_os_str()).to_string_lossy();
    format!("{class} of {input}")
}

fn dropped_cells(when: &'static str, dropped: &DroppedCells) -> Dropped {
    let filter = match dropped.threshold {
        Some(threshold) => format!("{} {threshold}", dropped.filter),
        None => dropped.filter.clone(),
    };
    Dropped { when, filter, n_cells: dropped.n_cells }
}

/// How genes were chosen, in words.
fn gene_selection(meta: &GeneSelectionMeta) -> String {
    let mut words = format!("Of {} genes of the input", meta.n_genes);
    if meta.n_genes_without_counts > 0 {
        words += &format!(", {} had no count", meta.n_genes_without_counts);
    }
    if let Some(min_cells) = meta.min_cells {
        let n = meta.n_genes_in_too_few_cells;
        words += &format!(", {n} had counts in fewer than {min_cells} cells");
    }
    match (meta.n_top_genes, &meta.flavor) {
        (Some(n), Some(flavor)) => {
            words + &format!("; the {n} most variable were used ({flavor}).")
        }
        (Some(n), None) => words + &format!("; the {n} most variable were used."),
        _ => words + "; the others were used.",
    }
}
