//! What the categories of a column are.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The unit that pandas counts times in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeUnit {
    /// Seconds.
    Second,
    /// Milliseconds.
    Millisecond,
    /// Microseconds.
    Microsecond,
    /// Nanoseconds.
    Nanosecond,
}

impl TimeUnit {
    /// All of them, the coarsest first.
    pub const ALL: [Self; 4] =
        [Self::Second, Self::Millisecond, Self::Microsecond, Self::Nanosecond];

    /// numpy's name: `ns`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Millisecond => "ms",
            Self::Microsecond => "us",
            Self::Nanosecond => "ns",
        }
    }

    /// The unit of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.name() == name)
    }

    /// A time counted in this unit, in nanoseconds.
    pub fn of(self, time: i64) -> i128 {
        i128::from(time) * self.nanoseconds()
    }

    /// Nanoseconds in one.
    pub(super) fn nanoseconds(self) -> i128 {
        match self {
            Self::Second => 1_000_000_000,
            Self::Millisecond => 1_000_000,
            Self::Microsecond => 1_000,
            Self::Nanosecond => 1,
        }
    }
}

/// What the categories of a column are in the data. A field holds them as texts; they are compared
/// as what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum CategoryKind {
    /// Texts.
    #[default]
    Text,
    /// Whole numbers, with or without a sign, of up to 8 bytes.
    Integer,
    /// Numbers of 8 bytes.
    Float,
    /// Numbers of 4 bytes.
    Single,
    /// Truth values.
    Bool,
    /// Points in time without a time zone.
    Datetime(TimeUnit),
    /// Lengths of time.
    Timedelta(TimeUnit),
}

impl CategoryKind {
    const NAMED: [(Self, &'static str); 5] = [
        (Self::Text, "text"),
        (Self::Integer, "integer"),
        (Self::Float, "float"),
        (Self::Single, "single"),
        (Self::Bool, "bool"),
    ];

    pub(super) fn is_text(&self) -> bool {
        *self == Self::Text
    }

    pub(super) fn is_float(self) -> bool {
        matches!(self, Self::Float | Self::Single)
    }

    /// The type that numpy gives to values of both kinds together, where they are of one nature.
    pub(super) fn common(self, other: Self) -> Option<Self> {
        match (self, other) {
            (a, b) if a == b => Some(a),
            (Self::Datetime(a), Self::Datetime(b)) => Some(Self::Datetime(a.max(b))),
            (Self::Timedelta(a), Self::Timedelta(b)) => Some(Self::Timedelta(a.max(b))),
            (Self::Integer | Self::Float | Self::Single, b)
                if b.is_float() || b == Self::Integer =>
            {
                Some(Self::Float)
            }
            _ => None,
        }
    }

    /// The type, for a message: `text`, `integer`, `float`, `bool`, `datetime`, `timedelta`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Float | Self::Single => "float",
            Self::Bool => "bool",
            Self::Datetime(_) => "datetime",
            Self::Timedelta(_) => "timedelta",
        }
    }
}

/// The name in files: `integer`, `datetime64[ns]`.
impl Display for CategoryKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Datetime(unit) => write!(f, "datetime64[{}]", unit.name()),
            Self::Timedelta(unit) => write!(f, "timedelta64[{}]", unit.name()),
            named => {
                let name = Self::NAMED.iter().find(|(kind, _)| kind == named);
                f.write_str(name.map_or("", |(_, name)| name))
            }
        }
    }
}

impl From<CategoryKind> for String {
    fn from(kind: CategoryKind) -> Self {
        kind.to_string()
    }
}

/// A name that no kind of category has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "'{0}' is no kind of category; choose one of text, integer, float, single, bool, \
     datetime64[UNIT], timedelta64[UNIT]"
)]
pub struct UnknownKind(String);

impl TryFrom<String> for CategoryKind {
    type Error = UnknownKind;

    fn try_from(name: String) -> Result<Self, UnknownKind> {
        if let Some(&(kind, _)) = Self::NAMED.iter().find(|(_, known)| *known == name) {
            return Ok(kind);
        }
        let unit = |prefix: &str| {
            TimeUnit::from_name(name.strip_prefix(prefix)?.strip_prefix('[')?.strip_suffix(']')?)
        };
        unit("datetime64")
            .map(Self::Datetime)
            .or_else(|| unit("timedelta64").map(Self::Timedelta))
            .ok_or(UnknownKind(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_there_and_back() {
        let times = TimeUnit::ALL.map(|u| [CategoryKind::Datetime(u), CategoryKind::Timedelta(u)]);
        let named = CategoryKind::NAMED.map(|(kind, _)| kind);
        for kind in named.into_iter().chain(times.into_iter().flatten()) {
            assert_eq!(CategoryKind::try_from(kind.to_string()), Ok(kind));
        }
        for name in ["", "datetime64", "datetime64[D]", "datetime64[ns", "Text"] {
            assert_eq!(CategoryKind::try_from(name.to_owned()), Err(UnknownKind(name.to_owned())));
        }
    }

    #[test]
    fn numbers_and_times_have_a_common_kind() {
        use CategoryKind::{Bool, Datetime, Float, Integer, Single, Text, Timedelta};
        use TimeUnit::{Nanosecond, Second};
        assert_eq!(Integer.common(Single), Some(Float));
        assert_eq!(Single.common(Single), Some(Single));
        assert_eq!(Datetime(Second).common(Datetime(Nanosecond)), Some(Datetime(Nanosecond)));
        for (a, b) in [(Text, Integer), (Bool, Integer), (Datetime(Second), Timedelta(Second))] {
            assert_eq!((a.common(b), b.common(a)), (None, None));
        }
    }
}
