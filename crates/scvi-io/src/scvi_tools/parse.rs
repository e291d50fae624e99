//! From values to Rust's types, naming the place where they are others.

use std::collections::BTreeMap;

use super::SaveError;
use super::value::{ArrayData, Value};

/// A value and where it stands, for the messages.
pub(super) struct Place<'p> {
    pub(super) value: Value,
    path: Path<'p>,
}

/// A place within a save: `attr_dict['registry_']['setup_args']`.
#[derive(Clone, Copy)]
pub(super) enum Path<'p> {
    Root(&'static str),
    Key(&'p Path<'p>, &'p str),
}

impl std::fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Root(name) => f.write_str(name),
            Self::Key(parent, key) => {
                let key = key.chars().take(80).collect::<String>();
                write!(f, "{parent}['{}']", key.escape_debug())
            }
        }
    }
}

/// Entries of a dictionary under text keys.
pub(super) type Entries = BTreeMap<String, Value>;

impl<'p> Place<'p> {
    pub(super) fn new(value: Value, path: Path<'p>) -> Self {
        Self { value, path }
    }

    pub(super) fn entries(self) -> Result<Entries, SaveError> {
        self.pairs().map(Entries::from_iter)
    }

    /// Entries of a dictionary in the order of the file.
    pub(super) fn pairs(self) -> Result<Vec<(String, Value)>, SaveError> {
        let path = self.path;
        let Value::Dict(entries) = self.value else { return Err(self.expected("a dict")) };
        entries
            .into_iter()
            .map(|(key, value)| match key {
                Value::Str(key) => Ok((key, value)),
                other => {
                    Err(SaveError::structure(path.to_string(), "keys that are texts", other.kind()))
                }
            })
            .collect()
    }

    pub(super) fn optional_text(self) -> Result<Option<String>, SaveError> {
        match self.value {
            Value::None => Ok(None),
            Value::Str(text) => Ok(Some(text)),
            _ => Err(self.expected("a text or None")),
        }
    }

    pub(super) fn bool(self) -> Result<bool, SaveError> {
        self.value.as_bool().ok_or_else(|| self.expected("a bool"))
    }

    pub(super) fn int(self) -> Result<i64, SaveError> {
        self.value.as_i64().ok_or_else(|| self.expected("a whole number"))
    }

    pub(super) fn size(self) -> Result<usize, SaveError> {
        let size = self.value.as_i64().and_then(|n| usize::try_from(n).ok());
        size.ok_or_else(|| self.expected("a size"))
    }

    /// An array with one axis, or a list.
    pub(super) fn values(self) -> Result<ArrayData, SaveError> {
        match self.value {
            Value::Array(array) if array.shape.len() == 1 => Ok(array.data),
            Value::List(values) | Value::Tuple(values) => Ok(ArrayData::from_objects(values)),
            _ => Err(self.expected("an array with one axis")),
        }
    }

    pub(super) fn texts(self) -> Result<Vec<String>, SaveError> {
        let path = self.path;
        match self.values()? {
            ArrayData::Str(texts) => Ok(texts),
            // An empty array may have any type.
            data if data.is_empty() => Ok(Vec::new()),
            _ => Err(SaveError::structure(path.to_string(), "texts", "other values")),
        }
    }

    pub(super) fn sizes(self) -> Result<Vec<usize>, SaveError> {
        let path = self.path;
        let wrong = || SaveError::structure(path.to_string(), "sizes", "other values");
        let size = |n: i64| usize::try_from(n).map_err(|_| wrong());
        match self.values()? {
            ArrayData::Int(values) => values.into_iter().map(size).collect(),
            ArrayData::Object(values) => {
                values.iter().map(|v| size(v.as_i64().ok_or_else(wrong)?)).collect()
            }
            data if data.is_empty() => Ok(Vec::new()),
            _ => Err(wrong()),
        }
    }

    pub(super) fn expected(self, expected: &str) -> SaveError {
        SaveError::structure(self.path.to_string(), expected, self.value.kind())
    }
}
