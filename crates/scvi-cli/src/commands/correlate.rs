//! `scvi correlate`.

use scvi::model::{Cells, CorrelationOptions, CorrelationType, Watch, feature_correlation_matrix};
use scvi::module::UnknownChoice;
use scvi_io::table::NamedMatrix;

use crate::args::{Common, CorrelateArgs};
use crate::choices::Choices;
use crate::error::CliError;
use crate::input::{cells_for, open_trained};
use crate::matrix_output::MatrixOutput;
use crate::report::Report;
use crate::watching::Tasks;

pub fn run(args: &CorrelateArgs, common: &Common) -> Result<(), CliError> {
    let output =
        MatrixOutput::check(&args.output, "a file ending in .csv, .tsv or .npy, or -", common)?;
    let options = CorrelationOptions {
        correlation_type: correlation_type(&args.correlation_type)?,
        n_samples: args.n_samples,
        rna_size_factor: positive("rna-size-factor", args.rna_size_factor)?,
        seed: common.seed,
        ..CorrelationOptions::default()
    };
    let source = &args.source;
    let mut model = open_trained(&source.model)?;
    let Choices { genes, names, transform_batch } =
        Choices::new(args.gene_list.as_deref(), &args.transform_batch, &model.meta)?;
    let options = CorrelationOptions { transform_batch, genes: Some(genes), ..options };
    let prepared = cells_for(&mut model, source, common)?;
    let data = prepared.dataset()?;
    let cells = Cells::all(&data, source.batch_size);
    let task = |watch: &mut Watch| feature_correlation_matrix(&model.vae, cells, &options, watch);
    let tasks = Tasks::new(common);
    let correlations = tasks.run("correlation of genes", task)?;
    let values: Vec<f32> = correlations.into_iter().map(|r| r as f32).collect();
    let matrix = NamedMatrix { corner: "gene", rows: &names, columns: &names, values: &values };
    output.write(&matrix, common)?;
    if output.is_stdout() {
        return Ok(());
    }
    let mut report = Report::default();
    report
        .add("cells", data.n_cells())
        .dropped(&prepared.dropped)
        .add("genes", names.len())
        .add("seconds", tasks.seconds())
        .add("files", vec![args.output.display().to_string()]);
    report.print(common)
}

fn correlation_type(name: &str) -> Result<CorrelationType, UnknownChoice> {
    match name {
        "spearman" => Ok(CorrelationType::Spearman),
        "pearson" => Ok(CorrelationType::Pearson),
        _ => Err(UnknownChoice {
            option: "correlation_type",
            found: name.to_owned(),
            choices: "spearman, pearson".to_owned(),
        }),
    }
}

fn positive(option: &'static str, value: f64) -> Result<f64, CliError> {
    if value > 0.0 && value.is_finite() {
        return Ok(value);
    }
    Err(CliError::Option { option, found: value.to_string(), range: "a number above 0" })
}
