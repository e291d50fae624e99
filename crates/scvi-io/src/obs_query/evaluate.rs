//! Which cells an expression holds for.

use std::cmp::Ordering;

use super::{Comparison, Query, Value};
use crate::anndata::Column;

/// A column does not hold what a query takes it to hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryMismatch {
    /// A column alone that holds no truth values.
    #[error("column '{column}' alone is no condition: it holds {held}, not truth values")]
    NoCondition {
        /// The column.
        column: String,
        /// What it holds.
        held: &'static str,
    },
    /// A value of another kind.
    #[error("column '{column}' holds {held}, not {value}")]
    OtherKind {
        /// The column.
        column: String,
        /// What it holds.
        held: &'static str,
        /// What it is compared with.
        value: String,
    },
}

/// Whether the query holds for each cell; `column` reads a column of obs.
///
/// # Errors
/// [`QueryMismatch`] where a column holds values of another kind, and whatever `column` fails with.
pub fn matching<E: From<QueryMismatch>>(
    query: &Query,
    column: &dyn Fn(&str) -> Result<Column, E>,
) -> Result<Vec<bool>, E> {
    let both = |a: &Query, b: &Query, join: fn(bool, bool) -> bool| {
        let (a, b) = (matching(a, column)?, matching(b, column)?);
        Ok(a.into_iter().zip(b).map(|(a, b)| join(a, b)).collect())
    };
    match query {
        Query::Or(a, b) => both(a, b, |a, b| a || b),
        Query::And(a, b) => both(a, b, |a, b| a && b),
        Query::Not(a) => Ok(matching(a, column)?.into_iter().map(|holds| !holds).collect()),
        Query::Flag(name) => match column(name)? {
            Column::Bools(flags) => Ok(flags.into_iter().map(|v| v.unwrap_or(false)).collect()),
            other => {
                let held = kind(&other);
                Err(QueryMismatch::NoCondition { column: name.clone(), held }.into())
            }
        },
        Query::Compare { column: name, comparison, value } => {
            Ok(compared(&column(name)?, name, *comparison, value)?)
        }
        Query::In { column: name, values } => {
            let column = column(name)?;
            let mut holds = vec![false; column.len()];
            for value in values {
                let equal = compared(&column, name, Comparison::Equal, value)?;
                holds.iter_mut().zip(equal).for_each(|(holds, equal)| *holds |= equal);
            }
            Ok(holds)
        }
    }
}

fn compared(
    column: &Column,
    name: &str,
    comparison: Comparison,
    value: &Value,
) -> Result<Vec<bool>, QueryMismatch> {
    let holds = |order: Option<Ordering>| comparison.holds(order);
    match (column.to_numbers(), value) {
        (None, Value::Text(text)) => {
            let order = |cell| column.label(cell).map(|label| label.as_str().cmp(text));
            Ok((0..column.len()).map(|cell| holds(order(cell))).collect())
        }
        (Some(numbers), Value::Number(number)) => {
            Ok(numbers.iter().map(|v| holds(v.partial_cmp(number))).collect())
        }
        (Some(numbers), Value::Flag(flag)) if matches!(column, Column::Bools(_)) => {
            let flag = f64::from(u8::from(*flag));
            Ok(numbers.iter().map(|v| holds(v.partial_cmp(&flag))).collect())
        }
        _ => {
            let value = match value {
                Value::Text(text) => format!("the text \"{text}\""),
                Value::Number(number) => format!("the number {number}"),
                Value::Flag(flag) => format!("the truth value {flag}"),
            };
            Err(QueryMismatch::OtherKind { column: name.to_owned(), held: kind(column), value })
        }
    }
}

fn kind(column: &Column) -> &'static str {
    match column {
        Column::Categorical(_) | Column::Strings(_) => "texts",
        Column::Bools(_) => "truth values",
        _ => "numbers",
    }
}
