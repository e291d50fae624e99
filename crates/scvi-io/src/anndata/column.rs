//! A column of `obs` in memory.

use scvi::data::{CategoryKind, float_str, single_str};

/// A column of `obs`: one value per cell, or none.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Column {
    /// A pandas categorical.
    Categorical(Categorical),
    /// Strings.
    Strings(Vec<Option<String>>),
    /// Booleans.
    Bools(Vec<Option<bool>>),
    /// Whole numbers.
    Integers(Vec<Option<i64>>),
    /// Whole numbers without a sign, of which some need all 8 bytes.
    Unsigned(Vec<Option<u64>>),
    /// Floats of 8 bytes; NaN where a value is missing.
    Floats(Vec<f64>),
    /// Floats of 4 bytes; NaN where a value is missing.
    Singles(Vec<f32>),
}

/// Codes into a list of categories.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Categorical {
    /// Category of each cell.
    pub codes: Vec<Option<u32>>,
    /// Names of the categories, those without a cell included, as Python's `str` writes them.
    pub categories: Vec<String>,
    /// What the categories are in the data.
    pub kind: CategoryKind,
    /// Whether the order of the categories means something.
    pub ordered: bool,
}

impl Column {
    /// Number of cells.
    pub fn len(&self) -> usize {
        match self {
            Self::Categorical(c) => c.codes.len(),
            Self::Strings(v) => v.len(),
            Self::Bools(v) => v.len(),
            Self::Integers(v) => v.len(),
            Self::Unsigned(v) => v.len(),
            Self::Floats(v) => v.len(),
            Self::Singles(v) => v.len(),
        }
    }

    /// Whether there is no cell.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the categories are that [`Column::to_categorical`] makes of the column.
    pub fn kind(&self) -> CategoryKind {
        match self {
            Self::Categorical(c) => c.kind,
            Self::Strings(_) => CategoryKind::Text,
            Self::Bools(_) => CategoryKind::Bool,
            Self::Integers(_) | Self::Unsigned(_) => CategoryKind::Integer,
            Self::Floats(_) => CategoryKind::Float,
            Self::Singles(_) => CategoryKind::Single,
        }
    }

    /// Cells without a value, in rising order.
    pub fn missing(&self) -> Vec<usize> {
        (0..self.len()).filter(|&cell| self.is_missing(cell)).collect()
    }

    /// The column as numbers, NaN where a value is missing: booleans are 0 and 1.
    ///
    /// `None` for strings and categories.
    pub fn to_numbers(&self) -> Option<Vec<f64>> {
        Some(match self {
            Self::Categorical(_) | Self::Strings(_) => return None,
            Self::Bools(v) => v.iter().map(|v| v.map_or(f64::NAN, f64::from)).collect(),
            Self::Integers(v) => v.iter().map(|v| v.map_or(f64::NAN, |v| v as f64)).collect(),
            Self::Unsigned(v) => v.iter().map(|v| v.map_or(f64::NAN, |v| v as f64)).collect(),
            Self::Floats(v) => v.clone(),
            Self::Singles(v) => v.iter().map(|&v| f64::from(v)).collect(),
        })
    }

    /// The column as pandas makes a categorical of it.
    ///
    /// A categorical keeps its categories and their order. Of anything else the values that occur
    /// are sorted - numbers by size, strings by code point, False before True - and named as
    /// Python's `str` names them: `1`, `1.0`, `True`. Missing values get no code.
    pub fn to_categorical(&self) -> Categorical {
        let found = match self {
            Self::Categorical(c) => return c.clone(),
            Self::Strings(v) => factorize(v.iter().map(Option::as_ref), |s| (*s).clone()),
            Self::Bools(v) => factorize(v.iter().copied(), |&b| py_bool(b).into()),
            Self::Integers(v) => factorize(v.iter().copied(), i64::to_string),
            Self::Unsigned(v) => factorize(v.iter().copied(), u64::to_string),
            Self::Floats(v) => factorize(v.iter().map(|&v| Ordered::new(v)), |v| float_str(v.0)),
            Self::Singles(v) => {
                factorize(v.iter().map(|&v| Ordered::new(f64::from(v))), |v| single_str(v.0 as f32))
            }
        };
        Categorical { kind: self.kind(), ..found }
    }

    /// The value of one cell as Python's `str` writes it.
    pub fn label(&self, cell: usize) -> Option<String> {
        match self {
            Self::Categorical(c) => {
                let code = (*c.codes.get(cell)?)?;
                c.categories.get(code as usize).cloned()
            }
            Self::Strings(v) => v.get(cell)?.clone(),
            Self::Bools(v) => v.get(cell)?.map(|b| py_bool(b).into()),
            Self::Integers(v) => v.get(cell)?.map(|i| i.to_string()),
            Self::Unsigned(v) => v.get(cell)?.map(|i| i.to_string()),
            Self::Floats(v) => v.get(cell).filter(|v| !v.is_nan()).map(|&v| float_str(v)),
            Self::Singles(v) => v.get(cell).filter(|v| !v.is_nan()).map(|&v| single_str(v)),
        }
    }

