//! Where two values that serialise alike differ.

use serde::Serialize;
use serde_json::{Map, Value};

/// One difference.
#[derive(Debug, PartialEq)]
pub(super) struct Difference {
    pub(super) what: String,
    pub(super) then: String,
    pub(super) now: String,
}

/// The first field, in the order of their names, that differs; `whose` stands before its name.
pub(super) fn first_difference<T: Serialize>(then: &T, now: &T, whose: &str) -> Option<Difference> {
    let json = |value: &T| serde_json::to_value(value).unwrap_or(Value::Null);
    let (path, then, now) = between(&json(then), &json(now))?;
    let what = format!("{whose} {}", path.join(".")).trim().to_owned();
    Some(Difference { what, then: short(&then), now: short(&now) })
}

/// The path to the first difference, and what is there.
fn between(then: &Value, now: &Value) -> Option<(Vec<String>, Value, Value)> {
    let (Value::Object(a), Value::Object(b)) = (then, now) else {
        return (then != now).then(|| (Vec::new(), then.clone(), now.clone()));
    };
    a.keys().chain(b.keys()).find_map(|key| {
        let of = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or_default();
        let (mut path, then, now) = between(&of(a), &of(b))?;
        path.insert(0, key.clone());
        Some((path, then, now))
    })
}

/// A value on a line: all of it, or the beginning.
fn short(value: &Value) -> String {
    const SHOWN: usize = 80;
    let text = match value {
        Value::Null => "not given".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_the_field() {
        let of = |a: Value, b: Value, whose| {
            first_difference(&a, &b, whose).map(|d| format!("{} {} {}", d.what, d.then, d.now))
        };
        let told = |text: &str| Some(text.to_owned());
        assert_eq!(of(json!({"a": 1, "b": 2}), json!({"a": 1, "b": 2}), ""), None);
        assert_eq!(of(json!({"a": 1, "b": 2}), json!({"a": 1, "b": 3}), ""), told("b 2 3"));
        let adam = |lr: f64| json!({"adam": {"lr": lr}});
        assert_eq!(of(adam(0.1), adam(0.2), ""), told("adam.lr 0.1 0.2"));
        let batch = json!({"batch": {"key": "donor"}});
        assert_eq!(
            of(json!({"batch": null}), batch.clone(), "the input's"),
            told("the input's batch not given {\"key\":\"donor\"}")
        );
        assert_eq!(
            of(json!({"batch": {"key": "day"}}), batch, "the input's"),
            told("the input's batch.key day donor")
        );
    }
}
