//! A legal model: what the configuration says, in the terms the module is built from.

use scvi_kernels::ops::activation::Activation;

use super::config::ScanvaeConfig;
use crate::module::ConfigError;
use crate::module::options::{Choice, Dispersion};
use crate::module::spec::layer_activation;
use crate::module::validate::{MOST, check_rate};
use crate::module::{NormPlacement, VaeSpec};
use crate::nn::{ClassifierPlan, EncoderPlan, FcPlan};

/// A validated [`ScanvaeConfig`]; only [`ScanvaeConfig::validate`] makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct ScanvaeSpec {
    config: ScanvaeConfig,
    vae: VaeSpec,
}

impl ScanvaeConfig {
    /// Checks every option and gives the model they describe.
    ///
    /// # Errors
    /// [`ConfigError`] names the option, what came and what is allowed.
    pub fn validate(&self) -> Result<ScanvaeSpec, ConfigError> {
        let vae = self.vae.validate()?;
        if self.vae.n_labels == 0 {
            return Err(ConfigError::Zero { option: "n_labels" });
        }
        let value = |option, found: String, allowed: &str| {
            Err(ConfigError::Value { option, found, allowed: allowed.to_owned() })
        };
        if self.vae.dispersion == Dispersion::GeneLabel {
            let allowed = "gene, gene-batch or gene-cell where labels are inferred";
            return value("dispersion", self.vae.dispersion.name().to_owned(), allowed);
        }
        if self.vae.linear_decoder {
            return value("linear_decoder", "true".to_owned(), "false where labels are inferred");
        }
        let own = &self.classifier_parameters;
        for (option, size) in [("n_layers", own.n_layers), ("n_hidden", own.n_hidden)] {
            if let Some(found) = size.filter(|&size| size > MOST) {
                return Err(ConfigError::TooLarge { option, found, most: MOST });
            }
        }
        if let Some(rate) = own.dropout_rate {
            check_rate("dropout_rate", rate)?;
        }
        for found in self.y_prior.iter().flatten() {
            if !(*found > 0.0 && found.is_finite()) {
                return value("y_prior", found.to_string(), "a number above 0 for each label");
            }
        }
        match self.y_prior.as_ref().map_or(self.vae.n_labels, Vec::len) {
            n if n == self.vae.n_labels => Ok(ScanvaeSpec { config: self.clone(), vae }),
            n => {
                let allowed = format!("one for each of {} labels", self.vae.n_labels);
                value("y_prior", format!("a list of {n} numbers"), &allowed)
            }
        }
    }
}

impl ScanvaeSpec {
    /// The configuration this model was made from.
    pub fn config(&self) -> &ScanvaeConfig {
        &self.config
    }

    /// The part of it that encodes and decodes cells.
    pub fn vae(&self) -> &VaeSpec {
        &self.vae
    }

    /// Labels, without that of unlabelled cells.
    pub fn n_labels(&self) -> usize {
        self.config.vae.n_labels
    }

    /// Numbers that weights, biases and dispersions hold together, without running moments.
    pub fn n_parameters(&self) -> u128 {
        self.vae.n_parameters()
            + self.classifier_plan().n_parameters()
            + self.encoder_z2_z1_plan().n_parameters()
            + self.decoder_z1_z2_plan().n_parameters()
    }

    pub(super) fn y_prior(&self) -> Vec<f64> {
        let n = self.n_labels();
        self.config.y_prior.clone().unwrap_or_else(|| vec![1.0 / n as f64; n])
    }

    pub(super) fn classifier_plan(&self) -> ClassifierPlan {
        let (c, own) = (&self.config.vae, &self.config.classifier_parameters);
        let unless_linear = |n: usize| if self.config.linear_classifier { 0 } else { n };
        let n_hidden = own.n_hidden.unwrap_or(unless_linear(c.n_hidden));
        let n_layers = own.n_layers.unwrap_or(unless_linear(c.n_layers));
        let fc = FcPlan {
            n_hidden,
            n_layers: if n_hidden == 0 { 0 } else { n_layers },
            bias: own.bias,
            activation: layer_activation(own.use_activation, own.activation_fn),
            dropout_rate: own.dropout_rate.unwrap_or(c.dropout_rate),
            ..self.layers(NormPlacement::in_encoder)
        };
        let without_labels = FcPlan { n_categories: 0, categories_per_cell: 0, ..fc };
        ClassifierPlan { fc: without_labels, n_labels: self.n_labels() }
    }