    fn is_missing(&self, cell: usize) -> bool {
        match self {
            Self::Categorical(c) => c.codes[cell].is_none(),
            Self::Strings(v) => v[cell].is_none(),
            Self::Bools(v) => v[cell].is_none(),
            Self::Integers(v) => v[cell].is_none(),
            Self::Unsigned(v) => v[cell].is_none(),
            Self::Floats(v) => v[cell].is_nan(),
            Self::Singles(v) => v[cell].is_nan(),
        }
    }
}

impl Categorical {
    /// The categories as a column of what they are in the data.
    pub fn values(&self) -> Column {
        fn parsed<T: std::str::FromStr>(name: &str) -> Option<T> {
            name.parse().ok()
        }
        let names = self.categories.iter();
        match self.kind {
            // A file holds times as the texts that write them.
            CategoryKind::Text | CategoryKind::Datetime(_) | CategoryKind::Timedelta(_) => {
                Column::Strings(names.cloned().map(Some).collect())
            }
            CategoryKind::Bool => Column::Bools(names.map(|n| Some(n == py_bool(true))).collect()),
            CategoryKind::Integer => {
                let signed: Vec<Option<i64>> = names.clone().map(|n| parsed(n)).collect();
                match signed.iter().all(Option::is_some) {
                    true => Column::Integers(signed),
                    false => Column::Unsigned(names.map(|n| parsed(n)).collect()),
                }
            }
            CategoryKind::Float => {
                Column::Floats(names.map(|n| parsed(n).unwrap_or(f64::NAN)).collect())
            }
            CategoryKind::Single => {
                Column::Singles(names.map(|n| parsed(n).unwrap_or(f32::NAN)).collect())
            }
        }
    }
}

/// A float that is a number, ordered by size; -0.0 and 0.0 are one value.
#[derive(Clone, Copy, PartialEq)]
struct Ordered(f64);

impl Ordered {
    fn new(value: f64) -> Option<Self> {
        (!value.is_nan()).then_some(Self(if value == 0.0 { 0.0 } else { value }))
    }
}

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

pub(crate) fn py_bool(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

/// Sorted unique values, and the code of each.
fn factorize<T: Ord + Clone>(
    values: impl Iterator<Item = Option<T>> + Clone,
    name: impl Fn(&T) -> String,
) -> Categorical {
    let unique: std::collections::BTreeSet<T> = values.clone().flatten().collect();
    let unique: Vec<T> = unique.into_iter().collect();
    let code = |v: T| unique.binary_search(&v).ok().map(|k| k as u32);
    Categorical {
        codes: values.map(|v| v.and_then(code)).collect(),
        categories: unique.iter().map(name).collect(),
        ..Categorical::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_by_value_and_names_as_python_does() {
        let c = Column::Integers(vec![Some(10), Some(2), None, Some(10)]).to_categorical();
        assert_eq!(c.categories, ["2", "10"]);
        assert_eq!(c.codes, [Some(1), Some(0), None, Some(1)]);
        let c = Column::Floats(vec![1.0, -0.0, 0.0, f64::NAN]).to_categorical();
        assert_eq!((c.categories, c.codes[3]), (vec!["0.0".into(), "1.0".into()], None));
        let c = Column::Singles(vec![0.1, 1.0]).to_categorical();
        assert_eq!(c.categories, ["0.1", "1.0"]);
        let c = Column::Bools(vec![Some(true), Some(false)]).to_categorical();
        assert_eq!(c.categories, ["False", "True"]);
        let strings = ["é", "a", "B"].map(|s| Some(s.to_string()));
        assert_eq!(Column::Strings(strings.into()).to_categorical().categories, ["B", "a", "é"]);
    }

    #[test]
    fn keeps_categories_without_cells() {
        let kept = Categorical {
            codes: vec![Some(1), None],
            categories: vec!["z".into(), "a".into(), "unused".into()],
            ordered: true,
            ..Categorical::default()
        };
        let column = Column::Categorical(kept.clone());
        assert_eq!(column.to_categorical(), kept);
        assert_eq!(column.missing(), [1]);
        assert_eq!((column.label(0).as_deref(), column.label(1)), (Some("a"), None));
    }

    #[test]
    fn categories_are_what_they_were() {
        for column in [
            Column::Strings(vec![Some("1".into()), Some("True".into())]),
            Column::Bools(vec![Some(false), Some(true)]),
            Column::Integers(vec![Some(i64::MIN), Some(7)]),
            Column::Unsigned(vec![Some(7), Some(u64::MAX)]),
            Column::Floats(vec![f64::NEG_INFINITY, 0.1, 1e16, 1.5e300]),
            Column::Singles(vec![-1e-7, 0.1, 3.0]),
        ] {
            let categorical = column.to_categorical();
            assert_eq!((categorical.kind, categorical.values()), (column.kind(), column));
        }
    }

    #[test]
    fn numbers() {
        let numbers = Column::Bools(vec![Some(true), None]).to_numbers().unwrap();
        assert!(numbers[0] == 1.0 && numbers[1].is_nan());
        assert_eq!(Column::Strings(vec![]).to_numbers(), None);
    }
}
