//! From a model and its cells to the page.

mod adequacy;
mod count_summary;
mod history;
mod input;
mod measures;
mod origin;

use std::ops::ControlFlow;

use scvi::model::{
    Cells, PointEstimate, Progress, TaskError, elbo, latent_mean, latent_representation,
};

pub use input::{ObsColumn, ReportInput, Role};
pub use origin::{Origin, title};

use crate::charts::Marks;
use crate::metrics::{Categories, stratified};
use crate::page::{Block, Coloring, Page, Section};
use crate::sections::{LatentSpace, Provenance};
use crate::{AnalysisError, Embedding, UmapOptions, neighbors, umap};
use adequacy::adequacy;
use count_summary::CountSummary;
use measures::integration;

/// Cells that a page shows, at most.
pub const MAX_CELLS: usize = 100_000;

/// Hears what a report is at, and may stop it.
pub trait Follow {
    /// The next part has begun.
    fn stage(&mut self, what: &'static str);
    /// How far it is.
    fn progress(&mut self, progress: Progress) -> ControlFlow<()>;
}

/// Everything that the page shows.
///
/// Deterministic: the same input gives the same page for any number of threads. Of more than
/// [`MAX_CELLS`] cells a sample is shown, drawn within batches and labels.
///
/// # Errors
/// [`AnalysisError`] where counts cannot be read, or the follower stops it.
pub fn report(input: ReportInput, follow: &mut dyn Follow) -> Result<Page, AnalysisError> {
    let n_cells = input.data.n_cells();
    let sample = stratified(&Categories::new(&input.strata()), MAX_CELLS, input.seed);
    let has_counts = input.model.vae.require_counts("the report").is_ok();
    let cells = Cells::chosen(input.data, &sample, input.batch_size);
    let latent = latent_representation(
        &input.model.vae,
        cells,
        &mut stage(follow, "latent representation"),
    )?;
    let mut watch = stage(follow, "latent representation");
    let mean = latent_mean(&input.model.vae, cells, &latent, input.seed, &mut watch)?;
    drop(watch);
    let embedding = Embedding::new(&mean, latent.n_latent)?;
    let near = neighbors(embedding, UmapOptions::N_OTHERS, &mut stage(follow, "neighbors"))?;
    let options = UmapOptions { seed: input.seed, ..UmapOptions::default() };
    let plane = umap(embedding, &near, &options, &mut stage(follow, "UMAP"))?;
    let mut colorings = input.column_colorings(&sample);
    let mut of_counts = Vec::new();
    if has_counts {
        let genes = &input.color_genes;
        let counts =
            CountSummary::new(input.data.counts(), &sample, genes, &mut stage(follow, "counts"))?;
        colorings.extend(input.count_colorings(&counts, &sample));
        let draw = PointEstimate::Sample { seed: input.seed };
        let mut watch = stage(follow, "ELBO");
        let terms = match input.model.scanvae() {
            Some(module) => elbo(&module, cells, draw, &mut watch)?,
            None => elbo(&input.model.vae, cells, draw, &mut watch)?,
        };
        drop(watch);
        let marks = Marks::Numbers(terms.elbo().map(|v| v as f32).collect());
        colorings.push(Coloring { label: "ELBO (nats)".to_owned(), marks });
        let integration = integration(&input, &sample, embedding, follow)?;
        of_counts.extend(integration.section());
        of_counts.push(adequacy(&input, &sample, &terms, follow)?.section());
        of_counts.push(input.data_summary(counts).section());
    }
    let space = LatentSpace {
        cells: sample.iter().map(|&cell| input.cells[cell as usize].clone()).collect(),
        x: plane.iter().map(|at| at[0]).collect(),
        y: plane.iter().map(|at| at[1]).collect(),
        colorings,
        n_cells,
    };
    follow.stage("hashes");
    let fingerprint = input.data.fingerprint().map_err(TaskError::from)?;
    let provenance = input.provenance(fingerprint.sha256);
    Ok(page(input, space, of_counts, provenance))
}

/// Begins a part, and gives its watcher.
fn stage<'a>(
    follow: &'a mut dyn Follow,
    what: &'static str,
) -> impl FnMut(Progress) -> ControlFlow<()> + 'a {
    follow.stage(what);
    |progress| follow.progress(progress)
}

/// The sections in the order of a page: what is asked first stands first.
fn page(
    input: ReportInput,
    space: LatentSpace,
    of_counts: Vec<Section>,
    provenance: Provenance,
) -> Page {
    const ORDER: [&str; 7] =
        ["latent", "integration", "training", "adequacy", "expression", "data", "provenance"];
    let history = history::history(&input.model.history, &input.model.meta.training.stop);
    let (title, subtitle) = (input.title(), input.subtitle());
    let mut first = space.section();
    let verdicts = history.verdicts().into_iter();
    let verdicts = verdicts.map(|v| Block::Verdict { is_good: v.is_good, text: v.text });
    first.blocks.splice(0..0, verdicts);
    let mut sections = vec![first, history.section(), provenance.section()];
    sections.extend(of_counts);
    sections.extend(input.expression.and_then(|expression| expression.section()));
    sections.sort_by_key(|section| ORDER.iter().position(|id| *id == section.id));
    Page { title, subtitle, sections }
}
