//! Expression of one gene in two cells, as if all cells came from the first batch.
//!
//! ```sh
//! cargo run --release -p scvi --example normalized_expression
//! ```

use std::ops::ControlFlow;

use scvi::data::Dataset;
use scvi::data::simulate::{SimulateConfig, simulate};
use scvi::model::{Cells, ExpressionOptions, LibrarySize, normalized_expression, unwatched};
use scvi::module::VaeConfig;
use scvi::train::{TrainPlan, train};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sim = simulate(&SimulateConfig { n_cells: 500, n_genes: 200, ..Default::default() });
    let data = Dataset::new(&sim.counts, sim.batch)?;
    let config = VaeConfig { n_input: 200, n_batch: 2, ..VaeConfig::default() };
    let plan = TrainPlan { max_epochs: Some(10), ..TrainPlan::default() };
    let trained = train(config.validate()?, &data, &plan, &mut |_| ControlFlow::Continue(()))?;

    // Rows come minibatch by minibatch: a result larger than memory can be written as it comes.
    let (gene, first_batch) = ([17], [0]);
    let options = ExpressionOptions {
        library_size: LibrarySize::Fixed(1e4),
        transform_batch: &first_batch,
        genes: Some(&gene),
        ..ExpressionOptions::default()
    };
    let mut values = Vec::new();
    let cells = Cells::all(&data, 128);
    normalized_expression(&trained.module, cells, &options, &mut unwatched, &mut |_, rows| {
        values.extend_from_slice(rows);
        Ok(())
    })?;
    println!("gene 17 per 10,000 counts: {:.2} and {:.2}", values[0], values[1]);
    Ok(())
}
