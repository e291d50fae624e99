//! The configuration of a module: from options or from the model that a run begins with, and from
//! the data.

use scvi::data::LibraryPrior;
use scvi::module::{
    BatchRepresentation, Choice, ConfigError, Dispersion, EmbeddingKwargs, GeneLikelihood,
    LatentDistribution, NormPlacement, ScanvaeConfig, VaeConfig, VarActivation,
};
use scvi::train::TrainError;
use scvi_io::SavedModel;

use crate::args::{DataArgs, LabelArgs, ModelArgs, ModelClassChoice, TrainArgs};
use crate::error::CliError;
use crate::input::{Prepared, open_trained};

/// What a run begins with, before its data are read.
pub(super) struct Beginning {
    /// As far as options or `scvi` say.
    pub(super) config: VaeConfig,
    /// The model whose weights are the first.
    pub(super) scvi: Option<SavedModel>,
}

impl Beginning {
    /// Wrong values are told before a large file is read.
    pub(super) fn new(args: &mut TrainArgs) -> Result<Self, CliError> {
        check_class(&args.labels)?;
        let scvi = args.labels.scvi_model.as_deref().map(open_trained).transpose()?;
        if let (Some(path), Some(model)) = (&args.labels.scvi_model, &scvi) {
            if model.meta.scanvi.is_some() {
                let (model, class) = (path.display().to_string(), model.meta.model_class.clone());
                return Err(CliError::NotScvi { model, class });
            }
            let known = model.meta.registry.labels.as_ref().map(|labels| labels.key.clone());
            args.data.labels_key = args.data.labels_key.take().or(known);
        }
        if args.labels.unlabeled_category.is_some() && args.data.labels_key.is_none() {
            return Err(CliError::NeedsLabels { what: "SCANVI".to_owned() });
        }
        let config = match &scvi {
            Some(model) => model.meta.config.clone(),
            None => of_options(&args.vae)?,
        };
        check_early(&config, &args.data, &args.labels)?;
        Ok(Self { config, scvi })
    }
}

/// Whether the class that was asked for goes with the other options.
fn check_class(args: &LabelArgs) -> Result<(), CliError> {
    match (args.model_class, &args.unlabeled_category) {
        (Some(ModelClassChoice::Scanvi), None) => Err(CliError::NeedsUnlabeled),
        (Some(ModelClassChoice::Scvi), Some(_)) => Err(CliError::Option {
            option: "model_class",
            found: "scvi".to_owned(),
            range: "scanvi with unlabeled_category",
        }),
        _ => Ok(()),
    }
}

fn of_options(args: &ModelArgs) -> Result<VaeConfig, CliError> {
    Ok(VaeConfig {
        n_hidden: args.n_hidden,
        n_latent: args.n_latent,
        n_layers: args.n_layers,
        dropout_rate: args.dropout_rate,
        dispersion: Dispersion::from_name(&args.dispersion)?,
        log_variational: !args.no_log_variational,
        gene_likelihood: GeneLikelihood::from_name(&args.gene_likelihood)?,
        latent_distribution: LatentDistribution::from_name(&args.latent_distribution)?,
        encode_covariates: args.encode_covariates,
        deeply_inject_covariates: !args.no_deeply_inject_covariates,
        batch_representation: BatchRepresentation::from_name(&args.batch_representation)?,
        use_batch_norm: NormPlacement::from_name(&args.use_batch_norm)?,
        use_layer_norm: NormPlacement::from_name_of("use_layer_norm", &args.use_layer_norm)?,
        use_observed_lib_size: !args.no_use_observed_lib_size,
        var_activation: VarActivation::from_name(&args.var_activation)?,
        batch_embedding_kwargs: EmbeddingKwargs {
            embedding_dim: args.batch_embedding_dim,
            ..EmbeddingKwargs::default()
        },
        ..VaeConfig::default()
    })
}

/// As if the data had one gene, batch and label.
fn check_early(config: &VaeConfig, args: &DataArgs, labels: &LabelArgs) -> Result<(), CliError> {
    let config = VaeConfig {
        n_input: 1,
        n_batch: 1,
        n_labels: usize::from(args.labels_key.is_some()),
        n_cats_per_cov: Vec::new(),
        library_log_means: Some(vec![0.0]),
        library_log_vars: Some(vec![1.0]),
        ..config.clone()
    };
    let checked = match labels.unlabeled_category {
        None => config.validate().map(drop),
        Some(_) => of_labels(labels, config).validate().map(drop),
    };
    match checked {
        Err(ConfigError::Needs { option: "dispersion", found, .. }) => {
            Err(CliError::NeedsLabels { what: format!("dispersion {found}") })
        }
        other => Ok(other?),
    }
}

/// The configuration of a module that classifies.
pub(super) fn of_labels(args: &LabelArgs, vae: VaeConfig) -> ScanvaeConfig {
    ScanvaeConfig { vae, linear_classifier: args.linear_classifier, ..ScanvaeConfig::default() }
}

/// The sizes and priors that the data decides.
pub(super) fn with_data(config: VaeConfig, prepared: &Prepared) -> Result<VaeConfig, CliError> {
    let config = prepared.registry.sized(config);
    let infers = !config.use_observed_lib_size && !config.use_size_factor_key;
    // A model that the run begins with has its own.
    let prior = (infers && config.library_log_means.is_none())
        .then(|| {
            LibraryPrior::of(prepared.counts.source(), &prepared.columns.batch, config.n_batch)
        })
        .transpose()
        .map_err(TrainError::from)?;
    let config = match prior {
        None => config,
        Some(LibraryPrior { log_means, log_vars }) => VaeConfig {
            library_log_means: Some(log_means),
            library_log_vars: Some(log_vars),
            ..config
        },
    };
    Ok(VaeConfig { n_input: prepared.counts.n_genes(), ..config })
}
