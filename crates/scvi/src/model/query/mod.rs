//! Mapping a query onto a reference model: architectural surgery (scArches).
//!
//! The query's new batches and categories get columns of their own in the weights of a trained
//! model, and little else learns: what the reference knows stays as it is.
//!
//! ```
//! use scvi::data::simulate::{SimulateConfig, simulate};
//! use scvi::data::{CategoricalField, Dataset, Registry};
//! use scvi::model::query::{Freeze, grown_config, load_query_data};
//! use scvi::module::{Vae, VaeConfig};
//! use scvi::train::{Event, TrainPlan, TrainingRun};
//! use scvi::Cpu;
//!
//! let mut batch = CategoricalField {
//!     key: "batch".to_owned(),
//!     categories: vec!["a".to_owned(), "b".to_owned()],
//!     kind: Default::default(),
//! };
//! let config = VaeConfig { n_input: 40, n_batch: 2, n_hidden: 16, ..Default::default() };
//! let mut reference = Vae::new(Cpu::<f32>::new(), config.validate()?, 0); // trained somewhere
//!
//! batch.categories.push("new".to_owned());
//! let registry = Registry { batch: Some(batch), ..Registry::default() };
//! let grown = grown_config(reference.spec().config(), &registry, None)?;
//! let freeze = Freeze::default();
//! let query = load_query_data(&reference, &grown.validate()?, &freeze, 0)?;
//!
//! let sim = simulate(&SimulateConfig { n_cells: 60, n_genes: 40, ..Default::default() });
//! let data = Dataset::new(&sim.counts, vec![2; 60])?;
//! let mut plan = TrainPlan { max_epochs: Some(2), ..Default::default() };
//! plan.adam.weight_decay = 0.0;
//! let mut run = TrainingRun::of_model(query, &data, &plan)?;
//! let mapped = loop {
//!     if let Event::Done(stop) = run.advance()? {
//!         break run.finish(stop)?.module;
//!     }
//! };
//! assert_eq!(mapped.spec().config().n_batch, 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Source: Lotfollahi et al. 2022, "Mapping single-cell data to reference atlases by transfer
//! learning" (Nature Biotechnology 40:121); scvi-tools 1.4.2, `model/base/_archesmixin.py`.

mod error;
mod freeze;
mod growth;
mod mappable;
mod surgery;

use crate::data::{LibraryPrior, Registry};
use crate::module::{BatchRepresentation, VaeConfig, VaeSpec};
use crate::nn::TrainableEntries;

pub use error::QueryError;
pub use freeze::Freeze;
use growth::Growth;
pub use mappable::Mappable;

/// The configuration of a reference that has grown to the categories of `registry`, its own first.
///
/// Labels of a SCANVI do not grow: its registry is given without them.
///
/// Where the reference infers libraries, `prior` has the moments of the query's, a number a batch of
/// the grown model; of batches that the reference knows it keeps its own.
///
/// # Errors
/// [`QueryError::NeedsPrior`] where that prior is missing or of other batches.
pub fn grown_config(
    reference: &VaeConfig,
    registry: &Registry,
    prior: Option<&LibraryPrior>,
) -> Result<VaeConfig, QueryError> {
    let mut grown = reference.clone();
    let count = |n: &mut usize, field: &Option<_>| {
        if let Some(crate::data::CategoricalField { categories, .. }) = field {
            *n = categories.len();
        }
    };
    count(&mut grown.n_batch, &registry.batch);
    count(&mut grown.n_labels, &registry.labels);
    let covariates = registry.categorical_covariates.iter();
    grown.n_cats_per_cov = covariates.map(|field| field.categories.len()).collect();
    if grown.batch_representation == BatchRepresentation::Embedding {
        // Counted from the end it would name another batch now.
        let padding = grown.batch_embedding_kwargs.padding_row(reference.n_batch);
        grown.batch_embedding_kwargs.padding_idx = padding.map(i64::from);
    }
    let n_batch = grown.n_batch;
    let priors = [
        (&mut grown.library_log_means, prior.map(|p| &p.log_means)),
        (&mut grown.library_log_vars, prior.map(|p| &p.log_vars)),
    ];
    for (own, query) in priors {
        if let Some(own) = own.as_mut().filter(|own| own.len() < n_batch) {
            match query.filter(|query| query.len() == n_batch) {
                Some(query) => own.extend_from_slice(&query[own.len()..]),
                None => return Err(QueryError::NeedsPrior { n_batch }),
            }
        }
    }
    Ok(grown)
}

