//! What a caller asks for: flat, serialisable, in scvi-tools' names.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::options::{Dispersion, GeneLikelihood, NormPlacement};
use super::spec::VaeSpec;

/// Parameters of `scvi.module.VAE`.
///
/// | Name | Default | Purpose | Range |
/// |---|---|---|---|
/// | `n_input` | | genes | 1 or more |
/// | `n_batch` | 0 | batches; 0 and 1 mean no batch correction | any |
/// | `n_hidden` | 128 | width of hidden layers | 1 or more |
/// | `n_latent` | 10 | dimensions of z | 1 or more |
/// | `n_layers` | 1 | hidden layers of encoder and of decoder | 1 or more |
/// | `dropout_rate` | 0.1 | dropout of the encoder | 0 to under 1 |
/// | `dispersion` | gene | how θ varies | gene, gene-batch |
/// | `log_variational` | true | the encoder sees ln(1 + x) instead of x | |
/// | `gene_likelihood` | zinb | distribution of counts | zinb, nb, poisson |
/// | `encode_covariates` | false | the encoder sees the batch too | |
/// | `deeply_inject_covariates` | true | the batch enters every hidden layer, not the first alone | |
/// | `use_batch_norm` | both | where batch normalisation stands | both, encoder, decoder, none |
///
/// Source: scvi-tools 1.4.2, `module/_vae.py`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VaeConfig {
    /// Genes.
    pub n_input: usize,
    /// Batches.
    pub n_batch: usize,
    /// Width of hidden layers.
    pub n_hidden: usize,
    /// Dimensions of z.
    pub n_latent: usize,
    /// Hidden layers of encoder and of decoder.
    pub n_layers: usize,
    /// Dropout of the encoder.
    pub dropout_rate: f64,
    /// How θ varies.
    pub dispersion: Dispersion,
    /// Whether the encoder sees ln(1 + x) instead of x.
    pub log_variational: bool,
    /// Distribution of counts.
    pub gene_likelihood: GeneLikelihood,
    /// Whether the encoder sees the batch too.
    pub encode_covariates: bool,
    /// Whether the batch enters every hidden layer, not the first alone.
    pub deeply_inject_covariates: bool,
    /// Where batch normalisation stands.
    pub use_batch_norm: NormPlacement,
}

impl Default for VaeConfig {
    fn default() -> Self {
        Self {
            n_input: 0,
            n_batch: 0,
            n_hidden: 128,
            n_latent: 10,
            n_layers: 1,
            dropout_rate: 0.1,
            dispersion: Dispersion::default(),
            log_variational: true,
            gene_likelihood: GeneLikelihood::default(),
            encode_covariates: false,
            deeply_inject_covariates: true,
            use_batch_norm: NormPlacement::default(),
        }
    }
}

/// A configuration that describes no model.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A size is zero.
    #[error("{option} is 0; it must be 1 or more")]
    Zero {
        /// The option.
        option: &'static str,
    },
    /// A size is beyond what row numbers can hold, or what memory could.
    #[error("{option} is {found}; it must be at most {most}")]
    TooLarge {
        /// The option.
        option: &'static str,
        /// What came.
        found: usize,
        /// The largest that is allowed.
        most: usize,
    },
    /// The dropout probability is outside its range.
    #[error("dropout_rate is {found}; it must be at least 0 and less than 1")]
    DropoutRate {
        /// What came.
        found: f64,
    },
    /// A dispersion per batch without batches.
    #[error("dispersion gene-batch needs n_batch of 1 or more, it is 0")]
    NoBatches,
}

impl VaeConfig {
    /// Checks every option and gives the model they describe.
    ///
    /// # Errors
    /// [`ConfigError`] names the option, what came and what is allowed.
    pub fn validate(&self) -> Result<VaeSpec, ConfigError> {
        const MOST: usize = 1 << 24;
        let sizes = [
            ("n_input", self.n_input),
            ("n_hidden", self.n_hidden),
            ("n_latent", self.n_latent),
            ("n_layers", self.n_layers),
        ];
        for (option, found) in sizes {
            if found == 0 {
                return Err(ConfigError::Zero { option });
            }
        }
        for (option, found) in sizes.into_iter().chain([("n_batch", self.n_batch)]) {
            if found > MOST {
                return Err(ConfigError::TooLarge { option, found, most: MOST });
            }
        }
        if !(0.0..1.0).contains(&self.dropout_rate) {
            return Err(ConfigError::DropoutRate { found: self.dropout_rate });
        }
        if self.dispersion == Dispersion::GeneBatch && self.n_batch == 0 {
            return Err(ConfigError::NoBatches);
        }
        Ok(VaeSpec::new(self.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_illegal_value_is_named() {
        let legal = VaeConfig { n_input: 5, ..VaeConfig::default() };
        assert!(legal.validate().is_ok());
        let message = |config: VaeConfig| config.validate().unwrap_err().to_string();
        assert!(message(VaeConfig::default()).contains("n_input is 0"));
        assert!(message(VaeConfig { n_layers: 0, ..legal.clone() }).contains("n_layers is 0"));
        assert!(message(VaeConfig { n_hidden: 0, ..legal.clone() }).contains("n_hidden is 0"));
        assert!(message(VaeConfig { n_latent: usize::MAX, ..legal.clone() }).contains("at most"));
        for rate in [1.0, -0.1, f64::NAN] {
            let config = VaeConfig { dropout_rate: rate, ..legal.clone() };
            assert!(message(config).contains("dropout_rate"));
        }
        let config = VaeConfig { dispersion: Dispersion::GeneBatch, ..legal };
        assert!(message(config).contains("n_batch"));
    }
}
