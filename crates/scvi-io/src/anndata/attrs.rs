//! Attributes of groups and arrays, as far as the readers ask for them.

use std::collections::HashMap;

/// The value of an attribute: one, or a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Attr {
    /// Strings.
    Texts(Vec<String>),
    /// Whole numbers, or booleans.
    Integers(Vec<i64>),
}

/// The attributes of a group or array by name; those of other types are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Attrs(pub(crate) HashMap<String, Attr>);

impl Attrs {
    /// A string.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.texts(key)? {
            [text] => Some(text),
            _ => None,
        }
    }

    /// A list of strings.
    pub(crate) fn texts(&self, key: &str) -> Option<&[String]> {
        match self.0.get(key)? {
            Attr::Texts(texts) => Some(texts),
            Attr::Integers(_) => None,
        }
    }

    /// The lengths of dimensions.
    pub(crate) fn shape(&self, key: &str) -> Option<Vec<u64>> {
        self.integers(key)?.iter().map(|&n| n.try_into().ok()).collect()
    }

    /// Whether it is there and true.
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.integers(key).is_some_and(|numbers| matches!(numbers, [n] if *n != 0))
    }

    /// The name of the encoding, by which anndata knows what it reads.
    pub(crate) fn encoding(&self) -> Option<&str> {
        self.text("encoding-type")
    }

    fn integers(&self, key: &str) -> Option<&[i64]> {
        match self.0.get(key)? {
            Attr::Integers(numbers) => Some(numbers),
            Attr::Texts(_) => None,
        }
    }
}
