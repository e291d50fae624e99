//! Trains a model on simulated counts, and shows the ELBO of each epoch.
//!
//! ```sh
//! cargo run --release -p scvi --example train
//! ```

use std::ops::ControlFlow;

use scvi::data::Dataset;
use scvi::data::simulate::{SimulateConfig, simulate};
use scvi::model::{Cells, latent_representation, unwatched};
use scvi::module::VaeConfig;
use scvi::train::{TrainPlan, train};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sim = simulate(&SimulateConfig { n_cells: 500, n_genes: 200, ..Default::default() });
    let data = Dataset::new(&sim.counts, sim.batch)?;
    let config = VaeConfig { n_input: 200, n_batch: 2, ..VaeConfig::default() };
    let plan = TrainPlan { max_epochs: Some(10), ..TrainPlan::default() };
    let trained = train(config.validate()?, &data, &plan, &mut |epoch| {
        println!("epoch {} loss {:.1}", epoch.epoch, epoch.train.loss);
        ControlFlow::Continue(())
    })?;
    let latent = latent_representation(&trained.module, Cells::all(&data, 128), &mut unwatched)?;
    println!("the first cell: {:?}", &latent.mean[..10]);
    Ok(())
}
