//! `scvi minify`.

use scvi::data::totals;
use scvi::model::{Cells, TaskError, latent_representation};
use scvi::module::{MinifiedDataType, MinifiedError, PosteriorRows};
use scvi_io::SavedModel;
use scvi_io::anndata::{AnnDataFile, check_minified, write_minified};

use super::latent::Output;
use crate::args::{Common, MinifyArgs};
use crate::copies::tell_replaced;
use crate::error::CliError;
use crate::input::{cells_for, check_genes_of_copy, open_trained};
use crate::log::note;
use crate::report::Report;
use crate::watching::Tasks;

pub fn run(args: &MinifyArgs, common: &Common) -> Result<(), CliError> {
    let Output::Copy(output) = Output::check(&args.output, &args.input, common)? else {
        return Err(CliError::Option {
            option: "output",
            found: format!("'{}'", args.output.display()),
            range: "a file ending in .h5ad or .zarr, as the input",
        });
    };
    let kind = match args.keep_counts {
        true => MinifiedDataType::LatentPosteriorParametersWithCounts,
        false => MinifiedDataType::LatentPosteriorParameters,
    };
    check_minified(&args.input, &output, kind, common.overwrite)?;
    let mut model = open_trained(&args.model)?;
    if !args.keep_counts {
        check_genes_of_copy(&args.input, &args.reading, &model.meta)?;
    }
    let prepared = cells_for(&mut model, &args.source(), common).map_err(told)?;
    let SavedModel { vae, meta, .. } = model;
    if vae.minified_data_type().is_some() {
        return Err(CliError::IsMinified { path: args.input.display().to_string() });
    }
    if !meta.config.use_observed_lib_size {
        return Err(CliError::from(TaskError::from(MinifiedError::InferredLibrary)));
    }
    let data = prepared.dataset()?;
    let cells = Cells::all(&data, args.batch_size);
    let tasks = Tasks::new(common);
    let latent = tasks.run("posteriors", |watch| latent_representation(&vae, cells, watch))?;
    let totals = totals(prepared.counts.source()).map_err(TaskError::from)?;
    let observed_lib_size = totals.into_iter().map(|total| total as f32).collect();
    let posterior = PosteriorRows { qz_m: latent.mean, qz_v: latent.var, observed_lib_size };
    if meta.scvi_tools.is_some() && !args.keep_counts {
        note(
            common,
            "scvi-tools opens the file with a model that it saved after minify_adata(), or that \
             this program trained",
        );
    }
    let replaced = AnnDataFile::open(&args.input)?.replaced_when_minified(meta.posterior_keys())?;
    write_minified(
        &args.input,
        &output,
        (&posterior, meta.posterior_keys()),
        kind,
        common.overwrite,
    )?;
    tell_replaced(&args.input, &output, &replaced, common);
    let mut report = Report::default();
    report
        .add("cells", prepared.counts.n_cells())
        .add("n_latent", latent.n_latent)
        .add("minified_data_type", kind.name())
        .add("seconds", tasks.seconds())
        .add("files", vec![output.display().to_string()]);
    report.print(common)
}

/// Every cell of the output has a posterior: none can be left out.
fn told(error: CliError) -> CliError {
    match error {
        CliError::EmptyCells { path, n_empty, n_cells, names, others, .. } => {
            CliError::NoPosterior { path, n_empty, n_cells, names, others }
        }
        error => error,
    }
}