/// The model of a reference and a query, ready to be trained on the query
/// ([`crate::train::TrainingRun::of_model`], with weight decay 0).
///
/// Every weight of the reference keeps its value, each in the column of its own category. Of the
/// numbers that are new:
///
/// - columns of new categories are drawn from `seed` as those of a new model;
/// - a covariate that had one category had no column: the reference's is 0 and frozen, so that the
///   reference's cells are seen as before;
/// - px_r of a new batch or label starts at the mean over the reference's, gene by gene;
/// - vectors of new batches in an embedding are drawn from N(0, 1).
///
/// Before training, whatever the model says of a reference cell is bit-identical to the reference's
/// answer; what stays so in training is in [`Freeze`].
///
/// # Errors
/// [`QueryError`] where `grown` is not the reference with more categories.
pub fn load_query_data<M: Mappable>(
    reference: &M,
    grown: &VaeSpec,
    freeze: &Freeze,
    seed: u64,
) -> Result<M, QueryError> {
    let known = reference.state_dict();
    let spec = reference.vae().spec();
    let growth = Growth::new(spec, grown)?;
    let mut module = reference.with_vae(freeze.trained_with(grown)?, freeze, seed)?;
    let state = surgery::extend(known, module.state_dict(), &growth)?;
    module.load_state_dict(state)?;
    freeze_reference(&mut module, spec, freeze)?;
    Ok(module)
}

/// Keeps training from moving what `freeze` names in a model that grew from `reference`: the last
/// step of [`load_query_data`], for such a model that was rebuilt from its tensors.
///
/// # Errors
/// [`QueryError`] where the model is not the reference with more categories.
pub fn freeze_reference<M: Mappable>(
    module: &mut M,
    reference: &VaeSpec,
    freeze: &Freeze,
) -> Result<(), QueryError> {
    let grown = module.vae().spec().clone();
    let growth = Growth::new(reference, &grown)?;
    module.set_trained(&|name, shape| freeze.trained(name, shape, &growth));
    Ok(())
}

/// The tensors that training moves, by name, with how much of each where that is not all.
///
/// # Errors
/// As [`load_query_data`].
pub fn trained_tensors<M: Mappable>(
    reference: &M,
    grown: &VaeSpec,
    freeze: &Freeze,
) -> Result<Vec<String>, QueryError> {
    let known = reference.state_dict();
    let growth = Growth::new(reference.vae().spec(), grown)?;
    let described = known.into_iter().filter_map(|(name, tensor)| {
        match freeze.trained(&name, &tensor.shape, &growth) {
            TrainableEntries::Nothing => None,
            TrainableEntries::All => Some(name),
            TrainableEntries::Only { dim, indices } => {
                let what = if dim == 0 { "rows" } else { "columns" };
                let indices: Vec<String> = indices.iter().map(usize::to_string).collect();
                Some(format!("{name} ({what} {})", indices.join(" ")))
            }
        }
    });
    Ok(described.collect())
}

/// Whether training can move the latent representation of any cell, the query's included: whether
/// it reaches a number of the encoder.
///
/// With `encode_covariates` off, the default, the encoder has no column of a batch, and the answer
/// is no unless [`Freeze`] lets more of it go.
///
/// # Errors
/// As [`load_query_data`].
pub fn moves_latent(
    reference: &VaeSpec,
    grown: &VaeSpec,
    freeze: &Freeze,
) -> Result<bool, QueryError> {
    let growth = Growth::new(reference, grown)?;
    Ok(freeze.moves_encoder(&growth))
}
