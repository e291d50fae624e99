//! Columns of a data frame and entries of `uns`, in the form anndata writes them.

use hdf5_pure::{
    AttrValue, DatasetBuilder, Datatype, EnumTypeBuilder, Group, GroupBuilder, make_i8_type,
};

use super::write_attrs::encoding;
use crate::anndata::encodings::{
    ARRAY, CATEGORICAL, Encoding, NULLABLE_BOOLEAN, NULLABLE_INTEGER, NULLABLE_STRING,
    NUMERIC_SCALAR, STRING, STRING_ARRAY,
};
use crate::anndata::{Categorical, Column, UnsValue};

/// Writes a column as a member of a data frame's group.
pub(super) fn write_column(frame: &mut GroupBuilder, name: &str, column: &Column) {
    let nullable = match column {
        Column::Categorical(c) => return categorical(frame, name, c),
        // NaN stands for a missing number.
        Column::Floats(_) | Column::Singles(_) => None,
        Column::Strings(_) => Some(NULLABLE_STRING),
        Column::Bools(_) => Some(NULLABLE_BOOLEAN),
        Column::Unsigned(_) | Column::Integers(_) => Some(NULLABLE_INTEGER),
    };
    match nullable.filter(|_| !column.missing().is_empty()) {
        None => fill_values(frame.create_dataset(name), column),
        Some(which) => masked(frame, name, which, column),
    }
}

/// Fills a data set with the values of a column that is no categorical; where one is missing with
/// any other.
fn fill_values(dataset: &mut DatasetBuilder, column: &Column) {
    fn or_default<T: Clone + Default>(values: &[Option<T>]) -> Vec<T> {
        values.iter().map(|value| value.clone().unwrap_or_default()).collect()
    }
    match column {
        Column::Categorical(_) => unreachable!("a categorical is a group"),
        Column::Floats(v) => encode(dataset.with_f64_data(v), ARRAY),
        Column::Singles(v) => encode(dataset.with_f32_data(v), ARRAY),
        Column::Strings(v) => {
            string_array(dataset, v.iter().map(|s| s.as_deref().unwrap_or_default()));
        }
        Column::Bools(v) => bool_array(dataset, &or_default(v)),
        Column::Unsigned(v) => encode(dataset.with_u64_data(&or_default(v)), ARRAY),
        Column::Integers(v) => encode(dataset.with_i64_data(&or_default(v)), ARRAY),
    }
}

/// Writes an entry of `uns`.
pub(super) fn write_uns(uns: &mut GroupBuilder, name: &str, value: &UnsValue) {
    fill_uns(uns.create_dataset(name), value);
}

/// Fills a data set with an entry of `uns`.
pub(super) fn fill_uns(dataset: &mut DatasetBuilder, value: &UnsValue) {
    match value {
        UnsValue::Text(text) => {
            encode(dataset.with_vlen_strings(&[text.as_str()]).with_shape(&[]), STRING);
        }
        UnsValue::Texts(texts) => string_array(dataset, texts.iter().map(String::as_str)),
        UnsValue::Integer(v) => {
            encode(dataset.with_i64_data(&[*v]).with_shape(&[]), NUMERIC_SCALAR)
        }
        UnsValue::Float(v) => encode(dataset.with_f64_data(&[*v]).with_shape(&[]), NUMERIC_SCALAR),
        UnsValue::Floats(v) => encode(dataset.with_f64_data(v), ARRAY),
    }
}

/// Fills a data set with strings.
pub(super) fn string_array<'a>(
    dataset: &mut DatasetBuilder,
    strings: impl Iterator<Item = &'a str>,
) {
    let strings: Vec<&str> = strings.collect();
    encode(dataset.with_vlen_strings(&strings), STRING_ARRAY);
}

/// Says what kind of array a data set is.
pub(super) fn encode(dataset: &mut DatasetBuilder, which: Encoding) {
    for (key, value) in encoding(which) {
        dataset.set_attr(key, value);
    }
}

fn categorical(frame: &mut GroupBuilder, name: &str, column: &Categorical) {
    let mut group = frame.create_group(name);
    categorical_attrs(column, |key, value| group.set_attr(key, value));
    write_column(&mut group, "categories", &column.values());
    fill_codes(group.create_dataset("codes"), column);
    frame.add_group(group.finish());
}

/// Adds a categorical column to the data frame of a file that is edited.
pub(super) fn add_categorical(
    frame: &Group,
    name: &str,
    column: &Categorical,
) -> Result<(), hdf5_pure::Error> {
    let group = frame.create_group_with(name, |group| {
        categorical_attrs(column, |key, value| _ = group.set_attr(key, value));
        group.create_dataset("categories", |dataset| fill_values(dataset, &column.values()));
        group.create_dataset("codes", |dataset| fill_codes(dataset, column));
    });
    group.map(drop)
}

fn categorical_attrs(column: &Categorical, mut set: impl FnMut(&str, AttrValue)) {
    encoding(CATEGORICAL).into_iter().for_each(|(key, value)| set(key, value));
    set("ordered", AttrValue::U8(column.ordered.into()));
}

fn fill_codes(dataset: &mut DatasetBuilder, column: &Categorical) {
    // pandas takes the narrowest type that holds all codes.
    let codes = column.codes.iter().map(|c| c.map_or(-1, i64::from));
    let dataset = match column.categories.len() {
        0..=0x7f => dataset.with_i8_data(&codes.map(|c| c as i8).collect::<Vec<_>>()),
        0x80..=0x7fff => dataset.with_i16_data(&codes.map(|c| c as i16).collect::<Vec<_>>()),
        _ => dataset.with_i32_data(&codes.map(|c| c as i32).collect::<Vec<_>>()),
    };
    encode(dataset, ARRAY);
}

/// A group of values and a mask of those that are missing.
fn masked(frame: &mut GroupBuilder, name: &str, which: Encoding, column: &Column) {
    let mut group = frame.create_group(name);
    for (key, value) in encoding(which) {
        group.set_attr(key, value);
    }
    if which == NULLABLE_STRING {
        group.set_attr("na-value", AttrValue::VarLenString("NA".into()));
    }
    fill_values(group.create_dataset("values"), column);
    let mut mask = vec![false; column.len()];
    column.missing().into_iter().for_each(|cell| mask[cell] = true);
    bool_array(group.create_dataset("mask"), &mask);
    frame.add_group(group.finish());
}

fn bool_array(dataset: &mut DatasetBuilder, values: &[bool]) {
    let bytes: Vec<u8> = values.iter().map(|&b| b.into()).collect();
    encode(dataset.with_raw_data(bool_type(), bytes, values.len() as u64), ARRAY);
}

/// The type h5py gives booleans: an enumeration of FALSE and TRUE over one byte.
pub(super) fn bool_type() -> Datatype {
    EnumTypeBuilder::with_base(make_i8_type())
        .value("FALSE", 0)
        .value("TRUE", 1)
        .build()
        .expect("0 and 1 fit into one byte")
}
