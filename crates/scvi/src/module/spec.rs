//! A legal model: what the configuration says, in the terms the module is built from.

use super::config::VaeConfig;
use super::options::{Dispersion, GeneLikelihood};
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

    /// Numbers that weights, biases and dispersions hold together, without running moments.
    pub fn n_parameters(&self) -> u128 {
        let c = &self.config;
        let wide = |n: usize| n as u128;
        let (genes, hidden, latent) = (wide(c.n_input), wide(c.n_hidden), wide(c.n_latent));
        let layers = |plan: FcPlan| {
            let first = (wide(plan.n_in) + wide(plan.n_categories) + 1) * hidden;
            let injected = if plan.inject { wide(plan.n_categories) } else { 0 };
            let norm = if plan.batch_norm { 2 * hidden } else { 0 };
            let others = (wide(plan.n_layers) - 1) * (hidden + injected + 1) * hidden;
            first + others + wide(plan.n_layers) * norm
        };
        let heads = match c.gene_likelihood {
            GeneLikelihood::Zinb => 2,
            GeneLikelihood::Nb | GeneLikelihood::Poisson => 1,
        };
        let px_r = match c.gene_likelihood {
            GeneLikelihood::Poisson => 0,
            GeneLikelihood::Zinb | GeneLikelihood::Nb => genes * wide(self.n_dispersion_groups()),
        };
        layers(self.encoder_plan())
            + 2 * (hidden + 1) * latent
            + layers(self.decoder_plan())
            + heads * genes * (hidden + 1)
            + px_r
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
