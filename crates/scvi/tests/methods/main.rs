//! The module's methods beside a training step: marginal likelihood, posterior predictive samples,
//! differential expression, stored posteriors, embeddings, and that every option trains and evaluates.

#[path = "../common/mod.rs"]
mod common;
mod differential;
mod embeddings;
mod every_option;
mod linear_gaussian;
mod minified;
mod monte_carlo;

use scvi::Cpu;
use scvi::data::{CsrMatrix, Dataset};
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
