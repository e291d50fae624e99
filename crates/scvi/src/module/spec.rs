//! A legal model: what the configuration says, in the terms the module is built from.

use super::config::VaeConfig;
use super::covariates::OneHotPlan;
use super::options::{
    Activation, BatchRepresentation, Dispersion, GeneLikelihood, LatentDistribution,
};
use crate::nn::{
    BodyPlan, DecoderPlan, EmbeddingPlan, EncoderPlan, FcPlan, HeadsPlan, LinearInput,
};

/// A validated [`VaeConfig`]; only [`VaeConfig::validate`] makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct VaeSpec {
    config: VaeConfig,
    one_hot: OneHotPlan,
}

/// Where a cell's library comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Library<'a> {
    /// ln Σ_g x.
    Observed,
    /// The given size factor's logarithm; the scale is then a softplus.
    SizeFactor,
    /// Inferred, with a normal prior for each batch.
    Latent {
        /// Prior means: `(batches)`.
        means: &'a [f64],
        /// Prior variances: `(batches)`.
        vars: &'a [f64],
    },
}

impl VaeSpec {
    pub(super) fn new(config: VaeConfig) -> Self {
        Self { one_hot: OneHotPlan::new(&config), config }
    }

    /// The configuration this model was made from.
    pub fn config(&self) -> &VaeConfig {
        &self.config
    }

    pub(crate) fn one_hot(&self) -> &OneHotPlan {
        &self.one_hot
    }

    pub(crate) fn library(&self) -> Library<'_> {
        match (&self.config.library_log_means, &self.config.library_log_vars) {
            _ if self.config.use_size_factor_key => Library::SizeFactor,
            (Some(means), Some(vars)) if !self.config.use_observed_lib_size => {
                Library::Latent { means, vars }
            }
            _ => Library::Observed,
        }
    }

    /// Columns of the dispersion table; `None` where there is no table.
    pub(crate) fn dispersion_groups(&self) -> Option<usize> {
        match (self.config.gene_likelihood, self.config.dispersion) {
            (GeneLikelihood::Poisson, _) | (_, Dispersion::GeneCell) => None,
            (_, Dispersion::Gene) => Some(1),
            (_, Dispersion::GeneBatch) => Some(self.config.n_batch),
            (_, Dispersion::GeneLabel) => Some(self.config.n_labels),
        }
    }

    /// Whether the label of a cell has an effect.
    pub(crate) fn uses_labels(&self) -> bool {
        self.config.dispersion == Dispersion::GeneLabel && self.dispersion_groups().is_some()
    }

    /// The batch's embedding, where the batch is represented so.
    pub(crate) fn embedding(&self) -> Option<EmbeddingPlan> {
        let c = &self.config;
        (c.batch_representation == BatchRepresentation::Embedding)
            .then(|| c.batch_embedding_kwargs.plan(c.n_batch))
    }

    pub(crate) fn encoder_plan(&self) -> EncoderPlan {
        let c = &self.config;
        let kwargs = &c.extra_encoder_kwargs;
        let seen = |n: usize| if c.encode_covariates { n } else { 0 };
        let fc = FcPlan {
            n_in: c.n_input,
            n_continuous: seen(c.n_continuous_cov),
            n_embedded: seen(self.embedding().map_or(0, |e| e.dim)),
            n_categories: seen(self.one_hot.n_columns()),
            categories_per_cell: self.one_hot.per_cell(),
            n_hidden: c.n_hidden,
            n_layers: c.n_layers,
            inject: c.deeply_inject_covariates,
            bias: kwargs.bias,
            batch_norm: c.use_batch_norm.in_encoder(),
            layer_norm: c.use_layer_norm.in_encoder(),
            activation: layer_activation(kwargs.use_activation, kwargs.activation_fn),
            dropout_rate: c.dropout_rate,
        };
        EncoderPlan {
            fc,
            n_out: c.n_latent,
            var_eps: kwargs.var_eps,
            softmax: c.latent_distribution == LatentDistribution::Ln,
            parts: "encoder",
        }
    }

    /// The encoder of an inferred library: one layer, one number.
    pub(crate) fn library_encoder_plan(&self) -> EncoderPlan {
        let plan = self.encoder_plan();
        EncoderPlan { fc: FcPlan { n_layers: 1, ..plan.fc }, n_out: 1, softmax: false, ..plan }
    }

    pub(crate) fn decoder_plan(&self) -> DecoderPlan {
        let body = match self.config.linear_decoder {
            false => BodyPlan::Layers(self.decoder_layers()),
            true => BodyPlan::Linear(LinearInput {
                n_latent: self.config.n_latent,
                n_columns: self.one_hot.n_columns(),
                per_cell: self.one_hot.per_cell(),
            }),
        };
        DecoderPlan { body, heads: self.heads_plan() }
    }

    /// Hidden layers of a decoder that has some, without dropout.
    pub(crate) fn decoder_layers(&self) -> FcPlan {
        let c = &self.config;
        let kwargs = &c.extra_decoder_kwargs;
        FcPlan {
            n_in: c.n_latent,
            n_continuous: c.n_continuous_cov,
            n_embedded: self.embedding().map_or(0, |e| e.dim),
            n_categories: self.one_hot.n_columns(),
            categories_per_cell: self.one_hot.per_cell(),
            n_hidden: c.n_hidden,
            n_layers: c.n_layers,
            inject: c.deeply_inject_covariates,
            bias: kwargs.bias,
            batch_norm: c.use_batch_norm.in_decoder(),
            layer_norm: c.use_layer_norm.in_decoder(),
            activation: layer_activation(kwargs.use_activation, kwargs.activation_fn),
            dropout_rate: 0.0,
        }
    }

    /// The maps over genes.
    pub(crate) fn heads_plan(&self) -> HeadsPlan {
        let c = &self.config;
        let linear = c.linear_decoder;
        HeadsPlan {
            genes: c.n_input,
            n_in: if linear { c.n_latent + self.one_hot.n_columns() } else { c.n_hidden },
            zero_inflated: c.gene_likelihood == GeneLikelihood::Zinb,
            px_r: c.dispersion == Dispersion::GeneCell
                && c.gene_likelihood != GeneLikelihood::Poisson,
            softplus: c.use_size_factor_key && !linear,
            bias: !linear || c.extra_decoder_kwargs.bias,
            batch_norm: linear && c.use_batch_norm.in_decoder(),
        }
    }

    /// Numbers that weights, biases and dispersions hold together, without running moments.
    pub fn n_parameters(&self) -> u128 {
        let genes = self.config.n_input as u128;
        let library = match self.library() {
            Library::Latent { .. } => self.library_encoder_plan().n_parameters(),
            _ => 0,
        };
        let embedding = self.embedding().map_or(0, |e| e.n_parameters());
        self.encoder_plan().n_parameters()
            + library
            + self.decoder_plan().n_parameters()
            + embedding
            + genes * self.dispersion_groups().unwrap_or(0) as u128
    }
}

/// The function that follows a layer.
pub(super) fn layer_activation(
    used: bool,
    function: Activation,
) -> scvi_kernels::ops::activation::Activation {
    if used { function.into() } else { Activation::Identity.into() }
}
