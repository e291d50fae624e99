//! Which cells an expression holds for.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::columns::compared_columns;
use super::constant::compared;
use super::membership::within;
use super::{Query, QueryMismatch};
use crate::anndata::Column;
use scvi::data::CategoryKind;

/// Whether something holds for a cell; `None` is pandas' NA.
pub(super) type Truth = Option<bool>;

/// A column of obs as queries see it.
#[derive(Debug, Clone, PartialEq)]
pub struct QueriedColumn {
    /// Its values.
    pub values: Column,
    /// Whether its type is one of pandas' nullable ones, which turn a comparison with NaN into NA.
    pub is_nullable: bool,
}

/// Whether the query holds for each cell; `column` reads a column of obs.
///
/// # Errors
/// [`QueryMismatch`] where a column holds values of another type, and whatever `column` fails with.
pub fn matching<E: From<QueryMismatch>>(
    query: &Query,
    column: &dyn Fn(&str) -> Result<QueriedColumn, E>,
) -> Result<Vec<bool>, E> {
    let columns = Columns { read: column, known: RefCell::default() };
    // pandas takes such a column for a mask, but neither negates nor joins it.
    if let Query::Flag(name) = query
        && let Column::Categorical(c) = &columns.get(name)?.values
        && let Column::Bools(flags) = c.values()
    {
        return Ok(c
            .codes
            .iter()
            .map(|k| k.is_some_and(|k| flags[k as usize] == Some(true)))
            .collect());
    }
    Ok(truths(query, &columns)?.into_iter().map(|truth| truth == Some(true)).collect())
}

/// Columns of obs, each read once.
struct Columns<'a, E> {
    read: &'a dyn Fn(&str) -> Result<QueriedColumn, E>,
    known: RefCell<HashMap<String, Rc<QueriedColumn>>>,
}

impl<E> Columns<'_, E> {
    fn get(&self, name: &str) -> Result<Rc<QueriedColumn>, E> {
        if let Some(column) = self.known.borrow().get(name) {
            return Ok(column.clone());
        }
        let column = Rc::new((self.read)(name)?);
        self.known.borrow_mut().insert(name.to_owned(), column.clone());
        Ok(column)
    }
}

fn truths<E: From<QueryMismatch>>(query: &Query, columns: &Columns<E>) -> Result<Vec<Truth>, E> {
    match query {
        Query::Or(parts) => joined(parts, columns, or),
        Query::And(parts) => joined(parts, columns, |a, b| not(or(not(a), not(b)))),
        Query::Not(part) => Ok(truths(part, columns)?.into_iter().map(not).collect()),
        Query::Flag(name) => match &columns.get(name)?.values {
            Column::Bools(flags) => Ok(flags.clone()),
            other => {
                let held = held(other);
                Err(QueryMismatch::NoCondition { column: name.clone(), held }.into())
            }
        },
        Query::Compare { column, comparison, value } => {
            Ok(compared(&columns.get(column)?.values, column, *comparison, value)?)
        }
        Query::Columns { left, comparison, right } => {
            let named = [(&**left, &*columns.get(left)?), (&**right, &*columns.get(right)?)];
            Ok(compared_columns(named, *comparison)?)
        }
        Query::In { column, values } => Ok(within(&columns.get(column)?.values, column, values)?),
    }
}

fn joined<E: From<QueryMismatch>>(
    parts: &[Query],
    columns: &Columns<E>,
    join: fn(Truth, Truth) -> Truth,
) -> Result<Vec<Truth>, E> {
    let mut all = Vec::new();
    for (k, part) in parts.iter().enumerate() {
        let part = truths(part, columns)?;
        match k {
            0 => all = part,
            _ => all.iter_mut().zip(part).for_each(|(all, part)| *all = join(*all, part)),
        }
    }
    Ok(all)
}

fn not(truth: Truth) -> Truth {
    truth.map(|holds| !holds)
}

/// Kleene's: true where one is true, whatever the other.
fn or(a: Truth, b: Truth) -> Truth {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

/// What a column holds, for messages.
pub(super) fn held(column: &Column) -> &'static str {
    match column {
        Column::Strings(_) => "texts",
        Column::Bools(_) => "True and False",
        Column::Integers(_) | Column::Unsigned(_) => "whole numbers",
        Column::Floats(_) | Column::Singles(_) => "numbers",
        Column::Categorical(categorical) => match categorical.kind {
            CategoryKind::Text => "categories that are texts",
            CategoryKind::Integer => "categories that are whole numbers",
            CategoryKind::Float | CategoryKind::Single => "categories that are numbers",
            CategoryKind::Bool => "categories that are True and False",
            CategoryKind::Datetime(_) | CategoryKind::Timedelta(_) => "categories that are times",
        },
    }
}
