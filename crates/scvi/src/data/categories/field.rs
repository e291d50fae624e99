//! A categorical column, and how others are compared with it.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::error::CategoryError;
use super::kind::CategoryKind;
use super::value::{Key, Value};

/// Data with fewer categories are never taken for names of cells: a test has ten cells.
const FEW_CATEGORIES: usize = 10;

/// A categorical column of obs and its categories: those it had when the model was trained, or
/// those of other data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoricalField {
    /// The column's name.
    pub key: String,
    /// Categories in the order of their codes, as Python's `str` writes them.
    pub categories: Vec<String>,
    /// What they are in the data.
    #[serde(default, skip_serializing_if = "CategoryKind::is_text")]
    pub kind: CategoryKind,
}

impl CategoricalField {
    /// Checks that the categories are values of their kind, each once.
    ///
    /// # Errors
    /// [`CategoryError::Invalid`] and [`CategoryError::Duplicate`].
    pub fn check(&self) -> Result<(), CategoryError> {
        let values = self.values()?;
        let mut seen = HashSet::with_capacity(values.len());
        match values.iter().position(|value| !seen.insert(value.key(false))) {
            None => Ok(()),
            Some(code) => {
                Err(CategoryError::Duplicate { key: self.key.clone(), category: self.quote(code) })
            }
        }
    }

    /// Checks that the categories can be groups of cells: more than one for two cells are most
    /// likely names of cells. Up to ten are always taken.
    ///
    /// # Errors
    /// [`CategoryError::TooMany`].
    pub fn check_number(&self, n_cells: usize) -> Result<(), CategoryError> {
        self.check_number_from(0, n_cells)
    }

    /// As [`Self::check_number`], of the categories behind the first `n_known`.
    ///
    /// # Errors
    /// [`CategoryError::TooMany`].
    pub fn check_number_from(&self, n_known: usize, n_cells: usize) -> Result<(), CategoryError> {
        let counted = self.categories.len().saturating_sub(n_known);
        if counted <= FEW_CATEGORIES || counted <= n_cells / 2 {
            return Ok(());
        }
        Err(CategoryError::TooMany {
            key: self.key.clone(),
            categories: self.quoted().skip(n_known).collect(),
            is_new: n_known > 0,
            n_cells,
        })
    }

    /// The code of a category that somebody typed: as it is shown, or another spelling of its value.
    pub fn code(&self, typed: &str) -> Option<u32> {
        let known = self.categories.iter().position(|category| category == typed);
        known.map(|code| code as u32).or_else(|| {
            let typed = Value::parse(typed, self.kind)?.key(false);
            let values = self.values().ok()?;
            let code = values.iter().position(|value| value.key(false) == typed)?;
            Some(code as u32)
        })
    }

    /// Codes in this field of cells that have codes in another: equal categories have equal values,
    /// whatever their types.
    ///
    /// Source: scvi-tools 1.4.2, `data/fields/_dataframe_field.py`, `transfer_field`.
    ///
    /// # Errors
    /// [`CategoryError::Unknown`] where a cell has a category that this field does not have.
    pub fn transfer(&self, found: &Self, codes: &[u32]) -> Result<Vec<u32>, CategoryError> {
        let matched = self.codes_of(found)?;
        let known: Option<Vec<u32>> = codes.iter().map(|&code| matched[code as usize]).collect();
        known.ok_or_else(|| {
            let unknown = found.without_code(&matched, codes);
            let converted = found.converted(self.kind, &unknown);
            let known = converted.and_then(|converted| self.codes_of(&converted).ok());
            CategoryError::Unknown {
                key: self.key.clone(),
                unknown: unknown.into_iter().map(|k| found.quote(k)).collect(),
                found: found.kind,
                known: self.quoted().collect(),
                kind: self.kind,
                converts: known.is_some_and(|codes| codes.iter().all(Option::is_some)),
            }
        })
    }

    /// Adds the categories of cells that have codes in another field, as far as they are new, after
    /// those there are, sorted as what they are. Gives the new ones back.
    ///
    /// Source: scvi-tools 1.4.2, `data/fields/_dataframe_field.py`, `transfer_field` with
    /// `extend_categories`.
    ///
    /// # Errors
    /// [`CategoryError::OtherType`] where a column cannot hold old and new ones.
    pub fn extend(&mut self, found: &Self, codes: &[u32]) -> Result<Vec<String>, CategoryError> {
        let new = found.without_code(&self.codes_of(found)?, codes);
        if new.is_empty() {
            return Ok(Vec::new());
        }
        let grown = self.grown(found, &new).ok_or_else(|| CategoryError::OtherType {
            key: self.key.clone(),
            new: new.iter().map(|&k| found.quote(k)).collect(),
            found: found.kind,
            known: self.quoted().collect(),
            kind: self.kind,
            converts: found.converted(self.kind, &new).is_some(),
        })?;
        grown.check()?;
        let n_known = self.categories.len();
        *self = grown;
        Ok(self.categories[n_known..].to_vec())
    }

