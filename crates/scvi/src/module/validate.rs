//! Which configurations describe a model.

use std::fmt::Display;

use super::config::VaeConfig;
use super::config_error::ConfigError;
use super::kwargs::DecoderKwargs;
use super::options::{Activation, BatchRepresentation, Choice, Dispersion, NormPlacement};
use super::spec::VaeSpec;

/// The largest size of any kind.
pub(super) const MOST: usize = 1 << 24;

fn value(option: &'static str, found: impl Display, allowed: impl Into<String>) -> ConfigError {
    ConfigError::Value { option, found: found.to_string(), allowed: allowed.into() }
}

/// Whether an option is a probability of dropout.
pub(super) fn check_rate(option: &'static str, found: f64) -> Result<(), ConfigError> {
    match (0.0..1.0).contains(&found) {
        true => Ok(()),
        false => Err(value(option, found, "at least 0 and less than 1")),
    }
}

impl VaeConfig {
    /// Checks every option and gives the model they describe.
    ///
    /// # Errors
    /// [`ConfigError`] names the option, what came and what is allowed.
    pub fn validate(&self) -> Result<VaeSpec, ConfigError> {
        self.check_sizes()?;
        self.check_layers()?;
        self.check_groups()?;
        self.check_library()?;
        if self.linear_decoder {
            self.check_linear_decoder()?;
        }
        Ok(VaeSpec::new(self.clone()))
    }

    fn check_sizes(&self) -> Result<(), ConfigError> {
        let sizes = [
            ("n_input", self.n_input),
            ("n_hidden", self.n_hidden),
            ("n_latent", self.n_latent),
            ("n_layers", self.n_layers),
        ];
        let categories = self.n_cats_per_cov.iter().map(|&n| ("n_cats_per_cov", n));
        for (option, found) in sizes.into_iter().chain(categories) {
            if found == 0 {
                return Err(ConfigError::Zero { option });
            }
        }
        // The numbers of columns add up, too.
        let columns = self.n_cats_per_cov.iter().fold(0usize, |sum, &n| sum.saturating_add(n));
        let others = [
            ("n_batch", self.n_batch),
            ("n_labels", self.n_labels),
            ("n_continuous_cov", self.n_continuous_cov),
            ("n_cats_per_cov", columns),
            ("embedding_dim", self.batch_embedding_kwargs.embedding_dim),
        ];
        for (option, found) in sizes.into_iter().chain(others) {
            if found > MOST {
                return Err(ConfigError::TooLarge { option, found, most: MOST });
            }
        }
        Ok(())
    }

    fn check_layers(&self) -> Result<(), ConfigError> {
        check_rate("dropout_rate", self.dropout_rate)?;
        let var_eps = self.extra_encoder_kwargs.var_eps;
        if !(var_eps >= 0.0 && var_eps.is_finite()) {
            return Err(value("var_eps", var_eps, "a number of 0 or more"));
        }
        for found in [self.extra_encoder_kwargs.n_cont, self.extra_decoder_kwargs.n_cont] {
            if found != 0 {
                let allowed = "0: continuous covariates are counted by n_continuous_cov";
                return Err(value("n_cont", found, allowed));
            }
        }
        Ok(())
    }

    /// Batches and labels where an option goes by them.
    fn check_groups(&self) -> Result<(), ConfigError> {
        let needs = |option, found: &str, count: &str| ConfigError::Needs {
            option,
            found: found.to_owned(),
            needs: format!("{count} of 1 or more, it is 0"),
        };
        let dispersion = needs("dispersion", self.dispersion.name(), "n_batch");
        match self.dispersion {
            Dispersion::GeneBatch if self.n_batch == 0 => return Err(dispersion),
            Dispersion::GeneLabel if self.n_labels == 0 => {
                return Err(needs("dispersion", self.dispersion.name(), "n_labels"));
            }
            _ => {}
        }
        if self.batch_representation == BatchRepresentation::Embedding {
            if self.n_batch == 0 {
                return Err(needs("batch_representation", "embedding", "n_batch"));
            }
            self.batch_embedding_kwargs.validate(self.n_batch)?;
        }
        Ok(())
    }

