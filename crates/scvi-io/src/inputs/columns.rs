//! Columns of `obs` of several samples, one after another.

use super::genes::Join;
use super::natural_order::natural;
use super::sample::Sample;
use crate::anndata::{Categorical, Column};

/// The columns that all samples have, or that any has, in the order in which they come.
///
/// Categories are united as anndata unites them: in natural order, unless they are the same ordered
/// categories throughout.
///
/// Source: anndata 0.12, `_core/merge.py`, `unify_dtypes`.
pub(super) fn join_columns(samples: &[Sample], join: Join) -> Vec<(String, Column)> {
    let mut keys: Vec<&String> = Vec::new();
    for (key, _) in samples.iter().flat_map(|sample| &sample.obs) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let column = |sample: &'_ Sample, key: &str| -> Option<Column> {
        sample.obs.iter().find(|(known, _)| known == key).map(|(_, column)| column.clone())
    };
    let mut joined = Vec::new();
    for key in keys {
        let parts: Vec<Option<Column>> = samples.iter().map(|s| column(s, key)).collect();
        if join == Join::Inner && parts.iter().any(Option::is_none) {
            continue;
        }
        let lengths: Vec<usize> = samples.iter().map(Sample::n_obs).collect();
        joined.push((key.clone(), stack(&parts, &lengths)));
    }
    joined
}

/// One column after another; cells of a sample without it have no value.
fn stack(parts: &[Option<Column>], lengths: &[usize]) -> Column {
    let present: Vec<&Column> = parts.iter().flatten().collect();
    let all = |is: fn(&Column) -> bool| present.iter().all(|column| is(column));
    if all(|c| matches!(c, Column::Categorical(_)))
        && let Some(column) = stack_categories(parts, lengths)
    {
        return column;
    }
    let is_missing = present.len() < parts.len();
    if all(|c| matches!(c, Column::Bools(_))) {
        return Column::Bools(values(parts, lengths, None, |c| match c {
            Column::Bools(values) => values.clone(),
            _ => Vec::new(),
        }));
    }
    if !is_missing && all(|c| matches!(c, Column::Integers(_))) {
        return Column::Integers(values(parts, lengths, None, |c| match c {
            Column::Integers(values) => values.clone(),
            _ => Vec::new(),
        }));
    }
    if all(|c| matches!(c, Column::Singles(_))) {
        return Column::Singles(values(parts, lengths, f32::NAN, |c| match c {
            Column::Singles(values) => values.clone(),
            _ => Vec::new(),
        }));
    }
    let is_number =
        |c: &Column| matches!(c, Column::Integers(_) | Column::Floats(_) | Column::Singles(_));
    if all(is_number) {
        let numbers = |c: &Column| c.to_numbers().unwrap_or_default();
        return Column::Floats(values(parts, lengths, f64::NAN, numbers));
    }
    let labels = |c: &Column| (0..c.len()).map(|cell| c.label(cell)).collect();
    Column::Strings(values(parts, lengths, None, labels))
}

fn values<T: Clone>(
    parts: &[Option<Column>],
    lengths: &[usize],
    missing: T,
    of: impl Fn(&Column) -> Vec<T>,
) -> Vec<T> {
    let part = |(part, &n): (&Option<Column>, &usize)| match part {
        Some(column) => of(column),
        None => vec![missing.clone(); n],
    };
    parts.iter().zip(lengths).flat_map(part).collect()
}

/// Categories of all parts; `None` where they are no categories of one column.
fn stack_categories(parts: &[Option<Column>], lengths: &[usize]) -> Option<Column> {
    let categorical = |part: &'_ Option<Column>| match part {
        Some(Column::Categorical(c)) => Some(c.clone()),
        _ => None,
    };
    let present: Vec<Categorical> = parts.iter().filter_map(categorical).collect();
    let first = present.first()?;
    if present.iter().any(|c| c.kind != first.kind) {
        return None;
    }
    let is_same = present.iter().all(|c| c.categories == first.categories);
    let ordered = present.iter().any(|c| c.ordered);
    if ordered && !(is_same && present.iter().all(|c| c.ordered)) {
        return None;
    }
    let mut categories: Vec<String> = first.categories.clone();
    if !ordered {
        for category in present[1..].iter().flat_map(|c| &c.categories) {
            if !categories.contains(category) {
                categories.push(category.clone());
            }
        }
        sort_categories(&mut categories);
    }
    let code = |category: &String| {
        categories.iter().position(|known| known == category).map(|code| code as u32)
    };
    let codes = parts.iter().zip(lengths).flat_map(|(part, &n)| match categorical(part) {
        None => vec![None; n],
        Some(c) => {
            let codes: Vec<Option<u32>> = c.categories.iter().map(code).collect();
            c.codes.iter().map(|own| codes[(*own)? as usize]).collect()
        }
    });
    let codes = codes.collect();
    Some(Column::Categorical(Categorical { codes, categories, ..first.clone() }))
}

/// Numbers by value, texts in natural order.
fn sort_categories(categories: &mut [String]) {
    let number = |text: &String| text.parse::<f64>().ok();
    if categories.iter().all(|text| number(text).is_some()) {
        categories.sort_by(|a, b| {
            number(a).unwrap_or_default().total_cmp(&number(b).unwrap_or_default())
        });
        return;
    }
    categories.sort();
    categories.sort_by(|a, b| natural(a, b));
}