    /// q(z2|z1, y).
    pub(super) fn encoder_z2_z1_plan(&self) -> EncoderPlan {
        EncoderPlan {
            fc: self.layers(NormPlacement::in_encoder),
            n_out: self.config.vae.n_latent,
            var_eps: 1e-4,
            softmax: false,
            parts: "encoder",
        }
    }

    /// p(z1|z2, y).
    pub(super) fn decoder_z1_z2_plan(&self) -> EncoderPlan {
        EncoderPlan {
            fc: FcPlan { dropout_rate: 0.0, ..self.layers(NormPlacement::in_decoder) },
            var_eps: 0.0,
            parts: "decoder",
            ..self.encoder_z2_z1_plan()
        }
    }

    /// Hidden layers that read a latent variable and a label. One label says nothing, and has no
    /// column.
    fn layers(&self, stands: fn(NormPlacement) -> bool) -> FcPlan {
        let c = &self.config.vae;
        let several = c.n_labels > 1;
        FcPlan {
            n_in: c.n_latent,
            n_continuous: 0,
            n_embedded: 0,
            n_categories: if several { c.n_labels } else { 0 },
            categories_per_cell: usize::from(several),
            n_hidden: c.n_hidden,
            n_layers: c.n_layers,
            inject: true,
            bias: true,
            batch_norm: stands(c.use_batch_norm),
            layer_norm: stands(c.use_layer_norm),
            activation: Activation::Relu,
            dropout_rate: c.dropout_rate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::VaeConfig;
    use crate::module::scanvae::ClassifierParameters;

    fn config() -> ScanvaeConfig {
        let vae = VaeConfig { n_input: 9, n_labels: 3, n_layers: 2, ..VaeConfig::default() };
        ScanvaeConfig { vae, ..ScanvaeConfig::default() }
    }

    #[test]
    fn the_classifier_is_as_deep_as_the_model_unless_told_otherwise() {
        let shape = |config: &ScanvaeConfig| {
            let fc = config.validate().unwrap().classifier_plan().fc;
            (fc.n_layers, fc.n_out())
        };
        assert_eq!(shape(&config()), (2, 128));
        assert_eq!(shape(&ScanvaeConfig { linear_classifier: true, ..config() }), (0, 10));
        let own = |n_layers, n_hidden| ScanvaeConfig {
            classifier_parameters: ClassifierParameters {
                n_layers,
                n_hidden,
                ..ClassifierParameters::default()
            },
            ..config()
        };
        assert_eq!(shape(&own(Some(1), Some(7))), (1, 7));
        assert_eq!(shape(&own(None, Some(0))), (0, 10));
    }

    #[test]
    fn what_no_model_has_is_refused() {
        let refused = |change: &dyn Fn(&mut ScanvaeConfig), part: &str| {
            let mut config = config();
            change(&mut config);
            let error = config.validate().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        refused(&|c| c.vae.n_labels = 0, "n_labels is 0");
        refused(&|c| c.vae.dispersion = Dispersion::GeneLabel, "dispersion is gene-label");
        refused(&|c| c.vae.linear_decoder = true, "linear_decoder is true");
        refused(&|c| c.y_prior = Some(vec![0.5, 0.5]), "a list of 2 numbers");
        refused(&|c| c.y_prior = Some(vec![0.5, 0.5, 0.0]), "y_prior is 0");
        refused(&|c| c.classifier_parameters.dropout_rate = Some(1.0), "dropout_rate is 1");
        refused(&|c| c.classifier_parameters.n_hidden = Some(1 << 30), "n_hidden");
    }
}
