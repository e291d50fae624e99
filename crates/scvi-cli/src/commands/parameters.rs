//! `scvi parameters`.

use std::path::Path;

use scvi::Cpu;
use scvi::model::{
    Cells, ParameterKinds, Parameters, Posterior, Watch, likelihood_parameters, unwatched,
};
use scvi::module::Vae;
use scvi_io::anndata::{Extras, NewRows, Slot, check_copy};
use scvi_io::output::check_output;
use scvi_io::rows::{MatrixWriter, NpzRows};

use crate::args::{Common, ParametersArgs, output_path};
use crate::copies::create_copy;
use crate::error::CliError;
use crate::input::{Prepared, cells_for, check_genes_of_copy, open_trained};
use crate::report::Report;
use crate::rows_output::row_error;
use crate::watching::Tasks;

pub fn run(args: &ParametersArgs, common: &Common) -> Result<(), CliError> {
    let source = &args.source;
    let to_copy = is_copy(output_path(&args.output))?;
    match to_copy {
        true => check_copy(&source.input, output_path(&args.output), common.overwrite)?,
        false => check_output(output_path(&args.output), common.overwrite)?,
    }
    let mut model = open_trained(&source.model)?;
    if to_copy {
        check_genes_of_copy(&source.input, &source.reading, &model.meta)?;
    }
    let prepared =
        cells_for(&mut model, source, common)?.keeping_dropped_cells(args.keep_dropped_cells);
    let data = prepared.dataset()?;
    let genes = if to_copy { prepared.genes_of_copy() } else { prepared.genes_of_file() };
    let kinds = ParameterKinds::of(&model.vae);
    // In a copy what all cells share stands once, with the genes.
    let shared = to_copy && kinds.dispersion_is_of_gene;
    let mut kept = vec!["mean"];
    kept.extend((kinds.dispersions && !shared).then_some("dispersions"));
    kept.extend(kinds.dropout.then_some("dropout"));
    let first = Cells::chosen(&data, &[0], 1);
    let theta = if shared { Some(dispersions(&model.vae, first, &genes)?) } else { None };
    let mut writer = start(args, common, &prepared, &kept, theta.as_deref(), to_copy)?;
    let posterior = match args.posterior_mean {
        true => Posterior::Mean,
        false => Posterior::Samples { n_samples: args.n_samples, seed: common.seed },
    };
    let cells = Cells::all(&data, source.batch_size);
    let task = |watch: &mut Watch| {
        let mut rows = |found: Parameters| {
            let dispersions = found.dispersions.filter(|_| !shared);
            let matrices = [Some(found.mean), dispersions, found.dropout].into_iter().flatten();
            for (k, values) in matrices.enumerate() {
                let n_rows = found.mean.len() / genes.len();
                writer.append(k, &in_order(values, &genes, n_rows)).map_err(row_error)?;
            }
            Ok(())
        };
        likelihood_parameters(&model.vae, cells, posterior, true, watch, &mut rows)
    };
    let tasks = Tasks::new(common);
    tasks.run("parameters of the likelihood", task)?;
    writer.finish()?;
    let mut names = kept;
    names.extend(shared.then_some("dispersions"));
    let mut report = Report::default();
    report
        .add("cells", cells.len())
        .dropped(&prepared.dropped)
        .add("genes", genes.len())
        .add("parameters", names)
        .add("seconds", tasks.seconds())
        .add("files", vec![output_path(&args.output).display().to_string()]);
    report.print(common)
}

fn is_copy(path: &Path) -> Result<bool, CliError> {
    match path.extension().and_then(|ending| ending.to_str()) {
        Some("h5ad" | "zarr") => Ok(true),
        Some("npz") => Ok(false),
        _ => Err(CliError::Option {
            option: "output",
            found: format!("'{}'", path.display()),
            range: "a file ending in .npz, or in .h5ad or .zarr, as the input",
        }),
    }
}

/// Starts the file with the named matrices.
fn start<'a>(
    args: &ParametersArgs,
    common: &Common,
    prepared: &'a Prepared,
    names: &[&str],
    theta: Option<&[f32]>,
    to_copy: bool,
) -> Result<MatrixWriter<'a>, CliError> {
    let (n_rows, columns) = (prepared.output_names().len(), prepared.var_names.len());
    if !to_copy {
        let members: Vec<(&str, usize)> = names.iter().map(|&name| (name, columns)).collect();
        let file = NpzRows::create(output_path(&args.output), n_rows, &members, common.overwrite)?;
        return Ok(MatrixWriter::new(file, n_rows, prepared.output_rows()));
    }
    let keys: Vec<String> = names.iter().map(|name| format!("scvi_{name}")).collect();
    let layers: Vec<NewRows> =
        keys.iter().map(|key| NewRows { slot: Slot::Layers, key, columns }).collect();
    let var: Vec<(&str, &[f32])> =
        theta.map(|theta| ("scvi_dispersions", theta)).into_iter().collect();
    let extras = Extras { var: &var, ..Extras::default() };
    let file = create_copy(
        prepared,
        output_path(&args.output),
        &layers,
        extras,
        common.overwrite,
        common,
    )?;
    Ok(MatrixWriter::new(file, n_rows, prepared.output_rows()))
}

/// The dispersion of each gene of the file.
fn dispersions(vae: &Vae<Cpu<f32>>, cell: Cells, genes: &[u32]) -> Result<Vec<f32>, CliError> {
    let mut all = Vec::new();
    let mut rows = |found: Parameters| {
        all.extend(in_order(found.dispersions.unwrap_or_default(), genes, 1));
        Ok(())
    };
    likelihood_parameters(vae, cell, Posterior::Mean, true, &mut unwatched, &mut rows)?;
    Ok(all)
}

/// `n_rows` rows with genes in the order of the file; a single row is that of every cell.
fn in_order(values: &[f32], genes: &[u32], n_rows: usize) -> Vec<f32> {
    let rows = values.chunks_exact(genes.len()).cycle().take(n_rows);
    rows.flat_map(|row| genes.iter().map(|&gene| row[gene as usize])).collect()
}
