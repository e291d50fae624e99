//! Tensors that scvi-tools' module has whatever its options, and that no pass reads.

use scvi::Cpu;
use scvi::module::{ConfigError, Dispersion, GeneLikelihood, Vae, VaeConfig};
use scvi::nn::StateDict;

/// Parts of `scvi.module.VAE` that a model of this configuration never reads.
///
/// The encoder of the library is made even where the library is observed, both maps of the decoder
/// whatever the likelihood and the dispersion, and a table of dispersions even for Poisson counts.
///
/// Source: scvi-tools 1.4.2, `module/_vae.py`, `nn/_base_components.py`.
fn unused_parts(config: &VaeConfig) -> Vec<&'static str> {
    let poisson = config.gene_likelihood == GeneLikelihood::Poisson;
    let by_cell = config.dispersion == Dispersion::GeneCell;
    let observed = config.use_observed_lib_size || config.use_size_factor_key;
    let parts = [
        ("l_encoder", observed),
        ("px_r", poisson && !by_cell),
        // The linear decoder has none.
        ("decoder.px_r_decoder", !config.linear_decoder && (poisson || !by_cell)),
        ("decoder.px_dropout_decoder", config.gene_likelihood != GeneLikelihood::Zinb),
    ];
    parts.into_iter().filter(|(_, unused)| *unused).map(|(part, _)| part).collect()
}

fn belongs(name: &str, part: &str) -> bool {
    name.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether a tensor is of a part that a model of this configuration never reads.
pub(crate) fn is_unused(config: &VaeConfig, name: &str) -> bool {
    unused_parts(config).into_iter().any(|part| belongs(name, part))
}

/// Draws the tensors of unused parts that are not there, as a model that reads them starts.
pub(super) fn draw_missing(
    config: &VaeConfig,
    unused: &mut StateDict<f32>,
    seed: u64,
) -> Result<(), ConfigError> {
    let mut missing = unused_parts(config);
    missing.retain(|part| !unused.keys().any(|name| belongs(name, part)));
    for twin in twins(config) {
        if missing.is_empty() {
            break;
        }
        let state = Vae::new(Cpu::<f32>::new(), twin.validate()?, seed).state_dict();
        for (name, tensor) in state {
            if missing.iter().any(|part| belongs(&name, part)) {
                unused.insert(name, tensor);
            }
        }
        missing.retain(|part| !unused.keys().any(|name| belongs(name, part)));
    }
    Ok(())
}

/// Configurations of the same sizes whose models read every part between them.
fn twins(config: &VaeConfig) -> Vec<VaeConfig> {
    let batches = config.n_batch.max(1);
    let all = VaeConfig {
        gene_likelihood: GeneLikelihood::Zinb,
        use_size_factor_key: false,
        use_observed_lib_size: false,
        library_log_means: Some(vec![0.0; batches]),
        library_log_vars: Some(vec![1.0; batches]),
        ..config.clone()
    };
    let by_cell = VaeConfig { dispersion: Dispersion::GeneCell, ..all.clone() };
    if config.linear_decoder { vec![all] } else { vec![all, by_cell] }
}

#[cfg(test)]
mod tests {
    use scvi::module::Choice;

    use super::*;

    /// Every option that decides what is read.
    fn configs() -> Vec<VaeConfig> {
        let base = VaeConfig {
            n_input: 5,
            n_batch: 2,
            n_labels: 3,
            n_hidden: 4,
            n_latent: 2,
            ..VaeConfig::default()
        };
        let mut configs = Vec::new();
        for &(_, gene_likelihood) in GeneLikelihood::ALL {
            for &(_, dispersion) in Dispersion::ALL {
                for observed in [false, true] {
                    configs.push(VaeConfig {
                        gene_likelihood,
                        dispersion,
                        use_observed_lib_size: observed,
                        library_log_means: (!observed).then(|| vec![0.0; 2]),
                        library_log_vars: (!observed).then(|| vec![1.0; 2]),
                        ..base.clone()
                    });
                }
            }
        }
        configs
    }

    #[test]
    fn a_model_reads_all_other_parts_and_none_of_these() {
        for config in configs() {
            let own = Vae::new(Cpu::<f32>::new(), config.validate().unwrap(), 0).state_dict();
            let name = format!("{:?} {:?}", config.gene_likelihood, config.dispersion);
            assert!(own.keys().all(|key| !is_unused(&config, key)), "{name}");
            let mut unused = StateDict::new();
            draw_missing(&config, &mut unused, 0).unwrap();
            assert!(unused.keys().all(|key| is_unused(&config, key) && !own.contains_key(key)));
            let has = |part| own.keys().chain(unused.keys()).any(|key| belongs(key, part));
            for part in ["l_encoder", "decoder.px_r_decoder", "decoder.px_dropout_decoder"] {
                assert!(has(part), "{name} {part}");
            }
            assert_eq!(has("px_r"), config.dispersion != Dispersion::GeneCell, "{name}");
        }
    }

    #[test]
    fn what_is_there_stays_and_draws_repeat() {
        let config = VaeConfig { n_input: 5, n_hidden: 4, n_latent: 2, ..VaeConfig::default() };
        let drawn = |seed| {
            let mut unused = StateDict::new();
            draw_missing(&config, &mut unused, seed).unwrap();
            unused
        };
        assert_eq!(drawn(3), drawn(3));
        assert_ne!(drawn(3), drawn(4));
        let mut kept = drawn(3);
        draw_missing(&config, &mut kept, 4).unwrap();
        assert_eq!(kept, drawn(3));
    }
}
