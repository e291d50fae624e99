//! Types of elements, under the names of both versions of the format.

use serde_json::Value;

use crate::element::DataType;

impl DataType {
    /// The type under numpy's name, and whether its bytes stand the other way round: `<f4`, `|b1`.
    pub(super) fn of_version_2(name: &Value, filters: &[String]) -> (Self, bool) {
        let other = || Self::Other(name.to_string());
        let Some(text) = name.as_str().filter(|text| text.is_ascii() && text.len() >= 2) else {
            return (other(), false);
        };
        let (order, rest) = text.split_at(1);
        let (kind, width) = rest.split_at(1);
        let width = width.parse::<usize>().ok().filter(|&n| n > 0 && n < 1 << 20);
        let data_type = match (kind, width) {
            ("O", None) if filters.iter().any(|filter| filter == "vlen-utf8") => Self::Text,
            ("f", Some(n @ (2 | 4 | 8))) => Self::Float(n),
            ("i", Some(n @ (1 | 2 | 4 | 8))) => Self::Signed(n),
            ("u", Some(n @ (1 | 2 | 4 | 8))) => Self::Unsigned(n),
            ("b", Some(1)) => Self::Bool,
            ("S", Some(n)) => Self::Bytes(n),
            ("U", Some(n)) => Self::Unicode(n),
            _ => other(),
        };
        (data_type, order == ">")
    }

    /// The type under version 3's name.
    pub(super) fn of_version_3(name: &Value) -> Self {
        let of_length = || name.get("configuration")?.get("length_bytes")?.as_u64();
        let length = of_length().filter(|&n| n > 0 && n < 1 << 20).map(|n| n as usize);
        let plain = name.as_str().or_else(|| name.get("name")?.as_str()).unwrap_or_default();
        match (plain, length) {
            ("float16", _) => Self::Float(2),
            ("float32", _) => Self::Float(4),
            ("float64", _) => Self::Float(8),
            ("int8", _) => Self::Signed(1),
            ("int16", _) => Self::Signed(2),
            ("int32", _) => Self::Signed(4),
            ("int64", _) => Self::Signed(8),
            ("uint8", _) => Self::Unsigned(1),
            ("uint16", _) => Self::Unsigned(2),
            ("uint32", _) => Self::Unsigned(4),
            ("uint64", _) => Self::Unsigned(8),
            ("bool", _) => Self::Bool,
            ("string" | "variable_length_utf8", _) => Self::Text,
            ("null_terminated_bytes", Some(n)) => Self::Bytes(n),
            ("fixed_length_utf32", Some(n)) if n % 4 == 0 => Self::Unicode(n / 4),
            _ => Self::Other(name.to_string()),
        }
    }

    /// The bytes, low ones first, of what elements are that were never written; `None` where that
    /// is not known.
    pub(super) fn fill(&self, value: &Value) -> Option<Vec<u8>> {
        let integer = || match value {
            Value::Null => Some(0),
            _ => value.as_i64().or_else(|| Some(value.as_u64()? as i64)),
        };
        let float = || match value {
            Value::Null => Some(0.0),
            Value::String(name) => match name.as_str() {
                "NaN" => Some(f64::NAN),
                "Infinity" => Some(f64::INFINITY),
                "-Infinity" => Some(f64::NEG_INFINITY),
                _ => None,
            },
            _ => value.as_f64(),
        };
        Some(match self {
            Self::Float(2) => half::f16::from_f64(float()?).to_le_bytes().to_vec(),
            Self::Float(4) => (float()? as f32).to_le_bytes().to_vec(),
            Self::Float(_) => float()?.to_le_bytes().to_vec(),
            Self::Signed(n) | Self::Unsigned(n) => integer()?.to_le_bytes()[..*n].to_vec(),
            Self::Bool => vec![u8::from(value.as_bool().or_else(|| Some(integer()? != 0))?)],
            Self::Bytes(_) | Self::Unicode(_) => vec![0; self.width()],
            Self::Text | Self::Other(_) | Self::OtherFloat(_) => Vec::new(),
        })
    }
}
