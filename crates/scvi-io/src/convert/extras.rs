//! What a save says that the engine has no use for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value as Json};

use crate::scvi_tools::Value;

/// What a save of scvi-tools says that the engine has no use for: it stays with the model, and a
/// save made from it says it again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScviToolsExtras {
    /// The version of scvi-tools that set up the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scvi_version: Option<String>,
    /// Minibatches that each batch normalisation has seen (`num_batches_tracked`).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub counters: BTreeMap<String, i64>,
    /// Further entries of the registry: `_scvi_uuid`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub registry: BTreeMap<String, Json>,
    /// Further attributes of the model: `run_name_`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Json>,
}

/// The entries that JSON can hold; the names of the others go to `left_out`.
pub(super) fn plain(
    entries: BTreeMap<String, Value>,
    left_out: &mut Vec<String>,
) -> BTreeMap<String, Json> {
    let mut kept = BTreeMap::new();
    for (name, value) in entries {
        match to_json(&value) {
            Some(json) => _ = kept.insert(name, json),
            None => left_out.push(name),
        }
    }
    kept
}

/// The same entries as values of a save.
pub(super) fn values(entries: &BTreeMap<String, Json>) -> BTreeMap<String, Value> {
    entries.iter().map(|(name, json)| (name.clone(), from_json(json))).collect()
}

fn to_json(value: &Value) -> Option<Json> {
    Some(match value {
        Value::None => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(n) => Json::from(*n),
        Value::Float(x) => Json::Number(Number::from_f64(*x)?),
        Value::Str(text) => Json::String(text.clone()),
        Value::List(items) => Json::Array(items.iter().map(to_json).collect::<Option<_>>()?),
        Value::Dict(entries) => {
            let entry = |(k, v): &(Value, Value)| Some((k.as_str()?.to_owned(), to_json(v)?));
            Json::Object(entries.iter().map(entry).collect::<Option<Map<_, _>>>()?)
        }
        _ => return None,
    })
}

fn from_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::None,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => match (n.as_i64(), n.as_f64()) {
            (Some(n), _) => Value::Int(n),
            (None, x) => Value::Float(x.unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::Str(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(from_json).collect()),
        Json::Object(entries) => Value::Dict(
            entries.iter().map(|(k, v)| (Value::Str(k.clone()), from_json(v))).collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_values_there_and_back() {
        let list = Value::List(vec![Value::None, Value::Bool(true), Value::Float(2.0)]);
        let dict = Value::Dict(vec![("a".into(), Value::Int(-3)), ("b".into(), list)]);
        let entries = BTreeMap::from([
            ("dict_".to_owned(), dict.clone()),
            ("tuple_".to_owned(), Value::Tuple(vec![])),
            ("nan_".to_owned(), Value::Float(f64::NAN)),
            ("keys_".to_owned(), Value::Dict(vec![(Value::Int(1), Value::None)])),
        ]);
        let mut left_out = Vec::new();
        let kept = plain(entries, &mut left_out);
        assert_eq!(left_out, ["keys_", "nan_", "tuple_"]);
        // By way of the text of a file.
        let text = serde_json::to_string(&kept).unwrap();
        let kept = serde_json::from_str(&text).unwrap();
        assert_eq!(values(&kept), BTreeMap::from([("dict_".to_owned(), dict)]));
    }
}
