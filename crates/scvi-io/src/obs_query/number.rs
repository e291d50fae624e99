//! Numbers of several types, as numpy compares them.

use std::cmp::Ordering;

use super::Value;
use crate::anndata::Column;

/// A number of a column, or a constant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    /// A whole number, or a truth value.
    Integer(i128),
    /// Any other number.
    Float(f64),
}

/// A number that is equal to another as a key of a set exactly where both are the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Integer(i128),
    /// The bits of a float that is no whole number.
    Float(u64),
}

impl Number {
    /// A constant, if it is a number or a truth value.
    pub fn of(value: &Value) -> Option<Self> {
        match *value {
            Value::Integer(n) => Some(Self::Integer(n)),
            Value::Float(x) => Some(Self::Float(x)),
            Value::Flag(flag) => Some(Self::Integer(flag.into())),
            Value::Text(_) => None,
        }
    }

    /// As a float of 8 bytes, in which whole numbers beyond 2^53 are rounded.
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Integer(n) => n as f64,
            Self::Float(x) => x,
        }
    }

    /// As a float of 4 bytes.
    pub fn rounded_to_single(self) -> Self {
        Self::Float(f64::from(self.as_f64() as f32))
    }

    /// The order of two numbers: exact where both are whole, of floats of 8 bytes otherwise; none
    /// where one is NaN.
    pub fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(&b)),
            (a, b) => a.as_f64().partial_cmp(&b.as_f64()),
        }
    }

    pub fn key(self) -> Key {
        // Floats of this size are whole, and infinite ones have no whole number.
        const LIMIT: f64 = (1u128 << 100) as f64;
        match self {
            Self::Integer(n) => Key::Integer(n),
            Self::Float(x) if x.fract() == 0.0 && x.abs() < LIMIT => Key::Integer(x as i128),
            Self::Float(x) => Key::Float(x.to_bits()),
        }
    }
}

/// The numbers of a column, if it holds any: a missing value that is NaN is one.
pub(super) fn numbers(column: &Column) -> Option<Vec<Option<Number>>> {
    let float = |x: f64| Some(Number::Float(x));
    Some(match column {
        Column::Bools(v) => v.iter().map(|v| v.map(|b| Number::Integer(b.into()))).collect(),
        Column::Integers(v) => v.iter().map(|v| v.map(|n| Number::Integer(n.into()))).collect(),
        Column::Unsigned(v) => v.iter().map(|v| v.map(|n| Number::Integer(n.into()))).collect(),
        Column::Floats(v) => v.iter().map(|&x| float(x)).collect(),
        Column::Singles(v) => v.iter().map(|&x| float(x.into())).collect(),
        Column::Categorical(_) | Column::Strings(_) => return None,
    })
}
