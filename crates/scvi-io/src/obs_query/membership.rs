//! Columns whose values are looked for in a list.

use std::collections::HashSet;

use super::constant::{constant_for, of_categories, other_type};
use super::evaluate::Truth;
use super::number::{Key, Number, numbers};
use super::{QueryMismatch, Value};
use crate::anndata::Column;

/// Whether each cell's value is in the list; a missing value is in none.
pub(super) fn within(
    column: &Column,
    name: &str,
    values: &[Value],
) -> Result<Vec<Truth>, QueryMismatch> {
    match column {
        Column::Categorical(categorical) => {
            let wanted = values.iter().map(|value| constant_for(column, categorical, name, value));
            let values = wanted.collect::<Result<Vec<Value>, _>>()?;
            let holds = in_list(&categorical.values(), name, &values)?;
            Ok(of_categories(categorical, &holds, false))
        }
        _ => Ok(in_list(column, name, values)?.into_iter().map(Some).collect()),
    }
}

/// The same of the values themselves, those of the categories where there are such.
fn in_list(column: &Column, name: &str, values: &[Value]) -> Result<Vec<bool>, QueryMismatch> {
    if let Column::Strings(texts) = column {
        let wanted: HashSet<&str> = values
            .iter()
            .map(|value| match value {
                Value::Text(text) => Ok(text.as_str()),
                _ => Err(other_type(column, name, value)),
            })
            .collect::<Result<_, _>>()?;
        let is_in = |text: &Option<String>| text.as_deref().is_some_and(|t| wanted.contains(t));
        return Ok(texts.iter().map(is_in).collect());
    }
    let number = |value: &Value| Number::of(value).ok_or_else(|| other_type(column, name, value));
    let wanted = values.iter().map(number).collect::<Result<Vec<Number>, _>>()?;
    let numbers = numbers(column).unwrap_or_default();
    if meet_as_floats(&wanted, numbers.iter().flatten()) {
        return Err(QueryMismatch::TooLarge { column: name.to_owned() });
    }
    let wanted: HashSet<Key> = wanted.into_iter().map(Number::key).collect();
    Ok(numbers.iter().map(|number| number.is_some_and(|n| wanted.contains(&n.key()))).collect())
}

/// Whether whole numbers beyond 2^53 meet floats: which of them are rounded depends on the types of
/// both sides in pandas.
fn meet_as_floats<'a>(wanted: &[Number], mut found: impl Iterator<Item = &'a Number>) -> bool {
    const EXACT: u128 = 1 << 53;
    let integer = |number: &Number| match number {
        Number::Integer(n) => Some(*n),
        Number::Float(_) => None,
    };
    let is_large = |number: &Number| integer(number).is_some_and(|n| n.unsigned_abs() > EXACT);
    let is_float = |number: &Number| integer(number).is_none_or(|n| n > i64::MAX.into());
    let has_floats = wanted.iter().any(is_float);
    has_floats && (wanted.iter().any(is_large) || found.any(is_large))
}
