//! One category as the value that it is in the data.

use std::cmp::Ordering;

use super::kind::{CategoryKind, TimeUnit};
use super::python_str::{float_str, single_str};
use super::time::{datetime_str, parse_datetime, parse_timedelta, timedelta_str};

/// A category, read from its text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Text(&'a str),
    Integer(i128),
    /// Never NaN.
    Float(f64),
    Bool(bool),
    /// Nanoseconds since 1970.
    Datetime(i128),
    /// Nanoseconds.
    Timedelta(i128),
}

/// What two equal categories share. pandas compares whole numbers and floats as floats, 1 and 1.0,
/// and takes neither for the truth value or the text that looks alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key<'a> {
    Text(&'a str),
    Integer(i128),
    /// The bits of a float; of 0.0 for both zeros.
    Float(u64),
    Bool(bool),
    Datetime(i128),
    Timedelta(i128),
}

impl<'a> Value<'a> {
    /// The value that a text stands for among categories of a kind; `None` where it stands for none.
    pub(super) fn parse(text: &'a str, kind: CategoryKind) -> Option<Self> {
        match kind {
            CategoryKind::Text => Some(Self::Text(text)),
            CategoryKind::Integer => {
                let range = i128::from(i64::MIN)..=i128::from(u64::MAX);
                text.parse().ok().filter(|n| range.contains(n)).map(Self::Integer)
            }
            CategoryKind::Float => float(text.parse().ok()?),
            CategoryKind::Single => float(text.parse::<f32>().ok()?.into()),
            CategoryKind::Bool => match text {
                "True" => Some(Self::Bool(true)),
                "False" => Some(Self::Bool(false)),
                _ => None,
            },
            CategoryKind::Datetime(unit) => {
                in_range(parse_datetime(text)?, unit).map(Self::Datetime)
            }
            CategoryKind::Timedelta(unit) => {
                in_range(parse_timedelta(text)?, unit).map(Self::Timedelta)
            }
        }
    }

    /// The text of the value among categories of a kind; `None` where it cannot be one of them.
    pub(super) fn text(self, kind: CategoryKind) -> Option<String> {
        Some(match (self, kind) {
            (Self::Text(text), CategoryKind::Text) => text.to_owned(),
            (Self::Integer(n), CategoryKind::Integer) => n.to_string(),
            (Self::Integer(n), CategoryKind::Float) => float_str(n as f64),
            (Self::Float(x), CategoryKind::Float) => float_str(x),
            (Self::Float(x), CategoryKind::Single) => single_str(x as f32),
            (Self::Bool(b), CategoryKind::Bool) => if b { "True" } else { "False" }.to_owned(),
            (Self::Datetime(t), CategoryKind::Datetime(unit)) => datetime_str(in_range(t, unit)?),
            (Self::Timedelta(t), CategoryKind::Timedelta(unit)) => {
                timedelta_str(in_range(t, unit)?)
            }
            _ => return None,
        })
    }

    /// A time counted in the unit of its kind.
    pub(super) fn time(self, kind: CategoryKind) -> Option<i64> {
        match (self, kind) {
            (Self::Datetime(t), CategoryKind::Datetime(unit))
            | (Self::Timedelta(t), CategoryKind::Timedelta(unit)) => {
                i64::try_from(t / unit.nanoseconds()).ok()
            }
            _ => None,
        }
    }

    /// The value to compare by; whole numbers as floats where they are compared with floats.
    pub(super) fn key(self, as_float: bool) -> Key<'a> {
        match self {
            Self::Text(text) => Key::Text(text),
            Self::Integer(n) if as_float => Self::Float(n as f64).key(as_float),
            Self::Integer(n) => Key::Integer(n),
            Self::Float(x) => Key::Float(if x == 0.0 { 0 } else { x.to_bits() }),
            Self::Bool(b) => Key::Bool(b),
            Self::Datetime(t) => Key::Datetime(t),
            Self::Timedelta(t) => Key::Timedelta(t),
        }
    }

    /// The order of values of one kind: numbers by size, texts by code point, times as they pass.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Datetime(a), Self::Datetime(b)) | (Self::Timedelta(a), Self::Timedelta(b)) => {
                a.cmp(b)
            }
            // Of several kinds they are no categories of one column.
            _ => Ordering::Equal,
        }
    }
}

fn float<'a>(value: f64) -> Option<Value<'a>> {
    (!value.is_nan()).then_some(Value::Float(value))
}

/// A time, if 8 bytes can count it in that unit. (The least number of 8 bytes is pandas' NaT.)
fn in_range(nanoseconds: i128, unit: TimeUnit) -> Option<i128> {
    let fits =
        i64::try_from(nanoseconds.div_euclid(unit.nanoseconds())).is_ok_and(|n| n > i64::MIN);
    (fits && nanoseconds % unit.nanoseconds() == 0).then_some(nanoseconds)
}
