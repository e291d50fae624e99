//! Reads one column of a data frame, in every form that AnnData has given it.

use std::collections::HashSet;

use super::array::{Array, Kind};
use super::column::{Categorical, Column};
use super::store::{Node, Store};
use crate::IoError;

/// The column `key` of the data frame `frame`; `None` where there is no such member.
pub(crate) fn read_column(
    store: &Store,
    frame: &str,
    key: &str,
) -> Result<Option<Column>, IoError> {
    // A key is one name: a path would lead out of the data frame.
    if super::check_name(key).is_err() {
        return Ok(None);
    }
    let place = format!("{frame}/{key}");
    match store.node(&place)? {
        Node::Missing => Ok(None),
        Node::Group => read_group(store, &place).map(Some),
        Node::Array(array) => {
            // anndata 0.7 kept the categories beside the columns.
            let categories = format!("{frame}/__categories/{key}");
            match store.node(&categories)? {
                Node::Array(names) => {
                    categorical(&array, &names, names.attrs()?.flag("ordered")).map(Some)
                }
                _ => read_array(&array).map(Some),
            }
        }
    }
}

/// A categorical (codes, categories) or a nullable array (values, mask).
fn read_group(store: &Store, place: &str) -> Result<Column, IoError> {
    let member = |name: &str| store.node(&format!("{place}/{name}"));
    if let (Node::Array(codes), Node::Array(names)) = (member("codes")?, member("categories")?) {
        return categorical(&codes, &names, store.attrs(place)?.flag("ordered"));
    }
    // Categories that may be missing themselves, or are a nullable string array.
    if let (Node::Array(codes), Node::Group) = (member("codes")?, member("categories")?) {
        let names = read_group(store, &format!("{place}/categories"))?;
        return with_codes(&codes, &names, store.attrs(place)?.flag("ordered"));
    }
    if let (Node::Array(values), Node::Array(mask)) = (member("values")?, member("mask")?) {
        return masked(read_array(&values)?, &mask);
    }
    Err(store.structure(
        place,
        "a column: a categorical (codes, categories), a nullable array (values, mask) or an array",
        format!("a group of {:?}", store.members(place)?),
    ))
}

/// An array of one dimension.
fn read_array(array: &Array) -> Result<Column, IoError> {
    array.len()?;
    Ok(match array.kind() {
        Kind::Text => Column::Strings(array.strings()?.into_iter().map(Some).collect()),
        Kind::Bool => Column::Bools(array.i64s()?.iter().map(|&v| Some(v != 0)).collect()),
        Kind::Signed => Column::Integers(array.i64s()?.into_iter().map(Some).collect()),
        Kind::Unsigned => unsigned(array.u64s()?),
        Kind::Double => Column::Floats(array.f64s()?),
        Kind::Single => Column::Singles(array.f64s()?.iter().map(|&v| v as f32).collect()),
        Kind::Other => {
            return Err(array.structure("strings, numbers or booleans", array.type_name()));
        }
    })
}

/// Numbers without a sign, as those with one where they fit.
fn unsigned(values: Vec<u64>) -> Column {
    let signed: Option<Vec<i64>> = values.iter().map(|&v| v.try_into().ok()).collect();
    match signed {
        Some(values) => Column::Integers(values.into_iter().map(Some).collect()),
        None => Column::Unsigned(values.into_iter().map(Some).collect()),
    }
}

/// Takes out the values that the mask marks.
fn masked(column: Column, mask: &Array) -> Result<Column, IoError> {
    if mask.len()? != column.len() {
        return Err(mask.structure(format!("{} values", column.len()), mask.len()?.to_string()));
    }
    let mask = mask.i64s()?;
    fn blank<T>(values: Vec<Option<T>>, mask: &[i64]) -> Vec<Option<T>> {
        values.into_iter().zip(mask).map(|(v, &m)| v.filter(|_| m == 0)).collect()
    }
    let missing = |k: usize| mask[k] != 0;
    Ok(match column {
        Column::Strings(v) => Column::Strings(blank(v, &mask)),
        Column::Bools(v) => Column::Bools(blank(v, &mask)),
        Column::Integers(v) => Column::Integers(blank(v, &mask)),
        Column::Unsigned(v) => Column::Unsigned(blank(v, &mask)),
        Column::Floats(mut v) => {
            v.iter_mut().enumerate().filter(|(k, _)| missing(*k)).for_each(|(_, v)| *v = f64::NAN);
            Column::Floats(v)
        }
        Column::Singles(mut v) => {
            v.iter_mut().enumerate().filter(|(k, _)| missing(*k)).for_each(|(_, v)| *v = f32::NAN);
            Column::Singles(v)
        }
        Column::Categorical(mut c) => {
            c.codes = blank(c.codes, &mask);
            Column::Categorical(c)
        }
    })
}

fn categorical(codes: &Array, names: &Array, ordered: bool) -> Result<Column, IoError> {
    with_codes(codes, &read_array(names)?, ordered)
}

/// Checks the codes against the categories, which are all different; -1 is a missing value.
fn with_codes(codes: &Array, names: &Column, ordered: bool) -> Result<Column, IoError> {
    let n = names.len();
    let categories: Vec<String> =
        (0..n).map(|k| names.label(k).unwrap_or_else(|| "nan".into())).collect();
    let mut seen = HashSet::with_capacity(n);
    if let Some(twice) = categories.iter().find(|category| !seen.insert(*category)) {
        let place = codes.place();
        return Err(IoError::DuplicateCategory {
            path: codes.file().into(),
            column: place.strip_suffix("/codes").unwrap_or(place).into(),
            category: twice.clone(),
        });
    }
    let code = |v: i64| match u32::try_from(v) {
        Ok(code) if (code as usize) < n => Ok(Some(code)),
        _ if v == -1 => Ok(None),
        _ => Err(codes.structure(format!("codes from -1 to {}", n as i64 - 1), v.to_string())),
    };
    let codes = codes.i64s()?.into_iter().map(code).collect::<Result<_, _>>()?;
    Ok(Column::Categorical(Categorical { codes, categories, kind: names.kind(), ordered }))
}
