//! A legal model: what the configuration says, in the terms the module is built from.

use super::config::VaeConfig;
use super::options::Dispersion;
use crate::nn::FcPlan;

/// A validated [`VaeConfig`]; only [`VaeConfig::validate`] makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct VaeSpec {
    config: VaeConfig,
}

impl VaeSpec {
    pub(super) fn new(config: VaeConfig) -> Self {
        Self { config }
    }

    /// The configuration this model was made from.
    pub fn config(&self) -> &VaeConfig {
        &self.config
    }

    /// One-hot columns of the covariates: a covariate with one category contributes none.
    fn n_categories(&self) -> usize {
        if self.config.n_batch > 1 { self.config.n_batch } else { 0 }
    }

    /// Columns of the dispersion table.
    pub(crate) fn n_dispersion_groups(&self) -> usize {
        match self.config.dispersion {
            Dispersion::Gene => 1,
            Dispersion::GeneBatch => self.config.n_batch,
        }
    }

    pub(crate) fn encoder_plan(&self) -> FcPlan {
        let c = &self.config;
        FcPlan {
            n_in: c.n_input,
            n_hidden: c.n_hidden,
            n_layers: c.n_layers,
            n_categories: if c.encode_covariates { self.n_categories() } else { 0 },
            inject: c.deeply_inject_covariates,
            batch_norm: c.use_batch_norm.in_encoder(),
            dropout_rate: c.dropout_rate,
        }
    }

    /// The decoder has no dropout.
    pub(crate) fn decoder_plan(&self) -> FcPlan {
        let c = &self.config;
        FcPlan {
            n_in: c.n_latent,
            n_hidden: c.n_hidden,
            n_layers: c.n_layers,
            n_categories: self.n_categories(),
            inject: c.deeply_inject_covariates,
            batch_norm: c.use_batch_norm.in_decoder(),
            dropout_rate: 0.0,
        }
    }
}
