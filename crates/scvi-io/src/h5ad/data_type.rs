//! Types of elements as HDF5 describes them.

use hdf5_pure::{
    Datatype, DatatypeByteOrder, FixedPointLayout, FloatingPointLayout, StringPadding,
};

use crate::element::{DataType, FloatFormat};

/// The type of an array's elements, and whether their high bytes stand first.
pub(super) fn data_type(datatype: &Datatype) -> (DataType, bool) {
    let other = || DataType::Other(datatype.to_string());
    match datatype {
        Datatype::FixedPoint { size, byte_order, layout } => {
            match (integer(*size, layout), is_big_endian(*byte_order)) {
                (Some(integer), Some(is_big)) => (integer, is_big),
                _ => (other(), false),
            }
        }
        Datatype::FloatingPoint { size, byte_order, layout } => {
            match (float(*size, layout), is_big_endian(*byte_order)) {
                (Some(float), Some(is_big)) => (float, is_big),
                _ => (other(), false),
            }
        }
        // The names under which h5py stores booleans.
        Datatype::Enumeration { size: 1, members, .. } if matches!(&members[..], [a, b] if a.name == "FALSE" && b.name == "TRUE") => {
            (DataType::Bool, false)
        }
        // h5py and anndata read the numbers, too.
        Datatype::Enumeration { base_type, .. } => match **base_type {
            Datatype::FixedPoint { .. } => data_type(base_type),
            _ => (other(), false),
        },
        Datatype::String { size, .. } => (DataType::Bytes(*size as usize), false),
        Datatype::VariableLength { is_string: true, .. } => (DataType::Text, false),
        _ => (other(), false),
    }
}

fn is_big_endian(order: DatatypeByteOrder) -> Option<bool> {
    match order {
        DatatypeByteOrder::LittleEndian => Some(false),
        DatatypeByteOrder::BigEndian => Some(true),
        DatatypeByteOrder::Vax => None,
    }
}

/// An integer that takes all its bytes.
fn integer(size: u32, layout: &FixedPointLayout) -> Option<DataType> {
    let width = usize::try_from(size).ok().filter(|width| (1..=8).contains(width))?;
    if layout.bit_offset != 0 || usize::from(layout.bit_precision) != 8 * width {
        return None;
    }
    Some(if layout.signed { DataType::Signed(width) } else { DataType::Unsigned(width) })
}

/// A float whose sign, exponent and mantissa stand one behind the other.
fn float(size: u32, layout: &FloatingPointLayout) -> Option<DataType> {
    let FloatingPointLayout {
        bit_offset,
        bit_precision,
        exponent_location,
        exponent_size,
        mantissa_location,
        mantissa_size,
        exponent_bias: bias,
    } = *layout;
    let [exponent_bits, mantissa_bits] = [exponent_size, mantissa_size].map(u32::from);
    let is_usual = size <= 16
        && bit_offset == 0
        && mantissa_location == 0
        && exponent_location == mantissa_size
        && u32::from(bit_precision) == 1 + exponent_bits + mantissa_bits
        && u32::from(bit_precision) <= 8 * size
        && (1..31).contains(&exponent_bits)
        && mantissa_bits > 0;
    if !is_usual {
        return None;
    }
    Some(match (size, exponent_bits, mantissa_bits, bias) {
        (2, 5, 10, 15) | (4, 8, 23, 127) | (8, 11, 52, 1023) => DataType::Float(size as usize),
        _ => DataType::OtherFloat(FloatFormat {
            width: size as usize,
            exponent_bits,
            mantissa_bits,
            bias,
            // The one format of this kind, x87's.
            has_leading_bit: (exponent_bits, mantissa_bits) == (15, 64),
        }),
    })
}

/// A text of fixed width without what fills it up; `None` where it is not UTF-8.
pub(super) fn unpad(text: &[u8], padding: &StringPadding) -> Option<String> {
    let last = |filler: u8| text.iter().rposition(|&b| b != filler).map_or(0, |last| last + 1);
    let length = match padding {
        StringPadding::NullTerminate => text.iter().position(|&b| b == 0).unwrap_or(text.len()),
        StringPadding::NullPad => last(0),
        StringPadding::SpacePad => last(b' '),
    };
    Some(std::str::from_utf8(&text[..length]).ok()?.to_owned())
}
