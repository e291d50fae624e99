//! What a caller asks for: flat, serialisable, in scvi-tools' names.

use serde::{Deserialize, Serialize};

use super::kwargs::{DecoderKwargs, EmbeddingKwargs, EncoderKwargs};
use super::options::{
    BatchRepresentation, Dispersion, GeneLikelihood, LatentDistribution, NormPlacement,
    VarActivation,
};

/// Parameters of `scvi.module.VAE`, and of `scvi.module.LDVAE`.
///
/// | Name | Default | Purpose | Range |
/// |---|---|---|---|
/// | `n_input` | | genes | 1 or more |
/// | `n_batch` | 0 | batches; 0 and 1 mean no batch correction | any |
/// | `n_labels` | 0 | labels, for dispersion gene-label | any |
/// | `n_hidden` | 128 | width of hidden layers | 1 or more |
/// | `n_latent` | 10 | dimensions of z | 1 or more |
/// | `n_layers` | 1 | hidden layers of encoder and of decoder | 1 or more |
/// | `n_continuous_cov` | 0 | continuous covariates | any |
/// | `n_cats_per_cov` | none | categories of each categorical covariate | 1 or more each |
/// | `dropout_rate` | 0.1 | dropout of the encoder | 0 to under 1 |
/// | `dispersion` | gene | how θ varies | gene, gene-batch, gene-label, gene-cell |
/// | `log_variational` | true | the encoder sees ln(1 + x) instead of x | |
/// | `gene_likelihood` | zinb | distribution of counts | zinb, nb, poisson, normal |
/// | `latent_distribution` | normal | distribution of z | normal, ln |
/// | `encode_covariates` | false | the encoder sees batch and covariates too | |
/// | `deeply_inject_covariates` | true | categories enter every hidden layer, not the first alone | |
/// | `batch_representation` | one-hot | how the batch enters | one-hot, embedding |
/// | `use_batch_norm` | both | where batch normalisation stands | both, encoder, decoder, none |
/// | `use_layer_norm` | none | where layer normalisation stands, after the other | the same |
/// | `use_size_factor_key` | false | μ is the given size factor times softplus, not softmax | |
/// | `use_observed_lib_size` | true | the library is the cell's total; else it is inferred | |
/// | `library_log_means`, `library_log_vars` | none | prior of the inferred library, a number a batch | finite; variances above 0 |
/// | `extra_payload_autotune` | false | the loss carries z, batch and labels | |
/// | `var_activation` | exp | what makes the posterior's variance positive | exp, softplus |
/// | `extra_encoder_kwargs` | | options of the encoders' layers | [`EncoderKwargs`] |
/// | `extra_decoder_kwargs` | | options of the decoder's layers | [`DecoderKwargs`] |
/// | `batch_embedding_kwargs` | | options of the batch's embedding | [`EmbeddingKwargs`] |
/// | `linear_decoder` | false | LDVAE: two linear maps instead of the decoder | |
///
/// Source: scvi-tools 1.4.2, `module/_vae.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VaeConfig {
    /// Genes.
    pub n_input: usize,
    /// Batches.
    pub n_batch: usize,
    /// Labels.
    pub n_labels: usize,
    /// Width of hidden layers.
    pub n_hidden: usize,
    /// Dimensions of z.
    pub n_latent: usize,
    /// Hidden layers of encoder and of decoder.
    pub n_layers: usize,
    /// Continuous covariates.
    pub n_continuous_cov: usize,
    /// Categories of each categorical covariate.
    pub n_cats_per_cov: Vec<usize>,
    /// Dropout of the encoder.
    pub dropout_rate: f64,
    /// How θ varies.
    pub dispersion: Dispersion,
    /// Whether the encoder sees ln(1 + x) instead of x.
    pub log_variational: bool,
    /// Distribution of counts.
    pub gene_likelihood: GeneLikelihood,
    /// Distribution of z.
    pub latent_distribution: LatentDistribution,
    /// Whether the encoder sees batch and covariates too.
    pub encode_covariates: bool,
    /// Whether categories enter every hidden layer, not the first alone.
    pub deeply_inject_covariates: bool,
    /// How the batch enters.
    pub batch_representation: BatchRepresentation,
    /// Where batch normalisation stands.
    pub use_batch_norm: NormPlacement,
    /// Where layer normalisation stands.
    pub use_layer_norm: NormPlacement,
    /// Whether μ is scaled by the given size factor.
    pub use_size_factor_key: bool,
    /// Whether the library is the cell's total.
    pub use_observed_lib_size: bool,
    /// Prior means of the inferred log library, a number a batch.
    pub library_log_means: Option<Vec<f64>>,
    /// Prior variances of the inferred log library, a number a batch.
    pub library_log_vars: Option<Vec<f64>>,
    /// Whether the loss carries z, batch and labels.
    pub extra_payload_autotune: bool,
    /// What makes the posterior's variance positive.
    pub var_activation: VarActivation,
    /// Options of the encoders' layers.
    pub extra_encoder_kwargs: EncoderKwargs,
    /// Options of the decoder's layers.
    pub extra_decoder_kwargs: DecoderKwargs,
    /// Options of the batch's embedding.
    pub batch_embedding_kwargs: EmbeddingKwargs,
    /// Whether the decoder is LDVAE's two linear maps.
    pub linear_decoder: bool,
}

impl Default for VaeConfig {
    fn default() -> Self {
        Self {
            n_input: 0,
            n_batch: 0,
            n_labels: 0,
            n_hidden: 128,
            n_latent: 10,
            n_layers: 1,
            n_continuous_cov: 0,
            n_cats_per_cov: Vec::new(),
            dropout_rate: 0.1,
            dispersion: Dispersion::Gene,
            log_variational: true,
            gene_likelihood: GeneLikelihood::Zinb,
            latent_distribution: LatentDistribution::Normal,
            encode_covariates: false,
            deeply_inject_covariates: true,
            batch_representation: BatchRepresentation::OneHot,
            use_batch_norm: NormPlacement::Both,
            use_layer_norm: NormPlacement::None,
            use_size_factor_key: false,
            use_observed_lib_size: true,
            library_log_means: None,
            library_log_vars: None,
            extra_payload_autotune: false,
            var_activation: VarActivation::Exp,
            extra_encoder_kwargs: EncoderKwargs::default(),
            extra_decoder_kwargs: DecoderKwargs::default(),
            batch_embedding_kwargs: EmbeddingKwargs::default(),
            linear_decoder: false,
        }
    }
}

impl VaeConfig {
    /// The defaults of `scvi.module.LDVAE`: a linear decoder without bias, negative binomial
    /// counts, and an inferred library, whose prior the caller gives.
    ///
    /// Source: scvi-tools 1.4.2, `module/_vae.py`, `LDVAE`; Svensson et al. 2020.
    pub fn linear() -> Self {
        Self {
            linear_decoder: true,
            gene_likelihood: GeneLikelihood::Nb,
            use_observed_lib_size: false,
            extra_decoder_kwargs: DecoderKwargs { bias: false, ..DecoderKwargs::default() },
            ..Self::default()
        }
    }
}
