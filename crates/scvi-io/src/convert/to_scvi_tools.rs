//! A model of ours as a save of scvi-tools.

use std::collections::BTreeMap;

use scvi::data::minibatches;
use scvi::module::{Dispersion, VaeConfig};
use scvi::nn::{StateDict, Tensor};

use super::model_class::ModelClass;
use super::registry::Sizes;
use super::{ScviToolsExtras, config, extras, history, registry, scanvi, unused};
use crate::saved_model::{ModelMeta, SavedModel, TrainingMeta, check_meta};
use crate::scvi_tools::{SaveError, ScviToolsSave, StateTensor};

/// Makes a save of a model, which `scvi.model.SCVI.load` (or `LinearSCVI.load`) opens with data
/// that has the columns the model was set up with; training goes on from there, and
/// `load_query_data` maps new cells.
///
/// The module's documentation says what stands in the tensors that the model lacks.
///
/// # Errors
/// [`SaveError::Model`] where scvi-tools has no such model: a linear decoder with a size factor or
/// dispersion gene-label, batches without a column that tells them.
pub fn to_scvi_tools(model: &mut SavedModel) -> Result<ScviToolsSave, SaveError> {
    let fault = |problem| SaveError::Model { problem };
    check_meta(&model.meta).map_err(fault)?;
    check_known(&model.meta).map_err(fault)?;
    let ModelMeta { config, registry, var_names, split, training, scvi_tools, .. } = &model.meta;
    let class = ModelClass::of_model(&model.meta);
    let none = ScviToolsExtras::default();
    let extras = scvi_tools.as_ref().unwrap_or(&none);
    let mut read = model.vae.state_dict();
    check_embeddings(config, &read).map_err(fault)?;
    read.extend(model.labels.clone());
    let mut unread = model.unused.clone();
    unused::draw_missing(config, &mut unread, training.seed).map_err(|e| fault(e.to_string()))?;
    let is_trained = training.is_trained();
    // A save that scvi-tools did not train from cells has no split, trained or not.
    let parts = [&split.train, &split.validation, &split.test];
    let has_split = is_trained && parts.iter().any(|rows| !rows.is_empty());
    let [train, validation, test] = parts
        .map(|rows| has_split.then(|| rows.iter().map(|&row| row as usize).collect::<Vec<_>>()));
    let sizes = Sizes { n_cells: training.n_cells, var_names };
    let mut setup = registry::to_setup(registry, &sizes, class, extras)?;
    if scvi_tools.is_none() && !config.linear_decoder {
        // A model that was a save there says what that save said.
        registry::allow_minified(&mut setup);
    }
    let mut init_params = config::to_arguments(config);
    if let Some(meta) = &model.meta.scanvi {
        init_params.extend(scanvi::to_arguments(meta, setup.scvi_version.as_deref()));
        scanvi::name_unlabeled(&mut setup, meta);
    }
    Ok(ScviToolsSave {
        state_dict: state_dict(&model.meta, extras, read, unread),
        var_names: var_names.clone(),
        registry: setup,
        init_params,
        history: history::from_table(&model.history),
        train_indices: train,
        validation_indices: validation,
        test_indices: test,
        is_trained,
        attributes: extras::values(&extras.attributes),
    })
}

/// Whether scvi-tools has such a model.
fn check_known(meta: &ModelMeta) -> Result<(), String> {
    let (config, registry) = (&meta.config, &meta.registry);
    let columns = [
        (registry.batch.is_some(), config.n_batch, "batches", "batch"),
        (registry.labels.is_some(), config.n_labels, "labels", "labels"),
    ];
    for (named, n, what, field) in columns {
        if !named && n > 1 {
            return Err(format!("{n} {what}, and no column of the registry's {field} for them"));
        }
    }
    if config.linear_decoder && registry.size_factor.is_some() {
        return Err("LinearSCVI of scvi-tools knows no size factor".to_owned());
    }
    if config.linear_decoder && config.dispersion == Dispersion::GeneLabel {
        return Err("LinearSCVI of scvi-tools knows no dispersion gene-label".to_owned());
    }
    Ok(())
}

/// scvi-tools' module has one embedding, with a row a batch.
fn check_embeddings(config: &VaeConfig, state: &StateDict<f32>) -> Result<(), String> {
    const PREFIX: &str = "_embeddings_dict.";
    for (name, tensor) in state.iter().filter(|(name, _)| name.starts_with(PREFIX)) {
        if name != "_embeddings_dict.batch.weight" {
            return Err(format!("scvi-tools has no embedding '{}'", &name[PREFIX.len()..]));
        }
        let rows = tensor.shape.first().copied().unwrap_or_default();
        if rows != config.n_batch {
            return Err(format!("an embedding of {rows} batches for n_batch {}", config.n_batch));
        }
    }
    Ok(())
}

/// Every tensor of scvi-tools' module.
fn state_dict(
    meta: &ModelMeta,
    extras: &ScviToolsExtras,
    read: StateDict<f32>,
    unread: StateDict<f32>,
) -> BTreeMap<String, StateTensor> {
    let steps = steps(meta);
    let mut counters = BTreeMap::new();
    for (state, seen) in [(&read, steps), (&unread, 0)] {
        for layer in state.keys().filter_map(|name| name.strip_suffix(".running_mean")) {
            let name = format!("{layer}.num_batches_tracked");
            let count = extras.counters.get(&name).copied().unwrap_or(seen);
            counters.insert(name, StateTensor::I64(Tensor { shape: vec![], data: vec![count] }));
        }
    }
    let floats = read.into_iter().chain(unread).chain(library_prior(&meta.config));
    floats.map(|(name, tensor)| (name, StateTensor::F32(tensor))).chain(counters).collect()
}

/// Minibatches that a model trained by this program has seen.
fn steps(meta: &ModelMeta) -> i64 {
    let TrainingMeta { epochs, batch_size, .. } = meta.training;
    if batch_size == 0 {
        return 0;
    }
    (epochs * minibatches(meta.split.train.len(), batch_size).count()) as i64
}

/// Means and variances, `(1, batches)`, where the library is inferred.
fn library_prior(config: &VaeConfig) -> Vec<(String, Tensor<f32>)> {
    if config.use_observed_lib_size || config.use_size_factor_key {
        return Vec::new();
    }
    let priors = [
        ("library_log_means", &config.library_log_means),
        ("library_log_vars", &config.library_log_vars),
    ];
    let tensor = |values: &Vec<f64>| Tensor {
        shape: vec![1, values.len()],
        data: values.iter().map(|&x| x as f32).collect(),
    };
    let given = priors.into_iter().filter_map(|(name, values)| Some((name, values.as_ref()?)));
    given.map(|(name, values)| (name.to_owned(), tensor(values))).collect()
}
