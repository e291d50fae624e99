//! Columns compared with a constant.

use super::evaluate::{Truth, held};
use super::number::{Number, numbers};
use super::{Comparison, QueryMismatch, Value};
use crate::anndata::{Categorical, Column};
use scvi::data::CategoryKind;

/// Whether each cell's value compares so.
pub(super) fn compared(
    column: &Column,
    name: &str,
    comparison: Comparison,
    value: &Value,
) -> Result<Vec<Truth>, QueryMismatch> {
    match (column, value) {
        (Column::Categorical(categorical), _) => {
            let holds = compared_categories(column, categorical, name, comparison, value)?;
            let missing = comparison == Comparison::NotEqual;
            Ok(of_categories(categorical, &holds, missing))
        }
        (Column::Strings(texts), Value::Text(wanted)) => {
            let holds = |text: &String| comparison.holds(Some(text.cmp(wanted)));
            Ok(texts.iter().map(|text| text.as_ref().map(holds)).collect())
        }
        (_, value) => match (numbers(column), Number::of(value)) {
            (Some(numbers), Some(constant)) => {
                let is_single = matches!(column, Column::Singles(_));
                let constant = if is_single { constant.rounded_to_single() } else { constant };
                let holds = |number: Number| comparison.holds(number.order(constant));
                Ok(numbers.into_iter().map(|number| number.map(holds)).collect())
            }
            _ => Err(other_type(column, name, value)),
        },
    }
}

/// Whether each category compares so.
fn compared_categories(
    column: &Column,
    categorical: &Categorical,
    name: &str,
    comparison: Comparison,
    value: &Value,
) -> Result<Vec<bool>, QueryMismatch> {
    let wanted = constant_for(column, categorical, name, value)?;
    let values = categorical.values();
    let place = match (&values, &wanted) {
        (Column::Strings(texts), Value::Text(wanted)) => {
            texts.iter().position(|text| text.as_ref() == Some(wanted))
        }
        _ => Number::of(&wanted).and_then(|wanted| {
            let is_single = categorical.kind == CategoryKind::Single;
            let wanted = if is_single { wanted.rounded_to_single() } else { wanted };
            let mut categories = numbers(&values).into_iter().flatten();
            categories.position(|number| number.is_some_and(|n| n.key() == wanted.key()))
        }),
    };
    if comparison.is_order() && !categorical.ordered {
        return Err(QueryMismatch::NoOrder { column: name.to_owned() });
    }
    let all = 0..categorical.categories.len();
    match place {
        Some(place) => Ok(all.map(|k| comparison.holds(Some(k.cmp(&place)))).collect()),
        None if comparison.is_order() => Err(QueryMismatch::NoCategory {
            column: name.to_owned(),
            value: value.to_string(),
            categories: scvi::listed(&categorical.categories),
        }),
        None => Ok(all.map(|_| comparison == Comparison::NotEqual).collect()),
    }
}

/// The constant as categories of this kind are looked up by; an error where it is of another type.
pub(super) fn constant_for(
    column: &Column,
    categorical: &Categorical,
    name: &str,
    value: &Value,
) -> Result<Value, QueryMismatch> {
    use CategoryKind::{Bool, Float, Integer, Single, Text};
    match (categorical.kind, value) {
        (Text, Value::Text(_)) | (Bool, Value::Flag(_)) => Ok(value.clone()),
        (Integer, Value::Integer(_) | Value::Float(_)) => Ok(value.clone()),
        (Float | Single, Value::Integer(n)) => Ok(Value::Float(*n as f64)),
        (Float | Single, Value::Float(_)) => Ok(value.clone()),
        _ => Err(other_type(column, name, value)),
    }
}

/// What holds for each category, for each cell; `missing` for those without one.
pub(super) fn of_categories(
    categorical: &Categorical,
    holds: &[bool],
    missing: bool,
) -> Vec<Truth> {
    let of = |code: &Option<u32>| Some(code.map_or(missing, |code| holds[code as usize]));
    categorical.codes.iter().map(of).collect()
}

pub(super) fn other_type(column: &Column, name: &str, value: &Value) -> QueryMismatch {
    QueryMismatch::OtherType {
        column: name.to_owned(),
        held: held(column),
        value: value.to_string(),
    }
}
