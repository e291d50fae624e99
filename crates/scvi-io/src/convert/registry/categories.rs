//! Categories of a column: texts here, there what they are in the data.

use std::str::FromStr;

use scvi::data::{CategoricalField, CategoryKind};

use crate::scvi_tools::{ArrayData, SaveError, Value};

/// What all of them are; `None` where they differ.
pub(super) fn kind(values: &ArrayData) -> Option<CategoryKind> {
    Some(match values {
        ArrayData::Str(_) => CategoryKind::Text,
        ArrayData::Int(_) | ArrayData::UInt(_) => CategoryKind::Integer,
        ArrayData::Float64(_) => CategoryKind::Float,
        ArrayData::Float32(_) => CategoryKind::Single,
        ArrayData::Bool(_) => CategoryKind::Bool,
        ArrayData::Datetime(unit, _) => CategoryKind::Datetime(*unit),
        ArrayData::Timedelta(unit, _) => CategoryKind::Timedelta(*unit),
        ArrayData::Object(items) => {
            let all = |is: fn(&Value) -> bool| items.iter().all(is);
            match () {
                () if all(|v| matches!(v, Value::Int(_))) => CategoryKind::Integer,
                () if all(|v| matches!(v, Value::Float(_))) => CategoryKind::Float,
                () if all(|v| matches!(v, Value::Bool(_))) => CategoryKind::Bool,
                () => return None,
            }
        }
    })
}

/// Categories as what they are in the data.
pub(super) fn mapping(field: &CategoricalField) -> Result<ArrayData, SaveError> {
    fn parsed<T: FromStr>(field: &CategoricalField) -> Option<Vec<T>> {
        field.categories.iter().map(|text| text.parse().ok()).collect()
    }
    let truth = |text: &String| match text.as_str() {
        "True" => Some(true),
        "False" => Some(false),
        _ => None,
    };
    let mapping = match field.kind {
        CategoryKind::Text => Some(ArrayData::Str(field.categories.clone())),
        CategoryKind::Integer => {
            parsed(field).map(ArrayData::Int).or_else(|| parsed(field).map(ArrayData::UInt))
        }
        CategoryKind::Float => parsed(field).map(ArrayData::Float64),
        CategoryKind::Single => parsed(field).map(ArrayData::Float32),
        CategoryKind::Bool => {
            field.categories.iter().map(truth).collect::<Option<_>>().map(ArrayData::Bool)
        }
        CategoryKind::Datetime(unit) => field.times().map(|t| ArrayData::Datetime(unit, t)),
        CategoryKind::Timedelta(unit) => field.times().map(|t| ArrayData::Timedelta(unit, t)),
    };
    mapping.ok_or_else(|| SaveError::Structure {
        place: format!("categories of '{}'", field.key),
        expected: format!("values of kind {}", field.kind),
        found: scvi::listed(&field.categories),
    })
}
