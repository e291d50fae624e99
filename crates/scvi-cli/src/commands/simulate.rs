//! `scvi simulate`.

use std::collections::BTreeMap;
use std::path::Path;

use scvi::data::simulate::{SimulateConfig, Simulated, simulate};
use scvi_io::anndata::{Categorical, Column, UnsValue};
use scvi_io::h5ad::{NewAnnData, write_h5ad};
use scvi_io::output::check_output;

use crate::args::{Common, SimulateArgs};
use crate::error::CliError;
use crate::input::Names;
use crate::report::Report;

pub fn run(args: &SimulateArgs, common: &Common) -> Result<(), CliError> {
    let config = SimulateConfig {
        n_cells: args.n_cells,
        n_genes: args.n_genes,
        n_batches: args.n_batches,
        n_cell_types: args.n_cell_types,
        density: args.density,
        seed: common.seed,
    };
    check(&config)?;
    check_output(&args.output, common.overwrite)?;
    let sim = simulate(&config);
    write(&args.output, &config, &sim, common)?;
    let mut report = Report::default();
    report
        .add("cells", config.n_cells)
        .add("genes", config.n_genes)
        .add("batches", config.n_batches)
        .add("cell_types", config.n_cell_types)
        .add("density", sim.counts.nnz() as f64 / (config.n_cells * config.n_genes) as f64)
        .add("files", vec![args.output.display().to_string()]);
    report.print(common)
}

fn check(config: &SimulateConfig) -> Result<(), CliError> {
    let sizes = [
        ("n_cells", config.n_cells),
        ("n_genes", config.n_genes),
        ("n_batches", config.n_batches),
        ("n_cell_types", config.n_cell_types),
    ];
    for (option, found) in sizes {
        if found == 0 || u32::try_from(found).is_err() {
            let range = "from 1 to 4294967295";
            return Err(CliError::Option { option, found: found.to_string(), range });
        }
    }
    if config.density > 0.0 && config.density < 1.0 {
        return Ok(());
    }
    let (option, range) = ("density", "more than 0 and less than 1");
    Err(CliError::Option { option, found: config.density.to_string(), range })
}

/// Names of simulated cells and genes.
pub fn names(config: &SimulateConfig) -> Names {
    Names {
        cells: (0..config.n_cells).map(|c| format!("cell_{c}")).collect(),
        genes: (0..config.n_genes).map(|g| format!("gene_{g}")).collect(),
    }
}

/// Writes simulated counts with their batch and cell type.
pub fn write(
    path: &Path,
    config: &SimulateConfig,
    sim: &Simulated,
    common: &Common,
) -> Result<(), CliError> {
    let Names { cells, genes } = names(config);
    let column = |codes: &[u32], count: usize, name: &str| {
        Column::Categorical(Categorical {
            codes: codes.iter().map(|&c| Some(c)).collect(),
            categories: (0..count).map(|i| format!("{name}_{i}")).collect(),
            ordered: false,
        })
    };
    let mut data = NewAnnData::new(&sim.counts, cells, genes);
    data.obs = vec![
        ("batch".to_owned(), column(&sim.batch, config.n_batches, "batch")),
        ("cell_type".to_owned(), column(&sim.cell_type, config.n_cell_types, "type")),
    ];
    data.uns = BTreeMap::from([
        ("simulated_by".to_owned(), UnsValue::Text("scvi simulate".to_owned())),
        ("simulated_seed".to_owned(), UnsValue::Integer(config.seed as i64)),
    ]);
    Ok(write_h5ad(path, &data, common.overwrite)?)
}
