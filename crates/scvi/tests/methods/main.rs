//! The module's methods beside a training step: marginal likelihood, posterior predictive samples,
//! differential expression, importance weights, stored posteriors, embeddings, and that every option
//! trains and evaluates.

#[path = "../common/mod.rs"]
mod common;
mod correlation;
mod differential;
mod differential_outliers;
mod embeddings;
mod every_option;
mod importance;
mod linear_gaussian;
mod minified;
mod monte_carlo;

use scvi::Cpu;
use scvi::data::{CsrMatrix, Dataset};
use scvi::model::{Cells, SampleOptions, TaskError, posterior_predictive_sample, unwatched};
use scvi::module::{Minibatch, Vae, VaeConfig};

/// Counts of a minibatch as a data set of its own.
fn counts(batch: &Minibatch, n_genes: usize) -> CsrMatrix {
    let rows = &batch.rows;
    let indptr = rows.indptr.iter().map(|&i| i as u64).collect();
    CsrMatrix::new(n_genes, indptr, rows.genes.clone(), rows.counts.clone()).unwrap()
}

/// The covariates of a minibatch with its counts.
fn dataset<'a>(counts: &'a CsrMatrix, batch: &Minibatch, config: &VaeConfig) -> Dataset<'a> {
    let mut data = Dataset::new(counts, batch.batch.clone()).unwrap();
    if !batch.labels.is_empty() {
        data = data.with_labels(batch.labels.clone()).unwrap();
    }
    if !batch.size_factor.is_empty() {
        data = data.with_size_factor(batch.size_factor.clone()).unwrap();
    }
    let (categories, continuous) = (config.n_cats_per_cov.len(), config.n_continuous_cov);
    let data = data.with_categories(batch.categories.clone(), categories).unwrap();
    data.with_continuous(batch.continuous.clone(), continuous).unwrap()
}

/// A new model.
fn model(config: &VaeConfig) -> Vae<Cpu<f32>> {
    Vae::new(Cpu::new(), config.validate().unwrap(), 3)
}

/// A model with the weights of its fixture.
fn trained(fixture: &common::Fixture) -> Vae<Cpu<f32>> {
    let mut vae = model(&fixture.entry.config);
    let state = fixture.state(&vae.state_dict());
    vae.load_state_dict(state).unwrap();
    vae
}

/// Posterior predictive draws: `(cells, genes, n_samples)`.
fn draws(
    vae: &Vae<Cpu<f32>>,
    cells: Cells,
    options: &SampleOptions,
) -> Result<Vec<f32>, TaskError> {
    let n_genes = options.genes.as_ref().map_or(vae.spec().config().n_input, Vec::len);
    let n_samples = options.n_samples as usize;
    let mut all = vec![f32::NAN; cells.len() * n_genes * n_samples];
    let mut sink = |rows: scvi::model::SampledRows| {
        let places = all[rows.first * n_genes * n_samples..].iter_mut().skip(rows.draw as usize);
        places.step_by(n_samples).zip(rows.values).for_each(|(place, &x)| *place = x);
        Ok(())
    };
    posterior_predictive_sample(vae, cells, options, &mut sink, &mut unwatched)?;
    Ok(all)
}
