//! Elements of arrays, as numbers and texts.

mod float;
mod number;
mod text;

use crate::anndata::Kind;
pub(crate) use float::FloatFormat;
pub(crate) use number::{Number, read_numbers};
pub(crate) use text::read_texts;

/// The type of an array's elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DataType {
    /// IEEE 754 in 2, 4 or 8 bytes.
    Float(usize),
    /// A float of another format.
    OtherFloat(FloatFormat),
    /// 1 to 8 bytes, with a sign.
    Signed(usize),
    /// 1 to 8 bytes, without a sign.
    Unsigned(usize),
    /// A byte, 0 or 1.
    Bool,
    /// UTF-8 of any length, each with its length before it.
    Text,
    /// So many bytes of text, the last ones NUL.
    Bytes(usize),
    /// So many code points of 4 bytes, the last ones NUL.
    Unicode(usize),
    /// Anything else, by its name.
    Other(String),
}

impl DataType {
    /// Bytes of an element; of a text what it takes at least.
    pub(crate) fn width(&self) -> usize {
        match self {
            Self::Float(n) | Self::Signed(n) | Self::Unsigned(n) | Self::Bytes(n) => *n,
            Self::OtherFloat(format) => format.width,
            Self::Bool | Self::Other(_) => 1,
            Self::Text => 4,
            Self::Unicode(n) => 4 * n,
        }
    }

    /// What the elements can be read as.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Float(8) | Self::OtherFloat(_) => Kind::Double,
            Self::Float(_) => Kind::Single,
            Self::Signed(_) => Kind::Signed,
            Self::Unsigned(_) => Kind::Unsigned,
            Self::Bool => Kind::Bool,
            Self::Text | Self::Bytes(_) | Self::Unicode(_) => Kind::Text,
            Self::Other(_) => Kind::Other,
        }
    }

    /// The name, for messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Float(n) => format!("float{}", 8 * n),
            Self::OtherFloat(format) => format!("float{}", 8 * format.width),
            Self::Signed(n) => format!("int{}", 8 * n),
            Self::Unsigned(n) => format!("uint{}", 8 * n),
            Self::Bool => "bool".into(),
            Self::Text | Self::Bytes(_) | Self::Unicode(_) => "string".into(),
            Self::Other(name) => name.clone(),
        }
    }

    /// Turns elements whose high bytes stand first into ones whose low bytes do.
    pub(crate) fn reverse_bytes(&self, elements: &mut [u8]) {
        let word = match self {
            Self::Float(n) | Self::Signed(n) | Self::Unsigned(n) => *n,
            Self::OtherFloat(format) => format.width,
            Self::Unicode(_) => 4,
            _ => 1,
        };
        elements.chunks_exact_mut(word).for_each(<[u8]>::reverse);
    }
}
