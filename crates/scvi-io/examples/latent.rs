//! Writes the latent representation of a file's cells, as `scvi latent` does.
//!
//! ```sh
//! cargo run --release -p scvi-io --example latent MODEL CELLS.h5ad LATENT.csv
//! ```
//! MODEL is a model folder, or a folder saved by scvi-tools. The genes must be those of the model,
//! in its order. Without arguments, it does so for a model and cells that it makes.

use std::env;
use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;

use scvi::data::simulate::{SimulateConfig, simulate};
use scvi::data::{Dataset, Registry};
use scvi::model::{Cells, latent_representation, unwatched};
use scvi::module::VaeConfig;
use scvi::train::{TrainPlan, train};
use scvi_io::anndata::AnnDataFile;
use scvi_io::h5ad::{NewAnnData, write_h5ad};
use scvi_io::table::NamedMatrix;
use scvi_io::{FORMAT_VERSION, ModelMeta, TrainingMeta, open_model, save_model};

fn latent(model: &Path, cells: &Path, output: &Path) -> Result<(), Box<dyn Error>> {
    let model = open_model(model)?;
    let file = AnnDataFile::open(cells)?;
    let counts = file.counts(&model.meta.registry.layer)?;
    let batch = match &model.meta.registry.batch {
        None => vec![0; file.n_obs()],
        Some(known) => {
            let (found, codes) = file.categories(&known.key)?;
            known.transfer(&found, &codes)?
        }
    };
    let data = Dataset::new(&counts, batch)?;
    let latent = latent_representation(&model.vae, Cells::all(&data, 128), &mut unwatched)?;
    let columns: Vec<String> = (0..model.meta.config.n_latent).map(|k| format!("z{k}")).collect();
    let matrix = NamedMatrix {
        corner: "cell",
        rows: file.obs_names(),
        columns: &columns,
        values: &latent.mean,
    };
    matrix.save(output, true)?;
    println!("{} cells into {}", data.n_cells(), output.display());
    Ok(())
}

/// Cells and a model trained on them, in a folder.
fn simulated(folder: &Path) -> Result<(), Box<dyn Error>> {
    let sim = simulate(&SimulateConfig { n_cells: 300, n_genes: 100, ..Default::default() });
    let names = |what: &str, n: usize| (0..n).map(|k| format!("{what}{k}")).collect::<Vec<_>>();
    let (cells, genes) = (names("cell", 300), names("gene", 100));
    let anndata = NewAnnData::new(&sim.counts, cells, genes.clone());
    write_h5ad(folder.join("cells.h5ad"), &anndata, false)?;

    let data = Dataset::new(&sim.counts, vec![0; 300])?;
    let registry = Registry::default();
    let config = registry.sized(VaeConfig { n_input: 100, ..VaeConfig::default() });
    let plan = TrainPlan { max_epochs: Some(10), ..TrainPlan::default() };
    let trained = train(config.validate()?, &data, &plan, &mut |_| ControlFlow::Continue(()))?;
    let meta = ModelMeta {
        format_version: FORMAT_VERSION,
        program: "an example".to_owned(),
        model_class: "SCVI".to_owned(),
        config,
        scanvi: None,
        registry,
        var_names: genes,
        split: trained.split,
        training: TrainingMeta {
            n_cells: 300,
            epochs: trained.history.epochs.len(),
            stop: TrainingMeta::stop_word(trained.stop),
            batch_size: plan.batch_size,
            seed: plan.seed,
        },
        scvi_tools: None,
        input: None,
        gene_selection: None,
        mapped_from: None,
        minified_data_type: None,
    };
    Ok(save_model(folder.join("model"), &trained.module, &meta, &trained.history, false)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<_> = env::args_os().skip(1).collect();
    match &paths[..] {
        [model, cells, output] => latent(model.as_ref(), cells.as_ref(), output.as_ref()),
        [] => {
            let folder = tempfile::tempdir()?;
            simulated(folder.path())?;
            let inside = |name| folder.path().join(name);
            latent(&inside("model"), &inside("cells.h5ad"), &inside("latent.csv"))
        }
        _ => Err("expected MODEL CELLS.h5ad LATENT.csv, or nothing".into()),
    }
}
