//! Which columns of an AnnData a model was set up with, and their categories.

use serde::{Deserialize, Serialize};

use super::{CategoricalField, MatrixKey};
use crate::module::{ScanvaeConfig, VaeConfig};

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
    /// The categorical columns: batch, labels, covariates.
    pub fn categorical(&self) -> impl Iterator<Item = &CategoricalField> {
        self.batch.iter().chain(&self.labels).chain(&self.categorical_covariates)
    }

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

    /// The same of a module that classifies: the last label is that of cells without one.
    pub fn sized_for_labels(&self, config: ScanvaeConfig) -> ScanvaeConfig {
        let vae = self.sized(config.vae);
        let n_labels =
            self.labels.as_ref().map_or(0, |labels| labels.categories.len().saturating_sub(1));
        ScanvaeConfig { vae: VaeConfig { n_labels, ..vae }, ..config }
    }
}
