//! A copy of an `.h5ad` file with some of its cells.

use std::path::Path;

use hdf5_pure::{
    AttrValue, Datatype, Error as H5Error, File, make_f32_type, make_f64_type, make_i8_type,
    make_i16_type, make_i32_type, make_i64_type, make_u8_type, make_u16_type, make_u32_type,
    make_u64_type,
};

use super::edited_copy::{cannot_copy, copy_without};
use super::reserve::reserve;
use super::write_column::bool_type;
use crate::IoError;
use crate::anndata::{SubsetArray, SubsetParts};
use crate::element::DataType;
use crate::output::{AtomicFile, RegionFile};

/// Writes a copy in which the arrays of `parts` are those of the subset.
pub(crate) fn write_subset(
    input: &Path,
    output: &Path,
    parts: &SubsetParts<'_>,
    overwrite: bool,
) -> Result<(), IoError> {
    let temp = AtomicFile::create(output, overwrite)?;
    let path = temp.temp_path();
    let broken = |source: H5Error| cannot_copy(input, source.to_string());
    let from = File::open_streaming(input).map_err(broken)?;
    let dropped: Vec<String> = parts.arrays.iter().map(|array| array.place.clone()).collect();
    copy_without(input, path, &dropped, &|file| {
        parts.arrays.iter().try_for_each(|array| start(&from, file, array))?;
        parts.shapes.iter().try_for_each(|(place, shape)| {
            let shape = AttrValue::I64Array(shape.map(|n| n as i64).to_vec());
            let group = file.group(place)?;
            let attrs = group.attrs()?;
            let old = attrs.contains_key("h5sparse_shape").then_some("h5sparse_shape");
            group.set_attr(old.unwrap_or("shape"), shape)
        })
    })?;
    let streamed: Vec<&SubsetArray> =
        parts.arrays.iter().filter(|array| array.texts().is_none()).collect();
    let places: Vec<(&str, u64)> =
        streamed.iter().map(|array| (array.place.as_str(), array.shape[0])).collect();
    let regions = reserve(path, 0, &places)?;
    let mut file = RegionFile::new(temp, regions)?;
    for (which, array) in streamed.into_iter().enumerate() {
        parts.each_block(array, &mut |bytes| file.append_bytes(which, bytes))?;
    }
    file.finish()
}

/// Creates an array with the attributes that it has in the input: of numbers the first row.
fn start(from: &File, file: &File, array: &SubsetArray) -> Result<(), H5Error> {
    let attrs = from.dataset(&array.place)?.attrs()?;
    let (group, name) = array.place.rsplit_once('/').unwrap_or(("", &array.place));
    let group = if group.is_empty() { file.root() } else { file.group(group)? };
    let created = group.create_dataset(name, |dataset| {
        match array.texts() {
            Some(texts) => {
                let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                dataset.with_vlen_strings(&texts);
            }
            None => {
                let mut shape = array.shape.clone();
                shape[0] = shape[0].min(1);
                let n: u64 = shape.iter().product();
                let bytes = vec![0; n as usize * array.data_type.width()];
                dataset.with_raw_data(datatype(&array.data_type), bytes, n).with_shape(&shape);
            }
        }
        for (key, value) in attrs {
            dataset.set_attr(&key, value);
        }
    });
    created.map(drop)
}

fn datatype(of: &DataType) -> Datatype {
    match of {
        DataType::Float(4) => make_f32_type(),
        DataType::Signed(1) => make_i8_type(),
        DataType::Signed(2) => make_i16_type(),
        DataType::Signed(4) => make_i32_type(),
        DataType::Signed(_) => make_i64_type(),
        DataType::Unsigned(1) => make_u8_type(),
        DataType::Unsigned(2) => make_u16_type(),
        DataType::Unsigned(4) => make_u32_type(),
        DataType::Unsigned(_) => make_u64_type(),
        DataType::Bool => bool_type(),
        _ => make_f64_type(),
    }
}