    fn check_library(&self) -> Result<(), ConfigError> {
        if self.use_observed_lib_size || self.use_size_factor_key {
            return Ok(());
        }
        let batches = self.n_batch.max(1);
        let check = |option, given: &Option<Vec<f64>>, low: f64, allowed: &str| match given {
            None => Err(ConfigError::Needs {
                option: "use_observed_lib_size",
                found: "false".to_owned(),
                needs: "library_log_means and library_log_vars, a number a batch each".to_owned(),
            }),
            Some(given) if given.len() != batches => Err(value(
                option,
                format!("{} numbers", given.len()),
                format!("{batches}, one a batch"),
            )),
            Some(given) => match given.iter().find(|v| !(**v > low && v.is_finite())) {
                Some(found) => Err(value(option, found, allowed)),
                None => Ok(()),
            },
        };
        let means = &self.library_log_means;
        check("library_log_means", means, f64::NEG_INFINITY, "finite")?;
        check("library_log_vars", &self.library_log_vars, 0.0, "above 0 and finite")
    }

    /// What `scvi.module.LDVAE` has no place for, or ignores without a word.
    fn check_linear_decoder(&self) -> Result<(), ConfigError> {
        let standard = Self::default();
        let DecoderKwargs { use_activation, activation_fn, .. } = self.extra_decoder_kwargs;
        let norm = self.use_batch_norm;
        let unless = |legal: bool, found: &dyn Display| (!legal).then(|| found.to_string());
        let refused = [
            (
                "dispersion",
                unless(self.dispersion != Dispersion::GeneCell, &self.dispersion.name()),
                "gene, gene-batch or gene-label",
            ),
            ("n_continuous_cov", unless(self.n_continuous_cov == 0, &self.n_continuous_cov), "0"),
            (
                "n_cats_per_cov",
                unless(self.n_cats_per_cov.is_empty(), &format_args!("{:?}", self.n_cats_per_cov)),
                "empty",
            ),
            ("encode_covariates", unless(!self.encode_covariates, &true), "false"),
            (
                "batch_representation",
                unless(
                    self.batch_representation == BatchRepresentation::OneHot,
                    &self.batch_representation.name(),
                ),
                "one-hot",
            ),
            ("use_batch_norm", unless(norm.in_encoder(), &norm.name()), "both or encoder"),
            (
                "use_layer_norm",
                unless(self.use_layer_norm == NormPlacement::None, &self.use_layer_norm.name()),
                "none",
            ),
            (
                "var_activation",
                unless(self.var_activation == standard.var_activation, &self.var_activation.name()),
                "exp",
            ),
            (
                "extra_encoder_kwargs",
                unless(self.extra_encoder_kwargs == standard.extra_encoder_kwargs, &"set"),
                "left alone",
            ),
            ("use_activation", unless(use_activation, &false), "left alone"),
            (
                "activation_fn",
                unless(activation_fn == Activation::Relu, &activation_fn.name()),
                "left alone",
            ),
        ];
        match refused
            .into_iter()
            .find_map(|(option, found, allowed)| Some((option, found?, allowed)))
        {
            Some((option, found, allowed)) => {
                Err(value(option, found, format!("{allowed} with linear_decoder")))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::{EmbeddingKwargs, EncoderKwargs};

    fn legal() -> VaeConfig {
        VaeConfig { n_input: 5, ..VaeConfig::default() }
    }

    fn message(config: VaeConfig) -> String {
        config.validate().unwrap_err().to_string()
    }

    #[test]
    fn every_illegal_size_is_named() {
        assert!(legal().validate().is_ok());
        assert!(message(VaeConfig::default()).contains("n_input is 0"));
        assert!(message(VaeConfig { n_layers: 0, ..legal() }).contains("n_layers is 0"));
        assert!(message(VaeConfig { n_hidden: 0, ..legal() }).contains("n_hidden is 0"));
        assert!(message(VaeConfig { n_latent: usize::MAX, ..legal() }).contains("at most"));
        let config = VaeConfig { n_cats_per_cov: vec![2, 0], ..legal() };
        assert!(message(config).contains("n_cats_per_cov is 0"));
        let config = VaeConfig { n_cats_per_cov: vec![usize::MAX; 2], ..legal() };
        assert!(message(config).contains("n_cats_per_cov is 18"));
        for (name, config) in [
            ("n_batch", VaeConfig { n_batch: usize::MAX, ..legal() }),
            ("n_labels", VaeConfig { n_labels: usize::MAX, ..legal() }),
            ("n_continuous_cov", VaeConfig { n_continuous_cov: usize::MAX, ..legal() }),
        ] {
            assert!(message(config).starts_with(name));
        }
    }

    #[test]
    fn values_outside_their_range_are_named() {
        for rate in [1.0, -0.1, f64::NAN] {
            assert!(message(VaeConfig { dropout_rate: rate, ..legal() }).contains("dropout_rate"));
        }
        for var_eps in [-1.0, f64::NAN, f64::INFINITY] {
            let extra_encoder_kwargs = EncoderKwargs { var_eps, ..EncoderKwargs::default() };
            let config = VaeConfig { extra_encoder_kwargs, ..legal() };
            assert!(message(config).contains("var_eps"));
        }
        let extra_decoder_kwargs = DecoderKwargs { n_cont: 1, ..DecoderKwargs::default() };
        assert!(message(VaeConfig { extra_decoder_kwargs, ..legal() }).contains("n_cont is 1"));
        let kwargs = EmbeddingKwargs::default();
        for (name, kwargs) in [
            ("embedding_dim", EmbeddingKwargs { embedding_dim: 0, ..kwargs.clone() }),
            ("padding_idx", EmbeddingKwargs { padding_idx: Some(3), ..kwargs.clone() }),
            ("padding_idx", EmbeddingKwargs { padding_idx: Some(-4), ..kwargs.clone() }),
            ("padding_idx", EmbeddingKwargs { padding_idx: Some(i64::MIN), ..kwargs.clone() }),
            ("max_norm", EmbeddingKwargs { max_norm: Some(0.0), ..kwargs.clone() }),
            ("norm_type", EmbeddingKwargs { norm_type: f64::NAN, ..kwargs }),
        ] {
            let config = VaeConfig {
                n_batch: 3,
                batch_representation: BatchRepresentation::Embedding,
                batch_embedding_kwargs: kwargs,
                ..legal()
            };
            assert!(message(config).starts_with(name));
        }
    }

    #[test]
    fn a_choice_says_what_it_needs() {
        let by = |dispersion| message(VaeConfig { dispersion, ..legal() });
        assert_eq!(
            by(Dispersion::GeneBatch),
            "dispersion gene-batch needs n_batch of 1 or more, it is 0"
        );
        assert_eq!(
            by(Dispersion::GeneLabel),
            "dispersion gene-label needs n_labels of 1 or more, it is 0"
        );
        let batch_representation = BatchRepresentation::Embedding;
        let config = VaeConfig { batch_representation, ..legal() };
        assert!(message(config).starts_with("batch_representation embedding needs n_batch"));
    }

    #[test]
    fn an_inferred_library_needs_its_prior() {
        let latent = VaeConfig { n_batch: 2, use_observed_lib_size: false, ..legal() };
        assert!(message(latent.clone()).contains("library_log_means"));
        let means = Some(vec![1.0, 2.0]);
        let latent = VaeConfig { library_log_means: means, ..latent };
        assert!(message(latent.clone()).contains("library_log_vars"));
        let with =
            |vars: &[f64]| VaeConfig { library_log_vars: Some(vars.to_vec()), ..latent.clone() };
        assert!(with(&[0.5, 1.0]).validate().is_ok());
        assert_eq!(
            message(with(&[0.5])),
            "library_log_vars is 1 numbers; it must be 2, one a batch"
        );
        assert!(message(with(&[0.5, 0.0])).contains("above 0"));
        // A given size factor takes the library's place.
        let config =
            VaeConfig { use_size_factor_key: true, use_observed_lib_size: false, ..legal() };
        assert!(config.validate().is_ok());
    }

    #[test]
    fn the_linear_decoder_refuses_what_it_would_ignore() {
        let linear = VaeConfig { n_input: 5, use_observed_lib_size: true, ..VaeConfig::linear() };
        assert!(linear.validate().is_ok());
        let kwargs = DecoderKwargs::default();
        for (name, config) in [
            ("dispersion", VaeConfig { dispersion: Dispersion::GeneCell, ..linear.clone() }),
            ("n_continuous_cov", VaeConfig { n_continuous_cov: 1, ..linear.clone() }),
            ("n_cats_per_cov", VaeConfig { n_cats_per_cov: vec![2], ..linear.clone() }),
            ("encode_covariates", VaeConfig { encode_covariates: true, ..linear.clone() }),
            ("use_batch_norm", VaeConfig { use_batch_norm: NormPlacement::None, ..linear.clone() }),
            ("use_layer_norm", VaeConfig { use_layer_norm: NormPlacement::Both, ..linear.clone() }),
            (
                "activation_fn",
                VaeConfig {
                    extra_decoder_kwargs: DecoderKwargs {
                        activation_fn: Activation::Elu,
                        ..kwargs.clone()
                    },
                    ..linear.clone()
                },
            ),
            (
                "use_activation",
                VaeConfig {
                    extra_decoder_kwargs: DecoderKwargs { use_activation: false, ..kwargs },
                    ..linear
                },
            ),
        ] {
            let message = message(config);
            assert!(message.starts_with(name) && message.contains("linear_decoder"), "{message}");
        }
    }
}
