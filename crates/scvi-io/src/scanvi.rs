//! What a model folder has of a SCANVI beside its VAE.

use scvi::module::{ClassifierParameters, ScanvaeConfig, VaeConfig};
use serde::{Deserialize, Serialize};

/// The arguments of a SCANVI that an SCVI has not, and the label of cells that have none. In the
/// registry that label stands behind all others.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScanviMeta {
    /// Label of the cells that have none.
    pub unlabeled_category: String,
    /// Whether the classifier has no hidden layer.
    pub linear_classifier: bool,
    /// Options of the classifier.
    pub classifier_parameters: ClassifierParameters,
    /// Prior probability of each label; uniform without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y_prior: Option<Vec<f64>>,
}

impl ScanviMeta {
    /// The configuration of the whole module.
    pub fn config(&self, vae: &VaeConfig) -> ScanvaeConfig {
        ScanvaeConfig {
            vae: vae.clone(),
            linear_classifier: self.linear_classifier,
            classifier_parameters: self.classifier_parameters.clone(),
            y_prior: self.y_prior.clone(),
        }
    }
}

/// Whether a tensor is of the parts that a SCANVI has beside its VAE.
pub(crate) fn is_of_labels(name: &str) -> bool {
    let parts = ["classifier.", "encoder_z2_z1.", "decoder_z1_z2."];
    name == "y_prior" || parts.iter().any(|part| name.starts_with(part))
}
