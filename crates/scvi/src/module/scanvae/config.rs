//! What a caller asks for, in scvi-tools' names.

use serde::{Deserialize, Serialize};

use crate::module::VaeConfig;
use crate::module::options::Activation;

/// Parameters of `scvi.module.SCANVAE`: those of [`VaeConfig`], beside these.
///
/// | Name | Default | Purpose | Range |
/// |---|---|---|---|
/// | `linear_classifier` | false | the classifier has no hidden layer | |
/// | `classifier_parameters` | | options of the classifier | [`ClassifierParameters`] |
/// | `y_prior` | uniform | prior probability of each label; scaled to sum to 1 | above 0 |
///
/// `n_labels` is the number of labels without that of unlabelled cells. Decoders cannot be linear,
/// and the dispersion cannot go by labels, which most cells do not have.
///
/// Source: scvi-tools 1.4.2, `module/_scanvae.py`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ScanvaeConfig {
    /// The parameters of the Vae.
    #[serde(flatten)]
    pub vae: VaeConfig,
    /// Whether the classifier has no hidden layer.
    pub linear_classifier: bool,
    /// Options of the classifier.
    pub classifier_parameters: ClassifierParameters,
    /// Prior probability of each label; uniform without.
    pub y_prior: Option<Vec<f64>>,
}

/// `classifier_parameters`: options of the classifier.
///
/// | Name | Default | Purpose | Range |
/// |---|---|---|---|
/// | `n_layers` | that of the model; 0 if linear | hidden layers | any |
/// | `n_hidden` | that of the model; 0 if linear | their width; 0 for no hidden layer | any |
/// | `dropout_rate` | that of the model | dropout of hidden layers | 0 to under 1 |
/// | `logits` | true | whether it gives logits; else probabilities, of which the cross entropy is taken as if they were logits, as before scvi-tools 1.1 | |
/// | `bias` | true | hidden layers have a bias | |
/// | `use_activation` | true | hidden layers have an activation function | |
/// | `activation_fn` | relu | which | see [`Activation`] |
///
/// Source: scvi-tools 1.4.2, `module/_classifier.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClassifierParameters {
    /// Hidden layers.
    pub n_layers: Option<usize>,
    /// Their width.
    pub n_hidden: Option<usize>,
    /// Dropout of hidden layers.
    pub dropout_rate: Option<f64>,
    /// Whether the classifier gives logits rather than probabilities.
    pub logits: bool,
    /// Whether hidden layers have a bias.
    pub bias: bool,
    /// Whether hidden layers have an activation function.
    pub use_activation: bool,
    /// The activation function.
    pub activation_fn: Activation,
}

impl Default for ClassifierParameters {
    fn default() -> Self {
        Self {
            n_layers: None,
            n_hidden: None,
            dropout_rate: None,
            logits: true,
            bias: true,
            use_activation: true,
            activation_fn: Activation::Relu,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_both_stand_beside_each_other() {
        let text = r#"{"n_input": 7, "n_labels": 3, "linear_classifier": true}"#;
        let config: ScanvaeConfig = serde_json::from_str(text).unwrap();
        assert_eq!((config.vae.n_input, config.vae.n_labels), (7, 3));
        assert!(config.linear_classifier && config.classifier_parameters.logits);
        let written = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<ScanvaeConfig>(&written).unwrap(), config);
    }

    #[test]
    fn an_unknown_parameter_is_refused() {
        let error = serde_json::from_str::<ScanvaeConfig>(r#"{"n_hiden": 7}"#).unwrap_err();
        assert!(error.to_string().contains("n_hiden"), "{error}");
    }
}
