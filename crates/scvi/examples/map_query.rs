//! Maps cells of a new batch onto a reference, of which no weight changes.
//!
//! ```sh
//! cargo run --release -p scvi --example map_query
//! ```

use std::ops::ControlFlow;

use scvi::data::Dataset;
use scvi::data::simulate::{SimulateConfig, simulate};
use scvi::model::query::{Freeze, load_query_data};
use scvi::model::{Cells, latent_representation, unwatched};
use scvi::module::VaeConfig;
use scvi::train::{Event, TrainPlan, TrainingRun, train};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sim = simulate(&SimulateConfig { n_cells: 500, n_genes: 200, ..Default::default() });
    let data = Dataset::new(&sim.counts, sim.batch)?;
    // The encoder is given the batch: a new one can enter the latent space.
    let config =
        VaeConfig { n_input: 200, n_batch: 2, encode_covariates: true, ..VaeConfig::default() };
    let plan = TrainPlan { max_epochs: Some(10), ..TrainPlan::default() };
    let reference = train(config.validate()?, &data, &plan, &mut |_| ControlFlow::Continue(()))?;
    let reference = reference.module;

    let query = simulate(&SimulateConfig { n_cells: 200, n_genes: 200, ..Default::default() });
    let query = Dataset::new(&query.counts, vec![2; 200])?;
    let grown = VaeConfig { n_batch: 3, ..config };
    let model = load_query_data(&reference, &grown.validate()?, &Freeze::default(), 0)?;
    let mut plan = plan;
    plan.adam.weight_decay = 0.0;
    let mut run = TrainingRun::of_model(model, &query, &plan)?;
    let mapped = loop {
        match run.advance()? {
            Event::Done(stop) => break run.finish(stop)?,
            Event::Minibatch | Event::Epoch(_) => {}
        }
    };
    let before = latent_representation(&reference, Cells::all(&data, 128), &mut unwatched)?;
    let after = latent_representation(&mapped.module, Cells::all(&data, 128), &mut unwatched)?;
    println!("reference cells are unchanged: {}", before.mean == after.mean);
    let latent = latent_representation(&mapped.module, Cells::all(&query, 128), &mut unwatched)?;
    println!("the query's first cell: {:.2?}", &latent.mean[..10]);
    Ok(())
}
