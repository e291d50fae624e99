//! Number types, as numpy and torch store them.

use half::{bf16, f16};

use super::layout::Layout;
use crate::scvi_tools::value::ArrayData;

/// How a number is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Number {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    BF16,
    F32,
    F64,
}

impl Number {
    /// Bytes a number takes in the file.
    pub(super) fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 | Self::F16 | Self::BF16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    /// Bytes it takes once read.
    pub(super) fn size_read(self) -> usize {
        match self {
            Self::Bool => 1,
            Self::F16 | Self::BF16 | Self::F32 => 4,
            _ => 8,
        }
    }

    /// Reads `count` numbers.
    ///
    /// The layout has been checked against the bytes.
    pub(super) fn read(
        self,
        bytes: &[u8],
        big_endian: bool,
        layout: &Layout,
        count: usize,
    ) -> ArrayData {
        let source = Source { bytes, big_endian, layout, count };
        match self {
            Self::Bool => ArrayData::Bool(source.map(|[b]: [u8; 1]| b != 0)),
            Self::I8 => ArrayData::Int(source.map(|b| i8::from_le_bytes(b).into())),
            Self::I16 => ArrayData::Int(source.map(|b| i16::from_le_bytes(b).into())),
            Self::I32 => ArrayData::Int(source.map(|b| i32::from_le_bytes(b).into())),
            Self::I64 => ArrayData::Int(source.map(i64::from_le_bytes)),
            Self::U8 => ArrayData::Int(source.map(|b| u8::from_le_bytes(b).into())),
            Self::U16 => ArrayData::Int(source.map(|b| u16::from_le_bytes(b).into())),
            Self::U32 => ArrayData::Int(source.map(|b| u32::from_le_bytes(b).into())),
            Self::U64 => {
                let values = source.map(u64::from_le_bytes);
                let signed: Option<_> = values.iter().map(|&v| v.try_into().ok()).collect();
                signed.map_or(ArrayData::UInt(values), ArrayData::Int)
            }
            Self::F16 => ArrayData::Float32(source.map(|b| f16::from_le_bytes(b).into())),
            Self::BF16 => ArrayData::Float32(source.map(|b| bf16::from_le_bytes(b).into())),
            Self::F32 => ArrayData::Float32(source.map(f32::from_le_bytes)),
            Self::F64 => ArrayData::Float64(source.map(f64::from_le_bytes)),
        }
    }
}

struct Source<'a> {
    bytes: &'a [u8],
    big_endian: bool,
    layout: &'a Layout,
    count: usize,
}

impl Source<'_> {
    fn map<const N: usize, T>(&self, convert: impl Fn([u8; N]) -> T) -> Vec<T> {
        let (items, _) = self.bytes.as_chunks::<N>();
        self.layout
            .positions(self.count)
            .map(|at| {
                let mut item = items[at];
                if self.big_endian {
                    item.reverse();
                }
                convert(item)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(number: Number, bytes: &[u8], big_endian: bool) -> ArrayData {
        let count = bytes.len() / number.size();
        number.read(bytes, big_endian, &Layout::row_major(vec![count]), count)
    }

    #[test]
    fn widens() {
        assert_eq!(read(Number::I8, &[1, 0xff], false), ArrayData::Int(vec![1, -1]));
        assert_eq!(read(Number::U8, &[1, 0xff], false), ArrayData::Int(vec![1, 255]));
        assert_eq!(read(Number::I16, &[1, 2], false), ArrayData::Int(vec![513]));
        assert_eq!(read(Number::I16, &[1, 2], true), ArrayData::Int(vec![258]));
        assert_eq!(read(Number::F16, &[0, 0x3e], false), ArrayData::Float32(vec![1.5]));
        assert_eq!(read(Number::BF16, &[0xc0, 0x3f], false), ArrayData::Float32(vec![1.5]));
        assert_eq!(read(Number::U64, &[0xff; 8], false), ArrayData::UInt(vec![u64::MAX]));
        assert_eq!(read(Number::I64, &[0xff; 8], false), ArrayData::Int(vec![-1]));
        assert_eq!(read(Number::Bool, &[0, 1, 2], false), ArrayData::Bool(vec![false, true, true]));
    }
}
