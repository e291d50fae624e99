//! Models that have learned something.

use std::path::Path;

use scvi::data::{CategoricalField, MatrixKey, Registry};
use scvi_io::{SavedModel, open_model};

use crate::error::CliError;
use crate::options::quoted;

/// Opens a model, if it was trained.
pub fn open_trained(path: &Path) -> Result<SavedModel, CliError> {
    let model = open_model(path)?;
    if model.meta.training.is_trained() {
        return Ok(model);
    }
    Err(CliError::Untrained {
        model: path.display().to_string(),
        columns: column_options(&model.meta.registry),
        is_mapped: model.meta.mapped_from.is_some(),
    })
}

/// The options of `scvi train` that name the columns of a registry, each after a space.
fn column_options(registry: &Registry) -> String {
    let layer = match &registry.layer {
        MatrixKey::X => None,
        MatrixKey::Raw => Some(MatrixKey::RAW),
        MatrixKey::Layer(name) => Some(name.as_str()),
    };
    let one = |value: Option<&str>| value.map(quoted).into_iter().collect::<Vec<_>>();
    let key = |field: &Option<CategoricalField>| one(field.as_ref().map(|f| f.key.as_str()));
    let covariates = registry.categorical_covariates.iter().map(|field| quoted(&field.key));
    let options = [
        ("layer", one(layer)),
        ("batch-key", key(&registry.batch)),
        ("labels-key", key(&registry.labels)),
        ("size-factor-key", one(registry.size_factor.as_deref())),
        ("categorical-covariate-key", covariates.collect()),
        (
            "continuous-covariate-key",
            registry.continuous_covariates.iter().map(|key| quoted(key)).collect(),
        ),
    ];
    let given = options.into_iter().filter(|(_, values)| !values.is_empty());
    given.map(|(option, values)| format!(" --{option} {}", values.join(" "))).collect()
}
