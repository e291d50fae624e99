//! `scvi normalize`.

use scvi::model::{
    Cells, ExpressionOptions, LibrarySize, Overall, Posterior, Watch, normalized_expression,
};
use scvi_io::h5ad::{Extras, NewRows, Slot, UnsValue};
use scvi_io::rows::Names;
use scvi_io::{SavedModel, open_model};

use crate::args::{Common, NormalizeArgs};
use crate::choices::{batches, gene_list};
use crate::error::CliError;
use crate::input::{Prepared, cells_for};
use crate::report::Report;
use crate::rows_output::{RowsOutput, forgive_closed_pipe, row_error};
use crate::watching::watched;

const KEY: &str = "X_normalized_scVI";

pub fn run(args: &NormalizeArgs, common: &Common) -> Result<(), CliError> {
    let output = RowsOutput::check(&args.output, common)?;
    if args.n_samples_overall.is_some() && output.is_h5ad() {
        return Err(CliError::Option {
            option: "output",
            found: format!("'{}'", args.output.display()),
            range: "no .h5ad with --n-samples-overall, whose rows are not the input's cells",
        });
    }
    let library_size = library_size(&args.library_size)?;
    let source = &args.source;
    let mut model = open_model(&source.model)?;
    let transform_batch = batches(&args.transform_batch, &model.meta.registry)?;
    let listed = args.gene_list.as_ref().map(|path| gene_list(path, &model.meta.var_names));
    let listed = listed.transpose()?;
    let prepared = cells_for(&mut model, source, common)?;
    let genes = listed.clone().unwrap_or_else(|| prepared.genes_of_file());
    let in_order = genes.iter().copied().eq(0..prepared.var_names.len() as u32);
    let options = ExpressionOptions {
        library_size,
        transform_batch: &transform_batch,
        genes: (!in_order).then_some(&genes),
        posterior: match args.posterior_mean {
            true => Posterior::Mean,
            false => Posterior::Samples { n_samples: args.n_samples, seed: common.seed },
        },
        return_mean: true,
    };
    let job = Job { args, common, output: &output, model: &model, prepared: &prepared };
    let written = job.write(&genes, listed.is_some(), &options);
    if output.is_stdout() {
        return forgive_closed_pipe(written.map(drop));
    }
    let mut report = Report::default();
    report
        .add("rows", written?)
        .add("genes", genes.len())
        .add("files", vec![args.output.display().to_string()]);
    report.print(common)
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
    common: &'a Common,
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
        let Self { args, common, output, model, prepared } = *self;
        let columns: Vec<String> =
            genes.iter().map(|&gene| prepared.var_names[gene as usize].clone()).collect();
        let data = prepared.dataset()?;
        let mut cells = Cells::all(&data, args.source.batch_size);
        let (drawn, drawn_names);
        let (mut rows, mut kept) = (&prepared.obs_names[..], prepared.kept());
        if let Some(n) = args.n_samples_overall {
            let overall = Overall { n_samples: n as usize, seed: common.seed };
            drawn = overall.draw(cells)?;
            let names = prepared.kept_names();
            drawn_names = drawn.iter().map(|&c| names[c as usize].clone()).collect::<Vec<_>>();
            cells = Cells::chosen(&data, &drawn, args.source.batch_size).with_noise_by_place();
            (rows, kept) = (&drawn_names, None);
        }
        let n_columns = columns.len();
        let uns = [(&*format!("{KEY}_genes"), UnsValue::Texts(columns.clone()))];
        let (place, extras) = match is_list {
            true => (
                NewRows { slot: Slot::Obsm, key: KEY, columns: n_columns },
                Extras { uns: &uns, ..Extras::default() },
            ),
            false => (
                NewRows { slot: Slot::Layers, key: "scvi_normalized", columns: n_columns },
                Extras::default(),
            ),
        };
        let names = Names { corner: "cell", rows, columns: &columns };
        let mut writer = output.start(names, kept, &prepared.path, place, extras)?;
        let task = |watch: &mut Watch| {
            normalized_expression(&model.vae, cells, options, watch, &mut |_, rows| {
                writer.append(0, rows).map_err(row_error)
            })
        };
        watched("normalised expression", common, task)?;
        writer.finish()?;
        Ok(cells.len())
    }
}
