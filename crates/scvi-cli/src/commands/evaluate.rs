//! `scvi evaluate`.

use std::path::Path;

use scvi::model::{CellElbo, Draw, elbo};
use scvi_io::load_model;
use scvi_io::output::{AtomicFile, check_output};

use crate::args::{Common, EvaluateArgs};
use crate::error::CliError;
use crate::input::{Prepared, for_model};
use crate::report::Report;

pub fn run(args: &EvaluateArgs, common: &Common) -> Result<(), CliError> {
    if let Some(path) = &args.per_cell {
        check_output(path, common.overwrite)?;
    }
    let source = &args.source;
    let (vae, meta) = load_model(&source.model)?;
    let prepared = for_model(&source.input, &meta, source.drop_empty_cells, common)?;
    let draw = if args.posterior_mean { Draw::Mean } else { Draw::Sample { seed: common.seed } };
    let terms = elbo(&vae, &prepared.dataset()?, source.batch_size, draw)?;
    if let Some(path) = &args.per_cell {
        write(path, &prepared, &terms, common)?;
    }
    let mean = |values: &[f32]| values.iter().map(|&v| v as f64).sum::<f64>() / values.len() as f64;
    let (reconstruction, kl) = (mean(&terms.reconstruction_loss), mean(&terms.kl_local));
    let mut report = Report::default();
    report
        .add("n_cells", prepared.counts.n_cells())
        .add("elbo", -(reconstruction + kl))
        .add("reconstruction_loss", reconstruction)
        .add("kl_local", kl);
    report.print(common)
}

fn write(
    path: &Path,
    prepared: &Prepared,
    terms: &CellElbo,
    common: &Common,
) -> Result<(), CliError> {
    let file = AtomicFile::create(path, common.overwrite)?;
    let mut csv = csv::Writer::from_writer(file);
    let mut rows = || -> csv::Result<()> {
        csv.write_record(["cell", "elbo", "reconstruction_loss", "kl_local"])?;
        let losses = terms.reconstruction_loss.iter().zip(&terms.kl_local);
        for ((name, elbo), (reconstruction, kl)) in
            prepared.kept_names().iter().zip(terms.elbo()).zip(losses)
        {
            let numbers = [elbo.to_string(), reconstruction.to_string(), kl.to_string()];
            csv.write_record(std::iter::once(name).chain(&numbers))?;
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
