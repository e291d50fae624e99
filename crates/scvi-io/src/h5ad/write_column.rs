//! Columns of a data frame and entries of `uns`, in the form anndata writes them.

use hdf5_pure::{AttrValue, DatasetBuilder, Datatype, EnumTypeBuilder, GroupBuilder, make_i8_type};

use super::write_attrs::encoding;
use crate::anndata::encodings::{
    ARRAY, CATEGORICAL, Encoding, NULLABLE_BOOLEAN, NULLABLE_INTEGER, NULLABLE_STRING,
    NUMERIC_SCALAR, STRING, STRING_ARRAY,
};
use crate::anndata::{Categorical, Column, UnsValue};

/// Writes a column as a member of a data frame's group.
pub(super) fn write_column(frame: &mut GroupBuilder, name: &str, column: &Column) {
    let complete = column.missing().is_empty();
    match column {
        Column::Categorical(c) => categorical(frame, name, c),
        Column::Floats(v) => encode(frame.create_dataset(name).with_f64_data(v), ARRAY),
        Column::Singles(v) => encode(frame.create_dataset(name).with_f32_data(v), ARRAY),
        Column::Strings(v) => {
            let texts = || v.iter().map(|s| s.as_deref().unwrap_or_default());
            if complete {
                string_array(frame.create_dataset(name), texts());
            } else {
                masked(frame, name, NULLABLE_STRING, column, |d| string_array(d, texts()));
            }
        }
        Column::Bools(v) => {
            let bools: Vec<bool> = v.iter().map(|b| b.unwrap_or_default()).collect();
            if complete {
                bool_array(frame.create_dataset(name), &bools);
            } else {
                masked(frame, name, NULLABLE_BOOLEAN, column, |d| bool_array(d, &bools));
            }
        }
        Column::Unsigned(v) => {
            let numbers: Vec<u64> = v.iter().map(|i| i.unwrap_or_default()).collect();
            let write = |d: &mut DatasetBuilder| encode(d.with_u64_data(&numbers), ARRAY);
            if complete {
                write(frame.create_dataset(name));
            } else {
                masked(frame, name, NULLABLE_INTEGER, column, write);
            }
        }
        Column::Integers(v) => {
            let numbers: Vec<i64> = v.iter().map(|i| i.unwrap_or_default()).collect();
            let write = |d: &mut DatasetBuilder| encode(d.with_i64_data(&numbers), ARRAY);
            if complete {
                write(frame.create_dataset(name));
            } else {
                masked(frame, name, NULLABLE_INTEGER, column, write);
            }
        }
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
    for (key, value) in encoding(CATEGORICAL) {
        group.set_attr(key, value);
    }
    group.set_attr("ordered", AttrValue::U8(column.ordered.into()));
    write_column(&mut group, "categories", &column.values());
    // pandas takes the narrowest type that holds all codes.
    let codes = column.codes.iter().map(|c| c.map_or(-1, i64::from));
    let dataset = group.create_dataset("codes");
    let dataset = match column.categories.len() {
        0..=0x7f => dataset.with_i8_data(&codes.map(|c| c as i8).collect::<Vec<_>>()),
        0x80..=0x7fff => dataset.with_i16_data(&codes.map(|c| c as i16).collect::<Vec<_>>()),
        _ => dataset.with_i32_data(&codes.map(|c| c as i32).collect::<Vec<_>>()),
    };
    encode(dataset, ARRAY);
    frame.add_group(group.finish());
}

/// A group of values and a mask of those that are missing.
fn masked(
    frame: &mut GroupBuilder,
    name: &str,
    which: Encoding,
    column: &Column,
    values: impl FnOnce(&mut DatasetBuilder),
) {
    let mut group = frame.create_group(name);
    for (key, value) in encoding(which) {
        group.set_attr(key, value);
    }
    if which == NULLABLE_STRING {
        group.set_attr("na-value", AttrValue::VarLenString("NA".into()));
    }
    values(group.create_dataset("values"));
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
