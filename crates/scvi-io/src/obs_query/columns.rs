//! Columns compared with each other.

use std::collections::HashMap;

use super::evaluate::{QueriedColumn, Truth, held};
use super::number::numbers;
use super::{Comparison, QueryMismatch};
use crate::anndata::{Categorical, Column};
use scvi::data::CategoryKind;

/// Whether the values of each cell in two columns, which come with their names, compare so.
pub(super) fn compared_columns(
    [(left_name, left), (right_name, right)]: [(&str, &QueriedColumn); 2],
    comparison: Comparison,
) -> Result<Vec<Truth>, QueryMismatch> {
    let is_nullable = left.is_nullable || right.is_nullable;
    let (left, right) = (&left.values, &right.values);
    let refused = |problem| {
        let (left_held, right_held) = (held(left), held(right));
        let (left, right) = (left_name.to_owned(), right_name.to_owned());
        QueryMismatch::Columns { left, left_held, right, right_held, problem }
    };
    match (left, right) {
        (Column::Strings(left), Column::Strings(right)) => {
            Ok(pairs(left, right, |a, b| Some(comparison.holds(Some(a.cmp(b))))))
        }
        (Column::Strings(texts), Column::Categorical(categorical))
        | (Column::Categorical(categorical), Column::Strings(texts))
            if categorical.kind == CategoryKind::Text && !is_nullable && !comparison.is_order() =>
        {
            let name = |code: u32| &categorical.categories[code as usize];
            let equal = |(code, text): (&Option<u32>, &Option<String>)| {
                Some(comparison.holds(Some(code.map(name).cmp(&text.as_ref()))))
            };
            Ok(categorical.codes.iter().zip(texts).map(equal).collect())
        }
        (Column::Categorical(left), Column::Categorical(right)) => {
            if comparison.is_order() && !left.ordered {
                return Err(QueryMismatch::NoOrder { column: left_name.to_owned() });
            }
            let codes = shared_codes(left, right).map_err(refused)?;
            Ok(compared_codes(&left.codes, &codes, comparison))
        }
        _ => match (numbers(left), numbers(right)) {
            (Some(left), Some(right)) => Ok(pairs(&left, &right, |a, b| match a.order(*b) {
                None if is_nullable => None,
                order => Some(comparison.holds(order)),
            })),
            _ => Err(refused("compare each with values, or make them of one type")),
        },
    }
}

fn pairs<T>(
    left: &[Option<T>],
    right: &[Option<T>],
    holds: impl Fn(&T, &T) -> Truth,
) -> Vec<Truth> {
    let pair = |(a, b): (&Option<T>, &Option<T>)| holds(a.as_ref()?, b.as_ref()?);
    left.iter().zip(right).map(pair).collect()
}

/// The codes of `right` in the categories of `left`.
fn shared_codes(left: &Categorical, right: &Categorical) -> Result<Vec<Option<u32>>, &'static str> {
    let is_named = |c: &Categorical| matches!(c.kind, CategoryKind::Text | CategoryKind::Bool);
    if left.kind != right.kind || !is_named(left) {
        return Err("compare each with values");
    }
    if left.ordered != right.ordered {
        return Err("the categories of one are ordered, those of the other not");
    }
    if left.ordered && left.categories != right.categories {
        return Err("their categories are not the same in the same order");
    }
    let code: HashMap<&str, u32> =
        left.categories.iter().zip(0..).map(|(name, code)| (name.as_str(), code)).collect();
    let new = right.categories.iter().map(|name| code.get(name.as_str()).copied());
    let new: Option<Vec<u32>> = new.collect();
    match new.filter(|new| new.len() == left.categories.len()) {
        Some(new) => Ok(right.codes.iter().map(|code| code.map(|c| new[c as usize])).collect()),
        None => Err("their categories are not the same"),
    }
}

fn compared_codes(
    left: &[Option<u32>],
    right: &[Option<u32>],
    comparison: Comparison,
) -> Vec<Truth> {
    let order = |(a, b): (&Option<u32>, &Option<u32>)| Some(a.as_ref()?.cmp(b.as_ref()?));
    left.iter().zip(right).map(|pair| Some(comparison.holds(order(pair)))).collect()
}
