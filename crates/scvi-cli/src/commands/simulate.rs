//! `scvi simulate`.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use scvi::data::simulate::{SimulateConfig, Simulated, Simulator};
use scvi::model::{Progress, TaskError, Watch};
use scvi_io::anndata::{Categorical, Column, UnsValue};
use scvi_io::h5ad::{CsrRows, NewAnnData, SparseMatrix, write_h5ad};
use scvi_io::output::check_output;

use super::demonstration::CELL_TYPE;
use crate::args::{Common, SimulateArgs};
use crate::error::CliError;
use crate::input::Names;
use crate::report::Report;
use crate::rows_output::row_error;
use crate::watching::Tasks;

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
    let nnz = stream(&args.output, &config, common)?;
    let mut report = Report::default();
    report
        .add("cells", config.n_cells)
        .add("genes", config.n_genes)
        .add("batches", config.n_batches)
        .add("cell_types", config.n_cell_types)
        .add("density", nnz as f64 / (config.n_cells as f64 * config.n_genes as f64))
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

/// Simulates block by block, and writes each while the next is simulated; the number of counts.
fn stream(path: &Path, config: &SimulateConfig, common: &Common) -> Result<usize, CliError> {
    let simulator = Simulator::new(config);
    let cells = 0..config.n_cells;
    let batch = cells.clone().map(|c| simulator.batch(c));
    let cell_type = cells.map(|c| simulator.cell_type(c));
    let failed = |error| TaskError::Write(row_error(error));
    let (file, nnz) = Tasks::new(common).run("simulated cells", |watch: &mut Watch| {
        let data = anndata(config, SparseMatrix::empty(config.n_genes), batch, cell_type);
        let mut file = CsrRows::create(path, &data, common.overwrite).map_err(failed)?;
        drop(data);
        let (mut done, mut nnz) = (0, 0);
        simulator.for_each_block(|counts| {
            file.append(0, (&counts).into()).map_err(failed)?;
            done += counts.n_cells();
            nnz += counts.nnz();
            match watch(Progress { done, total: config.n_cells }) {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(()) => Err(TaskError::Stopped),
            }
        })?;
        Ok::<_, TaskError>((file, nnz))
    })?;
    file.finish()?;
    Ok(nnz)
}

/// Writes simulated counts with their batch and cell type.
pub fn write(
    path: &Path,
    config: &SimulateConfig,
    sim: &Simulated,
    common: &Common,
) -> Result<(), CliError> {
    let (batch, cell_type) = (sim.batch.iter().copied(), sim.cell_type.iter().copied());
    let data = anndata(config, (&sim.counts).into(), batch, cell_type);
    Ok(write_h5ad(path, &data, common.overwrite)?)
}

/// Counts with names, the batch and type of each cell, and where they come from.
fn anndata<'a>(
    config: &SimulateConfig,
    counts: SparseMatrix<'a>,
    batch: impl Iterator<Item = u32>,
    cell_type: impl Iterator<Item = u32>,
) -> NewAnnData<'a> {
    let Names { cells, genes } = names(config);
    let mut data = NewAnnData::new(counts, cells, genes);
    data.obs = vec![
        ("batch".to_owned(), column(batch, config.n_batches, "batch")),
        (CELL_TYPE.to_owned(), column(cell_type, config.n_cell_types, "type")),
    ];
    data.uns = BTreeMap::from([
        ("simulated_by".to_owned(), UnsValue::Text("scvi simulate".to_owned())),
        ("simulated_seed".to_owned(), UnsValue::Integer(config.seed as i64)),
    ]);
    data
}

fn column(codes: impl Iterator<Item = u32>, count: usize, name: &str) -> Column {
    Column::Categorical(Categorical {
        codes: codes.map(Some).collect(),
        categories: (0..count).map(|i| format!("{name}_{i}")).collect(),
        ..Categorical::default()
    })
}
