//! Which columns of an AnnData a model was set up with, and their categories.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::MatrixKey;
use crate::module::VaeConfig;

/// What the categories of a column are in the data. Here they are texts, as Python's `str` writes
/// them; scvi-tools compares them as what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CategoryKind {
    /// Texts.
    #[default]
    Text,
    /// Whole numbers.
    Integer,
    /// Numbers of 8 bytes.
    Float,
    /// Numbers of 4 bytes.
    Single,
    /// Truth values.
    Bool,
}

impl CategoryKind {
    fn is_text(&self) -> bool {
        *self == Self::Text
    }
}

/// A categorical column of obs and the categories it had when the model was trained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoricalField {
    /// The column's name.
    pub key: String,
    /// Categories in the order of their codes.
    pub categories: Vec<String>,
    /// What they are in the data.
    #[serde(default, skip_serializing_if = "CategoryKind::is_text")]
    pub kind: CategoryKind,
}

impl CategoricalField {
    /// The code of a category, if the model knows it.
    pub fn code(&self, category: &str) -> Option<u32> {
        self.categories.iter().position(|c| c == category).map(|c| c as u32)
    }

    /// Adds the categories that are new after those there are, sorted as what they are, and gives
    /// them back.
    ///
    /// Source: scvi-tools 1.4.2, `data/fields/_dataframe_field.py`, `transfer_field` with
    /// `extend_categories`.
    pub fn extend<'a>(&mut self, found: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let known: HashSet<&str> = self.categories.iter().map(String::as_str).collect();
        let new: HashSet<&str> = found.into_iter().filter(|c| !known.contains(c)).collect();
        let mut new: Vec<String> = new.into_iter().map(str::to_owned).collect();
        let number = |text: &str| text.parse().unwrap_or(f64::INFINITY);
        new.sort_by(|a, b| match self.kind {
            CategoryKind::Text | CategoryKind::Bool => a.cmp(b),
            _ => number(a).total_cmp(&number(b)).then_with(|| a.cmp(b)),
        });
        self.categories.extend_from_slice(&new);
        new
    }
}

/// What a model was set up with: scvi-tools' `setup_anndata` arguments and what they resolved to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// The matrix the counts come from.
    pub layer: MatrixKey,
    /// The batch column.
    pub batch: Option<CategoricalField>,
    /// The labels column, which dispersion gene-label goes by.
    #[serde(default)]
    pub labels: Option<CategoricalField>,
    /// Further categorical columns.
    #[serde(default)]
    pub categorical_covariates: Vec<CategoricalField>,
    /// Further numeric columns.
    #[serde(default)]
    pub continuous_covariates: Vec<String>,
    /// The column with size factors.
    #[serde(default)]
    pub size_factor: Option<String>,
}

impl Registry {
    /// A configuration with the sizes that these columns decide: batches, labels and covariates, and
    /// whether a size factor is used. Without a column there is one batch, and one label.
    pub fn sized(&self, config: VaeConfig) -> VaeConfig {
        let categories = |field: &CategoricalField| field.categories.len();
        VaeConfig {
            n_batch: self.batch.as_ref().map_or(1, categories),
            n_labels: self.labels.as_ref().map_or(1, categories),
            n_cats_per_cov: self.categorical_covariates.iter().map(categories).collect(),
            n_continuous_cov: self.continuous_covariates.len(),
            use_size_factor_key: self.size_factor.is_some(),
            ..config
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_categories_follow_the_known_ones_in_the_order_of_their_kind() {
        let field = |kind| CategoricalField {
            key: "plate".to_owned(),
            categories: vec!["30".to_owned(), "4".to_owned()],
            kind,
        };
        let mut texts = field(CategoryKind::Text);
        assert_eq!(texts.extend(["9", "4", "10", "9"]), ["10", "9"]);
        assert_eq!(texts.categories, ["30", "4", "10", "9"]);
        let mut numbers = field(CategoryKind::Integer);
        assert_eq!(numbers.extend(["9", "30", "10", "-1"]), ["-1", "9", "10"]);
        assert!(numbers.extend(["30", "10"]).is_empty());
        assert_eq!(numbers.code("10"), Some(4));
    }
}
