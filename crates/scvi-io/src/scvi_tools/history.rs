//! What training recorded.

use std::collections::BTreeMap;

use super::SaveError;
use super::parse::{Path, Place};
use super::value::{ArrayData, Frame, Value};

/// One recorded quantity: `elbo_train`, `validation_loss`.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoryColumn {
    /// What the rows are: `epoch`, or `step` for `kl_weight`.
    pub index_name: Option<String>,
    /// Numbers of epochs or steps.
    pub index: Vec<i64>,
    /// A value for each; NaN where there is none.
    pub values: Vec<f64>,
}

/// Reads `history_`: a dict of tables with one column each, or `None` before training.
pub(super) fn parse(
    value: Value,
    path: Path<'_>,
) -> Result<BTreeMap<String, HistoryColumn>, SaveError> {
    if value == Value::None {
        return Ok(BTreeMap::new());
    }
    let mut history = BTreeMap::new();
    for (key, value) in Place::new(value, path).entries()? {
        let path = Path::Key(&path, &key);
        let Value::Frame(frame) = value else {
            return Err(Place::new(value, path).expected("a DataFrame"));
        };
        let column = column(frame).ok_or_else(|| {
            let expected = "one column of numbers, and whole numbers as index";
            SaveError::structure(path.to_string(), expected, "another table")
        })?;
        history.insert(key, column);
    }
    Ok(history)
}

fn column(frame: Frame) -> Option<HistoryColumn> {
    let Frame { columns, index_name, index } = frame;
    let [(_, values)] = &columns[..] else { return None };
    let index = match index {
        ArrayData::Int(index) => index,
        other => other.to_f64()?.into_iter().map(whole).collect::<Option<_>>()?,
    };
    Some(HistoryColumn { index_name, index, values: values.to_f64()? })
}

fn whole(x: f64) -> Option<i64> {
    (x.fract() == 0.0 && x.abs() < 9e15).then_some(x as i64)
}

/// The table that scvi-tools keeps.
pub(super) fn to_value(name: &str, column: &HistoryColumn) -> Value {
    Value::Frame(Frame {
        columns: vec![(name.to_owned(), ArrayData::Float64(column.values.clone()))],
        index_name: column.index_name.clone(),
        index: ArrayData::Int(column.index.clone()),
    })
}
