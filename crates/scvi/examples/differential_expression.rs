//! Genes that differ between two simulated cell types.
//!
//! ```sh
//! cargo run --release -p scvi --example differential_expression
//! ```

use std::ops::ControlFlow;

use scvi::data::Dataset;
use scvi::data::simulate::{SimulateConfig, simulate};
use scvi::model::{
    Change, Contrast, DifferentialOptions, Group, Test, differential_expression, unwatched,
};
use scvi::module::VaeConfig;
use scvi::train::{TrainPlan, train};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sim = simulate(&SimulateConfig { n_cells: 500, n_genes: 200, ..Default::default() });
    let data = Dataset::new(&sim.counts, sim.batch)?;
    let config = VaeConfig { n_input: 200, n_batch: 2, ..VaeConfig::default() };
    let plan = TrainPlan { max_epochs: Some(20), ..TrainPlan::default() };
    let trained = train(config.validate()?, &data, &plan, &mut |_| ControlFlow::Continue(()))?;

    let cells_of = |wanted: u32| {
        let cells = sim.cell_type.iter().enumerate();
        cells.filter(|&(_, &found)| found == wanted).map(|(cell, _)| cell as u32).collect()
    };
    let groups: Vec<Group> =
        (0..2).map(|k| Group { name: format!("type {k}"), cells: cells_of(k) }).collect();
    let contrasts = [Contrast { group1: 0, group2: Some(1) }];
    let options =
        DifferentialOptions { test: Test::Change(Change::default()), ..Default::default() };
    let found = differential_expression(
        &trained.module,
        &data,
        &groups,
        &contrasts,
        &options,
        &mut unwatched,
    )?;
    let column = |name| found[0].numbers(name).ok_or("a column of mode change is missing");
    let (probability, change) = (column("proba_de")?, column("lfc_mean")?);
    println!("gene  proba_de  log2 fold change");
    for (row, gene) in found[0].genes.iter().take(5).enumerate() {
        println!("{gene:4}  {:8.3}  {:+.2}", probability[row], change[row]);
    }
    Ok(())
}
