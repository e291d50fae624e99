//! Options of single layers, typed: `extra_encoder_kwargs`, `extra_decoder_kwargs`,
//! `batch_embedding_kwargs`.

use scvi_kernels::ops::embedding::{EmbeddingGrad, MaxNorm};
use serde::{Deserialize, Serialize};

use super::config_error::ConfigError;
use super::options::Activation;
use crate::nn::EmbeddingPlan;

/// `extra_encoder_kwargs`: options of the encoders' layers and of their posterior.
///
/// | Name | Default | Purpose | Range |
/// |---|---|---|---|
/// | `bias` | true | hidden layers have a bias | |
/// | `use_activation` | true | hidden layers have an activation function | |
/// | `activation_fn` | relu | which | see [`Activation`] |
/// | `var_eps` | 1e-4 | added to the posterior's variance | 0 or more |
/// | `n_cont` | 0 | further continuous inputs; scvi-tools' encoder never passes any | 0 |
///
/// Source: scvi-tools 1.4.2, `nn/_base_components.py`, `Encoder` and `FCLayers`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EncoderKwargs {
    /// Whether hidden layers have a bias.
    pub bias: bool,
    /// Whether hidden layers have an activation function.
    pub use_activation: bool,
    /// The activation function.
    pub activation_fn: Activation,
    /// Added to the posterior's variance.
    pub var_eps: f64,
    /// Further continuous inputs: none.
    pub n_cont: usize,
}

impl Default for EncoderKwargs {
    fn default() -> Self {
        Self {
            bias: true,
            use_activation: true,
            activation_fn: Activation::Relu,
            var_eps: 1e-4,
            n_cont: 0,
        }
    }
}

/// `extra_decoder_kwargs`: options of the decoder's layers; names as in [`EncoderKwargs`].
///
/// Source: scvi-tools 1.4.2, `nn/_base_components.py`, `DecoderSCVI` and `FCLayers`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DecoderKwargs {
    /// Whether hidden layers (the linear decoder: its two maps) have a bias.
    pub bias: bool,
    /// Whether hidden layers have an activation function.
    pub use_activation: bool,
    /// The activation function.
    pub activation_fn: Activation,
    /// Further continuous inputs: none.
    pub n_cont: usize,
}

impl Default for DecoderKwargs {
    fn default() -> Self {
        Self { bias: true, use_activation: true, activation_fn: Activation::Relu, n_cont: 0 }
    }
}

/// `batch_embedding_kwargs`: options of the batch's embedding, as in `torch.nn.Embedding`.
///
/// | Name | Default | Purpose | Range |
/// |---|---|---|---|
/// | `embedding_dim` | 5 | length of a batch's vector | 1 or more |
/// | `padding_idx` | none | a batch whose vector starts at 0 and gets no gradient | -n_batch to n_batch - 1 |
/// | `max_norm` | none | longer vectors are shortened to this norm when they are used | above 0 |
/// | `norm_type` | 2 | p of that norm | above 0 |
/// | `scale_grad_by_freq` | false | gradients divided by how often the batch occurs | |
/// | `sparse` | false | how torch stores the gradient: the numbers are the same | |
///
/// Source: scvi-tools 1.4.2, `nn/_embedding.py`; torch 2.15, `nn/modules/sparse.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddingKwargs {
    /// Length of a batch's vector.
    pub embedding_dim: usize,
    /// A batch whose vector starts at 0 and gets no gradient; negative numbers count from the end.
    pub padding_idx: Option<i64>,
    /// Longer vectors are shortened to this norm when they are used.
    pub max_norm: Option<f64>,
    /// p of that norm.
    pub norm_type: f64,
    /// Whether gradients are divided by how often the batch occurs in the minibatch.
    pub scale_grad_by_freq: bool,
    /// How torch stores the gradient; without effect on numbers.
    pub sparse: bool,
}

impl Default for EmbeddingKwargs {
    fn default() -> Self {
        Self {
            embedding_dim: 5,
            padding_idx: None,
            max_norm: None,
            norm_type: 2.0,
            scale_grad_by_freq: false,
            sparse: false,
        }
    }
}

impl EmbeddingKwargs {
    /// Checks every option for a table of `rows` vectors.
    pub(super) fn validate(&self, rows: usize) -> Result<(), ConfigError> {
        if self.embedding_dim == 0 {
            return Err(ConfigError::Zero { option: "embedding_dim" });
        }
        if let Some(found) = self.padding_idx
            && self.padding_row(rows).is_none()
        {
            return Err(ConfigError::Value {
                option: "padding_idx",
                found: found.to_string(),
                allowed: format!("from -{rows} to {}", rows.saturating_sub(1)),
            });
        }
        let positive = |option, found: f64| match found > 0.0 && found.is_finite() {
            true => Ok(()),
            false => {
                let allowed = "a number above 0".to_owned();
                Err(ConfigError::Value { option, found: found.to_string(), allowed })
            }
        };
        positive("max_norm", self.max_norm.unwrap_or(1.0))?;
        positive("norm_type", self.norm_type)
    }

    /// A table of `rows` vectors with these options.
    pub(crate) fn plan(&self, rows: usize) -> EmbeddingPlan {
        let norm_type = self.norm_type;
        EmbeddingPlan {
            rows,
            dim: self.embedding_dim,
            max_norm: self.max_norm.map(|max_norm| MaxNorm { max_norm, norm_type }),
            grad: EmbeddingGrad {
                padding_idx: self.padding_row(rows),
                scale_grad_by_freq: self.scale_grad_by_freq,
                frozen_rows: 0,
            },
        }
    }

    /// The options of a table; how torch stores its gradient is not known.
    pub(super) fn of(plan: &EmbeddingPlan) -> Self {
        let EmbeddingPlan { rows: _, dim, max_norm, grad } = plan;
        Self {
            embedding_dim: *dim,
            padding_idx: grad.padding_idx.map(i64::from),
            max_norm: max_norm.map(|bound| bound.max_norm),
            norm_type: max_norm.map_or(Self::default().norm_type, |bound| bound.norm_type),
            scale_grad_by_freq: grad.scale_grad_by_freq,
            sparse: false,
        }
    }

    /// The row that `padding_idx` means in a table of `rows` vectors.
    pub(crate) fn padding_row(&self, rows: usize) -> Option<u32> {
        let found = self.padding_idx?;
        let row = if found < 0 { found.checked_add(rows as i64)? } else { found };
        (0..rows as i64).contains(&row).then_some(row as u32)
    }
}
