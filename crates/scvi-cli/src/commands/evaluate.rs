//! `scvi evaluate`.

use std::path::Path;

use scvi::model::{CellElbo, Cells, PointEstimate, Watch, elbo, marginal_ll};
use scvi_io::SavedModel;
use scvi_io::output::{AtomicFile, check_output};

use crate::args::{Common, EvaluateArgs};
use crate::error::CliError;
use crate::input::{Prepared, open};
use crate::report::Report;
use crate::watching::Tasks;

pub fn run(args: &EvaluateArgs, common: &Common) -> Result<(), CliError> {
    if let Some(path) = &args.per_cell {
        check_output(path, common.overwrite)?;
    }
    let source = &args.source;
    let (model, prepared) = open(source, common)?;
    let SavedModel { vae, .. } = &model;
    let draw = if args.posterior_mean {
        PointEstimate::Mean
    } else {
        PointEstimate::Sample { seed: common.seed }
    };
    let data = prepared.dataset()?;
    let cells = Cells::all(&data, source.batch_size);
    let tasks = Tasks::new(common);
    let module = model.scanvae();
    let terms = tasks.run("evaluating", |watch| match &module {
        Some(module) => elbo(module, cells, draw, watch),
        None => elbo(vae, cells, draw, watch),
    })?;
    let likelihoods = args.n_mc_samples.map(|k| {
        let task = |watch: &mut Watch| marginal_ll(vae, cells, k, common.seed, watch);
        tasks.run("estimating the marginal likelihood", task)
    });
    let likelihoods = likelihoods.transpose()?;
    if let Some(path) = &args.per_cell {
        write(path, &prepared, &terms, likelihoods.as_deref(), common)?;
    }
    let mean = |values: &[f32]| values.iter().map(|&v| v as f64).sum::<f64>() / values.len() as f64;
    let (reconstruction, kl) = (mean(&terms.reconstruction_loss), mean(&terms.kl_local));
    let mut report = Report::default();
    report
        .add("n_cells", prepared.counts.n_cells())
        .dropped(&prepared.dropped)
        .add("elbo", -(reconstruction + kl))
        .add("reconstruction_loss", reconstruction)
        .add("kl_local", kl);
    if let Some(values) = &likelihoods {
        report.add("marginal_ll", values.iter().sum::<f64>() / values.len() as f64);
    }
    report.add("seconds", tasks.seconds());
    report.print(common)
}

fn write(
    path: &Path,
    prepared: &Prepared,
    terms: &CellElbo,
    likelihoods: Option<&[f64]>,
    common: &Common,
) -> Result<(), CliError> {
    let file = AtomicFile::create(path, common.overwrite)?;
    let mut csv = csv::Writer::from_writer(file);
    let mut rows = || -> csv::Result<()> {
        let columns = ["cell", "elbo", "reconstruction_loss", "kl_local", "marginal_ll"];
        csv.write_record(&columns[..if likelihoods.is_some() { 5 } else { 4 }])?;
        let losses = terms.reconstruction_loss.iter().zip(&terms.kl_local);
        let names = prepared.kept_names();
        for (cell, ((name, elbo), (reconstruction, kl))) in
            names.iter().zip(terms.elbo()).zip(losses).enumerate()
        {
            let numbers = [elbo.to_string(), reconstruction.to_string(), kl.to_string()];
            let likelihood = likelihoods.map(|values| values[cell].to_string());
            csv.write_record(std::iter::once(name).chain(&numbers).chain(&likelihood))?;
        }
        Ok(())
    };
    let fault = |e: &dyn std::fmt::Display| scvi_io::IoError::BadOutput {
        path: path.to_owned(),
        problem: e.to_string(),
    };
    rows().map_err(|e| fault(&e))?;
    csv.into_inner().map_err(|e| fault(&e.error()))?.finish()?;
    Ok(())
}
