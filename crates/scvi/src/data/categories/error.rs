//! What may be wrong with the categories of a column.

use thiserror::Error;

use super::kind::CategoryKind;
use crate::listed;

/// Categories that a model cannot take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CategoryError {
    /// Cells of categories that the model was not trained on.
    #[error(
        "column '{key}' has {} that the model does not know: {} ({}); it knows {} ({})",
        if unknown.len() == 1 { "a category" } else { "categories" },
        listed(unknown), found.word(), listed(known), kind.word()
    )]
    Unknown {
        /// The column.
        key: String,
        /// The categories, texts in quotes.
        unknown: Vec<String>,
        /// What they are.
        found: CategoryKind,
        /// Those of the model, texts in quotes.
        known: Vec<String>,
        /// What those are.
        kind: CategoryKind,
        /// Whether the model would know them all if they were of its type.
        converts: bool,
    },
    /// New categories that cannot stand beside the known ones.
    #[error(
        "column '{key}' has new categories of another type: {} ({}); the model knows {} ({})",
        listed(new), found.word(), listed(known), kind.word()
    )]
    OtherType {
        /// The column.
        key: String,
        /// The new categories, texts in quotes.
        new: Vec<String>,
        /// What they are.
        found: CategoryKind,
        /// Those of the model, texts in quotes.
        known: Vec<String>,
        /// What those are.
        kind: CategoryKind,
        /// Whether the column can be converted to that.
        converts: bool,
    },
    /// A category that is none of its kind.
    #[error("column '{key}': '{category}' is no category of kind {kind}")]
    Invalid {
        /// The column.
        key: String,
        /// The category.
        category: String,
        /// What it should be.
        kind: CategoryKind,
    },
    /// Two categories that are equal.
    #[error("column '{key}' has two categories of one value: {category}")]
    Duplicate {
        /// The column.
        key: String,
        /// The category, a text in quotes.
        category: String,
    },
    /// So many categories that they name cells, not groups of cells.
    #[error(
        "column '{key}' has {} {}categories for {n_cells} cells, more than one for two cells: {}",
        categories.len(), if *is_new { "new " } else { "" }, listed(categories)
    )]
    TooMany {
        /// The column.
        key: String,
        /// Its categories, texts in quotes.
        categories: Vec<String>,
        /// Whether only those are counted that a model does not know.
        is_new: bool,
        /// The cells.
        n_cells: usize,
    },
}

impl CategoryError {
    /// The column, where a conversion of it would help.
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Unknown { key, .. } | Self::OtherType { key, .. } => Some(key),
            _ => None,
        }
    }

    /// The call of pandas that makes the column one of the model's type, where that would help.
    pub fn conversion(&self) -> Option<&'static str> {
        let (Self::Unknown { kind, known, converts: true, .. }
        | Self::OtherType { kind, known, converts: true, .. }) = self
        else {
            return None;
        };
        Some(match kind {
            CategoryKind::Text => ".astype(str)",
            CategoryKind::Integer if known.iter().any(|n| n.parse::<i64>().is_err()) => {
                ".astype('uint64')"
            }
            CategoryKind::Integer => ".astype('int64')",
            CategoryKind::Float => ".astype('float64')",
            CategoryKind::Single => ".astype('float32')",
            CategoryKind::Bool => ".map({'True': True, 'False': False})",
            CategoryKind::Datetime(_) | CategoryKind::Timedelta(_) => return None,
        })
    }
}
