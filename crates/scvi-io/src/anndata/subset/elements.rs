//! Elements of an array as bytes, for a copy of it.

use crate::IoError;
use crate::anndata::array::Array;
use crate::element::DataType;

/// The type in which a copy has elements of a type; `None` where they are not copied.
pub(super) fn copied_as(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Float(2 | 4) => DataType::Float(4),
        DataType::Float(_) | DataType::OtherFloat(_) => DataType::Float(8),
        DataType::Signed(n @ (1 | 2 | 4 | 8)) => DataType::Signed(*n),
        DataType::Signed(_) => DataType::Signed(8),
        DataType::Unsigned(n @ (1 | 2 | 4 | 8)) => DataType::Unsigned(*n),
        DataType::Unsigned(_) => DataType::Unsigned(8),
        DataType::Bool => DataType::Bool,
        DataType::Text | DataType::Bytes(_) | DataType::Unicode(_) => DataType::Text,
        DataType::Other(_) => return None,
    })
}

/// Whole rows of numbers as bytes of the copy's type, the low ones of each number first.
pub(super) fn rows(
    array: &Array,
    data_type: &DataType,
    start: u64,
    n: u64,
) -> Result<Vec<u8>, IoError> {
    Ok(match data_type {
        DataType::Float(4) => {
            array.rows_f32(start, n)?.iter().flat_map(|v| v.to_le_bytes()).collect()
        }
        DataType::Float(_) => {
            array.rows_f64(start, n)?.iter().flat_map(|v| v.to_le_bytes()).collect()
        }
        DataType::Unsigned(_) => integers(data_type, array.rows_u64(start, n)?.into_iter()),
        _ => integers(data_type, array.rows_i64(start, n)?.into_iter().map(|v| v as u64)),
    })
}

/// Whole numbers as bytes of a type that holds them; those with a sign in two's complement.
pub(super) fn integers(data_type: &DataType, values: impl Iterator<Item = u64>) -> Vec<u8> {
    let width = data_type.width();
    values.flat_map(|value| value.to_le_bytes().into_iter().take(width)).collect()
}

/// Some of the elements of so many bytes each.
pub(super) fn gather(bytes: &[u8], width: usize, places: impl Iterator<Item = usize>) -> Vec<u8> {
    places.flat_map(|at| &bytes[at * width..][..width]).copied().collect()
}
