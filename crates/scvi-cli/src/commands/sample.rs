//! `scvi sample`.

use scvi::model::{
    Cells, SampleOptions, SampledRows, SparseSample, TaskError, Watch, posterior_predictive_sample,
};
use scvi_io::h5ad::{CsrRows, NewAnnData, SparseMatrix};
use scvi_io::output::check_output;

use crate::args::{Common, SampleArgs, output_path};
use crate::choices::Choices;
use crate::error::CliError;
use crate::input::{cells_for, open_trained};
use crate::report::Report;
use crate::rows_output::row_error;
use crate::watching::Tasks;

pub fn run(args: &SampleArgs, common: &Common) -> Result<(), CliError> {
    if output_path(&args.output).extension().is_none_or(|e| e != "h5ad") {
        let found = format!("'{}'", output_path(&args.output).display());
        let range = "a file ending in .h5ad: draws are written sparse";
        return Err(CliError::Option { option: "output", found, range });
    }
    check_output(output_path(&args.output), common.overwrite)?;
    let source = &args.source;
    let mut model = open_trained(&source.model)?;
    let Choices { genes, names, transform_batch } =
        Choices::new(args.gene_list.as_deref(), &args.transform_batch, &model.meta)?;
    let prepared = cells_for(&mut model, source, common)?;
    let data = prepared.dataset()?;
    let options = SampleOptions {
        n_samples: args.n_samples,
        transform_batch,
        genes: Some(genes),
        seed: common.seed,
        ..SampleOptions::default()
    };
    let cells = Cells::all(&data, source.batch_size);
    let none = SparseMatrix::empty(names.len());
    let mut out = NewAnnData::new(none, prepared.kept_names().into_owned(), names);
    out.layers = (1..args.n_samples).map(|draw| (format!("draw_{draw}"), none)).collect();
    let mut file = CsrRows::create(output_path(&args.output), &out, common.overwrite)?;
    let task = |watch: &mut Watch| {
        let mut rows = SparseSample::new(out.var_names.len());
        let mut sink = |sampled: SampledRows| {
            rows.clear();
            rows.push(sampled.values);
            let written = file.append(sampled.draw as usize, sparse(&rows));
            written.map_err(|e| TaskError::Write(row_error(e)))
        };
        posterior_predictive_sample(&model.vae, cells, &options, &mut sink, watch)
    };
    let tasks = Tasks::new(common);
    tasks.run("posterior predictive draws", task)?;
    file.finish()?;
    let mut report = Report::default();
    report
        .add("cells", out.obs_names.len())
        .dropped(&prepared.dropped)
        .add("genes", out.var_names.len())
        .add("n_samples", args.n_samples as usize)
        .add("seconds", tasks.seconds())
        .add("files", vec![output_path(&args.output).display().to_string()]);
    report.print(common)
}

fn sparse(draw: &SparseSample) -> SparseMatrix<'_> {
    let SparseSample { n_genes, indptr, indices, values } = draw;
    SparseMatrix { n_columns: *n_genes, indptr, indices, values }
}
