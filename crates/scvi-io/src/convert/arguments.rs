//! Arguments of a call in Python, taken one by one.

use std::collections::BTreeMap;

use scvi::module::Choice;

use crate::scvi_tools::{SaveError, Value};

/// Arguments by name, and where they stand in the save.
pub(super) struct Arguments {
    values: BTreeMap<String, Value>,
    place: String,
}

impl Arguments {
    pub(super) fn new(values: BTreeMap<String, Value>, place: impl Into<String>) -> Self {
        Self { values, place: place.into() }
    }

    /// Takes an argument, and puts what it says in the place of the default.
    pub(super) fn set<T>(
        &mut self,
        name: &str,
        into: &mut T,
        expected: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Result<(), SaveError> {
        let Some(value) = self.values.remove(name) else { return Ok(()) };
        *into = read(&value).ok_or_else(|| self.fault(name, expected, &value))?;
        Ok(())
    }

    pub(super) fn size(&mut self, name: &str, into: &mut usize) -> Result<(), SaveError> {
        self.set(name, into, "a size", |v| usize::try_from(v.as_i64()?).ok())
    }

    pub(super) fn number(&mut self, name: &str, into: &mut f64) -> Result<(), SaveError> {
        self.set(name, into, "a number", Value::as_f64)
    }

    pub(super) fn bool(&mut self, name: &str, into: &mut bool) -> Result<(), SaveError> {
        self.set(name, into, "True or False", Value::as_bool)
    }

    pub(super) fn choice<C: Choice>(&mut self, name: &str, into: &mut C) -> Result<(), SaveError> {
        let names: Vec<&str> = C::ALL.iter().map(|(name, _)| *name).collect();
        let expected = format!("one of {}", names.join(", "));
        self.set(name, into, &expected, |v| C::from_name(v.as_str()?).ok())
    }

    /// A dictionary of further arguments; none where it is None.
    pub(super) fn kwargs(&mut self, name: &str) -> Result<Self, SaveError> {
        let mut values = BTreeMap::new();
        self.set(name, &mut values, "a dict of arguments", |value| match value {
            Value::None => Some(BTreeMap::new()),
            Value::Dict(pairs) => {
                let pair = |(k, v): &(Value, Value)| Some((k.as_str()?.to_owned(), v.clone()));
                pairs.iter().map(pair).collect()
            }
            _ => None,
        })?;
        Ok(Self::new(values, format!("{}['{name}']", self.place)))
    }

    /// Forgets an argument.
    pub(super) fn ignore(&mut self, name: &str) {
        self.values.remove(name);
    }

    /// Refuses the arguments that nobody took.
    pub(super) fn finish(self) -> Result<(), SaveError> {
        match self.values.into_iter().next() {
            None => Ok(()),
            Some((name, _)) => Err(SaveError::Structure {
                place: self.place,
                expected: "the arguments of scvi-tools 1.4.2 that this program has".into(),
                found: format!("'{}'", name.escape_debug()),
            }),
        }
    }

    fn fault(&self, name: &str, expected: &str, value: &Value) -> SaveError {
        SaveError::Structure {
            place: format!("{}['{name}']", self.place),
            expected: expected.into(),
            found: shown(value),
        }
    }
}

/// A value as a message shows it.
fn shown(value: &Value) -> String {
    match value {
        Value::Str(text) => {
            format!("'{}'", text.chars().take(80).collect::<String>().escape_debug())
        }
        Value::Int(n) => n.to_string(),
        Value::Float(x) => x.to_string(),
        Value::Global(function) => format!("{}.{}", function.module(), function.name()),
        other => other.kind().into(),
    }
}
