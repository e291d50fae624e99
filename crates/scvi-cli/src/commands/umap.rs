//! `scvi umap`.

use scvi::model::{Cells, Watch, latent_mean, latent_representation};
use scvi_io::SavedModel;
use scvi_report::{Embedding, UmapOptions, neighbors, umap};

use super::latent::{Block, Output, Representation};
use crate::args::{Common, UmapArgs};
use crate::error::CliError;
use crate::input::open;
use crate::report::Report;
use crate::watching::Tasks;

pub fn run(args: &UmapArgs, common: &Common) -> Result<(), CliError> {
    let output = Output::check(&args.output, &args.source.input, common)?;
    let (SavedModel { vae, .. }, prepared) = open(&args.source, common)?;
    let prepared = prepared.keeping_dropped_cells(args.keep_dropped_cells);
    output.prepare(&prepared)?;
    let data = prepared.dataset()?;
    let tasks = Tasks::new(common);
    let cells = Cells::all(&data, args.source.batch_size);
    let latent =
        tasks.run("latent representation", |watch| latent_representation(&vae, cells, watch))?;
    let mean = tasks.run("latent representation", |watch| {
        latent_mean(&vae, cells, &latent, common.seed, watch)
    })?;
    let embedding = Embedding::new(&mean, latent.n_latent)?;
    let n_others = usize::from(args.n_neighbors) - 1;
    let near = tasks.run("neighbors", |watch| neighbors(embedding, n_others, watch))?;
    let options =
        UmapOptions { min_dist: args.min_dist, seed: common.seed, ..UmapOptions::default() };
    let task = |watch: &mut Watch| umap(embedding, &near, &options, watch);
    let plane = tasks.run("UMAP", task)?;
    let block = Block::numbered("X_umap", 2, plane.into_flattened());
    let plane = Representation::of(block).in_output_rows(&prepared);
    output.write(&prepared, &plane, common)?;
    if output.is_stdout() {
        return Ok(());
    }
    let mut report = Report::default();
    report
        .add("cells", prepared.counts.n_cells())
        .dropped(&prepared.dropped)
        .add("n_neighbors", args.n_neighbors)
        .add("seconds", tasks.seconds())
        .add("files", vec![args.output.display().to_string()]);
    report.print(common)
}
