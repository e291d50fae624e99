//! `scvi normalize`.

use scvi::model::{
    Cells, DrawnRows, ExpressionOptions, LibrarySize, Overall, Posterior, Watch, Weights,
    normalized_expression,
};
use scvi_io::SavedModel;
use scvi_io::anndata::{Extras, NewRows, Slot, UnsValue};
use scvi_io::rows::Names;

use crate::args::{Common, NormalizeArgs, output_path};
use crate::choices::{batches, gene_list};
use crate::error::CliError;
use crate::input::{Prepared, cells_for, check_genes_of_copy, open_trained};
use crate::report::Report;
use crate::rows_output::{RowsOutput, forgive_closed_pipe, row_error};
use crate::watching::Tasks;

/// Where the result goes in a copy of the input: of all genes, and of listed ones.
const LAYER: &str = "scvi_normalized";
const KEY: &str = "X_normalized_scVI";

pub fn run(args: &NormalizeArgs, common: &Common) -> Result<(), CliError> {
    let copied = args.n_samples_overall.is_none().then_some(&*args.source.input);
    let output = RowsOutput::check(output_path(&args.output), copied, common)?;
    check(args, &output)?;
    let library_size = library_size(&args.library_size)?;
    let source = &args.source;
    let mut model = open_trained(&source.model)?;
    let transform_batch = batches(&args.transform_batch, &model.meta.registry)?;
    let listed = args.gene_list.as_ref().map(|path| gene_list(path, &model.meta.var_names));
    let listed = listed.transpose()?;
    let has_layers = output.is_copy() && listed.is_none();
    if has_layers {
        check_genes_of_copy(&source.input, &source.reading, &model.meta)?;
    }
    let prepared =
        cells_for(&mut model, source, common)?.keeping_dropped_cells(args.keep_dropped_cells);
    let genes = listed.clone().unwrap_or_else(|| match has_layers {
        true => prepared.genes_of_copy(),
        false => prepared.genes_of_file(),
    });
    let in_order = genes.iter().copied().eq(0..prepared.var_names.len() as u32);
    let options = ExpressionOptions {
        library_size,
        transform_batch: &transform_batch,
        genes: (!in_order).then_some(&genes),
        posterior: match args.posterior_mean {
            true => Posterior::Mean,
            false => Posterior::Samples { n_samples: args.n_samples, seed: common.seed },
        },
        return_mean: !args.return_samples,
    };
    let tasks = Tasks::new(common);
    let job = Job { args, tasks: &tasks, output: &output, model: &model, prepared: &prepared };
    let written = job.write(&genes, listed.is_some(), &options);
    if output.is_stdout() {
        return forgive_closed_pipe(written.map(drop));
    }
    let mut report = Report::default();
    report
        .add("rows", written?)
        .dropped(&prepared.dropped)
        .add("genes", genes.len())
        .add("seconds", tasks.seconds())
        .add("files", vec![output_path(&args.output).display().to_string()]);
    report.print(common)
}

/// Whether output and weights go with the rows that are asked for.
fn check(args: &NormalizeArgs, output: &RowsOutput) -> Result<(), CliError> {
    if args.return_samples {
        output.check_draws()?;
    }
    if args.n_samples_overall.is_none() && args.weights.weights() != Weights::Uniform {
        return Err(CliError::Option {
            option: "weights",
            found: "importance".to_owned(),
            range: "uniform without --n-samples-overall: what is weighed are draws over all cells",
        });
    }
    Ok(())
}

fn library_size(typed: &str) -> Result<LibrarySize, CliError> {
    match typed.parse::<f64>() {
        _ if typed == "latent" => Ok(LibrarySize::Latent),
        Ok(size) if size > 0.0 && size.is_finite() => Ok(LibrarySize::Fixed(size)),
        _ => Err(CliError::Option {
            option: "library-size",
            found: format!("'{typed}'"),
            range: "a number above 0, or latent",
        }),
    }
}

/// What is written, from what, and where to.
struct Job<'a> {
    args: &'a NormalizeArgs,
    tasks: &'a Tasks<'a>,
    output: &'a RowsOutput,
    model: &'a SavedModel,
    prepared: &'a Prepared,
}

impl Job<'_> {
    /// Decodes and writes; the number of rows.
    fn write(
        &self,
        genes: &[u32],
        is_list: bool,
        options: &ExpressionOptions,
    ) -> Result<usize, CliError> {
        let Self { args, tasks, output, model, prepared } = *self;
        let columns: Vec<String> =
            genes.iter().map(|&gene| prepared.var_names[gene as usize].clone()).collect();
        let data = prepared.dataset()?;
        let mut cells = Cells::all(&data, args.source.batch_size);
        let (drawn, drawn_names);
        let cell_names = prepared.output_names();
        let (mut rows, mut kept) = (&cell_names[..], prepared.output_rows());
        if let Some(n) = args.n_samples_overall {
            drawn = self.draw(n, cells, options)?;
            let names = prepared.kept_names();
            let of = |&cell: &u32| names[cell as usize].clone();
            drawn_names = drawn.cells().iter().map(of).collect::<Vec<_>>();
            cells = drawn.rows(&data, args.source.batch_size);
            (rows, kept) = (&drawn_names, None);
        }
        let keys = self.keys(if is_list { KEY } else { LAYER });
        let slot = if is_list { Slot::Obsm } else { Slot::Layers };
        let uns = [(&*format!("{KEY}_genes"), UnsValue::Texts(columns.clone()))];
        let extras = Extras { uns: if is_list { &uns } else { &[] }, ..Extras::default() };
        let places: Vec<NewRows> =
            keys.iter().map(|key| NewRows { slot, key, columns: columns.len() }).collect();
        let names = Names { corner: "cell", rows, columns: &columns };
        let mut writer = output.start(names, kept, prepared, &places, extras, tasks.common)?;
        let task = |watch: &mut Watch| {
            normalized_expression(&model.vae, cells, options, watch, &mut |draw, rows| {
                writer.append(draw as usize, rows).map_err(row_error)
            })
        };
        tasks.run("normalised expression", task)?;
        writer.finish()?;
        Ok(cells.len())
    }

    /// The rows of `--n-samples-overall`.
    fn draw(
        &self,
        n: u32,
        cells: Cells,
        options: &ExpressionOptions,
    ) -> Result<DrawnRows, CliError> {
        let weights = self.args.weights.weights();
        let overall = Overall { n_samples: n as usize, seed: self.tasks.common.seed, weights };
        self.tasks.run("drawing cells", |watch: &mut Watch| {
            overall.draw(&self.model.vae, cells, options.transform_batch, watch)
        })
    }

    /// Names of the matrices: one, or one for each draw.
    fn keys(&self, base: &str) -> Vec<String> {
        match self.args.n_samples {
            n if self.args.return_samples && n > 1 => {
                (0..n).map(|draw| format!("{base}_{draw}")).collect()
            }
            _ => vec![base.to_owned()],
        }
    }
}