    /// Code in this field of every category of another, as far as they are equal.
    ///
    /// # Errors
    /// [`CategoryError::Invalid`].
    pub fn codes_of(&self, found: &Self) -> Result<Vec<Option<u32>>, CategoryError> {
        let as_float = self.kind.is_float() || found.kind.is_float();
        let mut codes: HashMap<Key<'_>, Option<u32>> = HashMap::new();
        for (value, code) in self.values()?.iter().zip(0..) {
            // Two whole numbers may be one float: which of them is meant nobody can tell.
            codes
                .entry(value.key(as_float))
                .and_modify(|known| *known = None)
                .or_insert(Some(code));
        }
        let values = found.values_for(self.kind)?;
        Ok(values.iter().map(|value| codes.get(&value.key(as_float)).copied().flatten()).collect())
    }

    /// Categories that are times, counted in their unit; `None` where they are none.
    pub fn times(&self) -> Option<Vec<i64>> {
        self.values().ok()?.into_iter().map(|value| value.time(self.kind)).collect()
    }

    /// The category of that code as Python writes it: a text in quotes.
    pub fn quote(&self, code: usize) -> String {
        let category = &self.categories[code];
        if self.kind.is_text() { format!("'{category}'") } else { category.clone() }
    }

    /// All categories, texts in quotes.
    pub fn quoted(&self) -> impl Iterator<Item = String> {
        (0..self.categories.len()).map(|code| self.quote(code))
    }

    /// Codes in the order of their categories: numbers by size, texts by code point, times as they pass.
    ///
    /// # Errors
    /// [`CategoryError::Invalid`] where a category is no value of its kind.
    pub fn sorted_codes(&self) -> Result<Vec<u32>, CategoryError> {
        let values = self.values()?;
        let mut codes: Vec<u32> = (0..values.len() as u32).collect();
        codes.sort_by(|&a, &b| values[a as usize].order(&values[b as usize]));
        Ok(codes)
    }

    fn values(&self) -> Result<Vec<Value<'_>>, CategoryError> {
        let value = |category| {
            Value::parse(category, self.kind).ok_or_else(|| CategoryError::Invalid {
                key: self.key.clone(),
                category: category.to_owned(),
                kind: self.kind,
            })
        };
        self.categories.iter().map(|category| value(category)).collect()
    }

    /// The values as others of a kind take them: a text is the time that it writes, because a file
    /// of AnnData cannot hold times as such.
    fn values_for(&self, kind: CategoryKind) -> Result<Vec<Value<'_>>, CategoryError> {
        if !self.kind.is_text()
            || !matches!(kind, CategoryKind::Datetime(_) | CategoryKind::Timedelta(_))
        {
            return self.values();
        }
        let value = |text| Value::parse(text, kind).unwrap_or(Value::Text(text));
        Ok(self.categories.iter().map(|text| value(text.as_str())).collect())
    }

    /// Categories that a cell has and another field does not, in the order of the column.
    fn without_code(&self, matched: &[Option<u32>], codes: &[u32]) -> Vec<usize> {
        let mut occurs = vec![false; self.categories.len()];
        codes.iter().for_each(|&code| occurs[code as usize] = true);
        (0..matched.len()).filter(|&k| occurs[k] && matched[k].is_none()).collect()
    }

    /// This field with further categories, all of the kind that they have in common.
    fn grown(&self, found: &Self, new: &[usize]) -> Option<Self> {
        let kind = self.kind.common(found.kind).unwrap_or(self.kind);
        let found = found.values_for(self.kind).ok()?;
        let mut added: Vec<Value<'_>> = new.iter().map(|&k| found[k]).collect();
        added.sort_by(Value::order);
        let values = self.values().ok()?;
        let texts = values.into_iter().chain(added).map(|value| value.text(kind));
        Some(Self { key: self.key.clone(), categories: texts.collect::<Option<_>>()?, kind })
    }

    /// Some categories as pandas would convert them to another type; none where it could not.
    fn converted(&self, kind: CategoryKind, some: &[usize]) -> Option<Self> {
        if self.kind == kind {
            return None;
        }
        let values = self.values().ok()?;
        let texts = some.iter().map(|&k| match values[k] {
            Value::Bool(b) if !kind.is_text() => u8::from(b).to_string(),
            _ => self.categories[k].clone(),
        });
        let converted = Self { key: self.key.clone(), categories: texts.collect(), kind };
        converted.values().is_ok().then_some(converted)
    }
}
