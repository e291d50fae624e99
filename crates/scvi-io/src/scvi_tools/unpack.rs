//! From the values of a save to its typed content.

use std::collections::BTreeMap;

use super::parse::{Entries, Path, Place};
use super::registry::{SetupRegistry, Taker};
use super::state::StateTensor;
use super::value::Value;
use super::{SaveError, ScviToolsSave, history};

const ATTRIBUTES: Path<'static> = Path::Root("attr_dict");

pub(super) fn save(value: Value) -> Result<ScviToolsSave, SaveError> {
    let mut parts = Place::new(value, Path::Root("the save")).entries()?;
    let mut part = |key: &str| {
        let found = || SaveError::structure("the save", format!("a part '{key}'"), "none");
        parts.remove(key).ok_or_else(found)
    };
    let state_dict = state_dict(part("model_state_dict")?)?;
    let var_names = var_names(part("var_names")?)?;
    let mut attributes = Taker::new(part("attr_dict")?, ATTRIBUTES)?;
    if attributes.entries.contains_key("scvi_setup_dict_") {
        return Err(SaveError::Legacy { format: "scvi-tools' of before 0.15" });
    }
    let registry = match attributes.entries.remove("registry_") {
        Some(value) => SetupRegistry::parse(value, Path::Key(&ATTRIBUTES, "registry_"))?,
        None => return Err(SaveError::structure("attr_dict", "a part 'registry_'", "none")),
    };
    let history = match attributes.entries.remove("history_") {
        Some(value) => history::parse(value, Path::Key(&ATTRIBUTES, "history_"))?,
        None => BTreeMap::new(),
    };
    Ok(ScviToolsSave {
        state_dict,
        var_names,
        registry,
        init_params: attributes.map("init_params_", init_params)?.unwrap_or_default(),
        history,
        train_indices: attributes.map("train_indices_", indices)?.flatten(),
        validation_indices: attributes.map("validation_indices_", indices)?.flatten(),
        test_indices: attributes.map("test_indices_", indices)?.flatten(),
        is_trained: attributes.map("is_trained_", |p| p.bool())?.unwrap_or_default(),
        attributes: attributes.entries,
    })
}

fn state_dict(value: Value) -> Result<BTreeMap<String, StateTensor>, SaveError> {
    let path = Path::Root("model_state_dict");
    let mut state = BTreeMap::new();
    for (name, value) in Place::new(value, path).entries()? {
        match value {
            Value::Tensor(array) => {
                let tensor = StateTensor::new(&name, array)?;
                state.insert(name, tensor);
            }
            // Written with every model, and empty for those without pyro.
            Value::Dict(_) if name == "pyro_param_store" => {}
            other => return Err(Place::new(other, Path::Key(&path, &name)).expected("a tensor")),
        }
    }
    Ok(state)
}

fn var_names(value: Value) -> Result<Vec<String>, SaveError> {
    let place = Place::new(value, Path::Root("var_names"));
    match place.value {
        // The modalities of a MuData, each with its own names.
        Value::Dict(_) => Err(place.expected("the names of one modality")),
        _ => place.texts(),
    }
}

/// The arguments of the constructor: named ones in `non_kwargs`, and each dict of further ones in
/// `kwargs`. Saves of before 0.8 hold both side by side.
fn init_params(place: Place<'_>) -> Result<Entries, SaveError> {
    let path = Path::Root("attr_dict['init_params_']");
    let mut parts = place.entries()?;
    let (mut params, further) = match parts.remove("non_kwargs") {
        Some(named) => {
            let named = Place::new(named, path).entries()?;
            let further = parts.remove("kwargs").unwrap_or(Value::Dict(Vec::new()));
            (named, Place::new(further, path).entries()?)
        }
        None => parts.into_iter().partition(|(_, value)| !matches!(value, Value::Dict(_))),
    };
    for (_, value) in further {
        params.extend(Place::new(value, path).entries()?);
    }
    Ok(params)
}

fn indices(place: Place<'_>) -> Result<Option<Vec<usize>>, SaveError> {
    match place.value {
        Value::None => Ok(None),
        _ => place.sizes().map(Some),
    }
}
