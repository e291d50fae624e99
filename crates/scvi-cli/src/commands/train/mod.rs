//! `scvi train`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use scvi::Cpu;
use scvi::data::LibraryPrior;
use scvi::module::{
    BatchRepresentation, Choice, ConfigError, Dispersion, EmbeddingKwargs, GeneLikelihood,
    LatentDistribution, NormPlacement, Vae, VaeConfig, VarActivation,
};
use scvi::train::{TrainError, TrainPlan, Trained};
use scvi_io::checkpoint::RunSetup;
use scvi_io::{FORMAT_VERSION, InputMeta, ModelMeta, TrainingMeta};

use super::demonstration;
use super::latent::Output;
use super::next_step::next_step;
use super::outputs::RunOutputs;
use super::plan::{plan, warn_of_short_warmup};
use crate::args::{Common, DataArgs, ModelArgs, TrainArgs};
use crate::checkpoints::Kept;
use crate::error::CliError;
use crate::input::{Prepared, for_training};
use crate::options::{demonstration_words, resume_command};
use crate::progress::Progress;
use crate::report::Report;
use crate::training::Training;

pub fn run(mut args: TrainArgs, common: &Common) -> Result<(), CliError> {
    let config = config(&args.vae)?;
    check_early(&config, &args.data)?;
    let model = args.model.clone().unwrap_or_else(|| PathBuf::from(demonstration::MODEL));
    let demo = args.input.is_none().then_some(Path::new(demonstration::DATA));
    let outputs: Vec<&Path> = args.output.as_deref().into_iter().chain(demo).collect();
    let options = demonstration::OutputOptions::of(&args, common);
    let mut kept = Kept::open(&model, &outputs, &mut args.checkpoints, &options.model)?;
    let copied = args.input.as_deref().unwrap_or(Path::new(demonstration::DATA));
    let check = |path| Output::check(path, copied, common);
    let output = args.output.as_deref().map(check).transpose()?;
    let prepared = match &args.input {
        Some(path) => for_training(path, &args, common)?,
        None => demonstration::prepare(&options.data)?,
    };
    output.iter().try_for_each(|output| output.prepare(&prepared))?;
    let n_cells = prepared.counts.n_cells();
    let weight_decay = TrainPlan::default().adam.weight_decay;
    let mut plan = plan(&args.plan, common, n_cells, weight_decay)?;
    plan.shuffling = prepared.counts.shuffling(&args.shuffle);
    let config = with_data(config, &prepared)?;
    let data = prepared.dataset()?;
    let epochs = plan.epochs(n_cells);
    warn_of_short_warmup(&plan, epochs, common);
    kept.give_up_older()?;
    let input = InputMeta::new(n_cells, &prepared.var_names).without(prepared.dropped.clone());
    let spec = config.validate()?;
    let saved = kept.saved.take();
    let training = Training {
        begin: &|| Ok(Vae::new(Cpu::new(), spec.clone(), plan.seed)),
        data: &data,
        plan: &plan,
        prepared: &prepared,
        setup: RunSetup {
            program: program(),
            options: kept.options.clone(),
            registry: prepared.registry.clone(),
            input: input.clone(),
            mapping: None,
            epochs_before: 0,
        },
        kept: &kept,
        resume_command: resume_command(
            "train",
            &match args.input {
                Some(_) => Vec::new(),
                None => demonstration_words(&args, demonstration::DATA, demonstration::MODEL),
            },
        ),
        common,
    };
    let progress = Progress::new(epochs, common);
    let mut clock = Clock::start();
    let trained = training.run(saved, &mut |record| {
        clock.epoch();
        progress.epoch(record);
    });
    progress.finish();
    let mut trained = trained?;

    let meta = meta(&prepared, config, &trained, &plan, input);
    let demo = || args.input.is_none().then(|| Output::Copy(PathBuf::from(demonstration::DATA)));
    let latent = output.or_else(demo);
    let (prepared, data, kept) = (&prepared, &data, &kept);
    let outputs = RunOutputs { model: &model, latent, prepared, data, kept, common };
    let files = outputs.write(&mut trained, &meta)?;
    let mut report = report(&trained, &plan, prepared, &clock, files);
    report.add("next", next_step(&args, &model, prepared, &kept.options));
    report.print(common)
}

/// The program, as files name it.
pub(super) fn program() -> String {
    format!("scvi-rs {}", env!("CARGO_PKG_VERSION"))
}

fn config(args: &ModelArgs) -> Result<VaeConfig, CliError> {
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

/// Wrong values are told before a large file is read: as if it held one gene, batch and label.
fn check_early(config: &VaeConfig, args: &DataArgs) -> Result<(), CliError> {
    let config = VaeConfig {
        n_input: 1,
        n_batch: 1,
        n_labels: usize::from(args.labels_key.is_some()),
        library_log_means: Some(vec![0.0]),
        library_log_vars: Some(vec![1.0]),
        ..config.clone()
    };
    match config.validate() {
        Err(ConfigError::Needs { option: "dispersion", found, .. }) => {
            Err(CliError::NeedsLabels { dispersion: found })
        }
        other => Ok(other.map(drop)?),
    }
}

/// The sizes and priors that the data decides.
fn with_data(config: VaeConfig, prepared: &Prepared) -> Result<VaeConfig, CliError> {
    let config = prepared.registry.sized(config);
    let prior = (!config.use_observed_lib_size && !config.use_size_factor_key)
        .then(|| {
            LibraryPrior::of(prepared.counts.source(), &prepared.columns.batch, config.n_batch)
        })
        .transpose()
        .map_err(TrainError::from)?;
    let (means, vars) = prior.map_or((None, None), |p| (Some(p.log_means), Some(p.log_vars)));
    Ok(VaeConfig {
        n_input: prepared.counts.n_genes(),
        library_log_means: means,
        library_log_vars: vars,
        ..config
    })
}

pub(super) fn meta(
    prepared: &Prepared,
    config: VaeConfig,
    trained: &Trained,
    plan: &TrainPlan,
    input: InputMeta,
) -> ModelMeta {
    ModelMeta {
        format_version: FORMAT_VERSION,
        program: program(),
        model_class: "SCVI".to_owned(),
        config,
        scanvi: None,
        registry: prepared.registry.clone(),
        var_names: prepared.var_names.clone(),
        split: trained.split.clone(),
        training: TrainingMeta {
            n_cells: prepared.counts.n_cells(),
            epochs: trained.history.epochs.len(),
            stop: TrainingMeta::stop_word(trained.stop),
            batch_size: plan.batch_size,
            seed: plan.seed,
        },
        input: Some(input),
        gene_selection: prepared.gene_selection.clone(),
        scvi_tools: None,
        mapped_from: None,
        minified_data_type: None,
    }
}

/// Seconds of training and of each epoch.
struct Clock {
    start: Instant,
    last: Instant,
    epochs: Vec<f64>,
}

impl Clock {
    fn start() -> Self {
        let now = Instant::now();
        Self { start: now, last: now, epochs: Vec::new() }
    }

    fn epoch(&mut self) {
        self.epochs.push(self.last.elapsed().as_secs_f64());
        self.last = Instant::now();
    }

    fn total(&self) -> f64 {
        (self.last - self.start).as_secs_f64()
    }

    /// The median epoch, without the first where there are others: it pays for warming up.
    fn median_epoch(&self) -> f64 {
        let mut epochs = self.epochs[usize::from(self.epochs.len() > 1)..].to_vec();
        epochs.sort_by(f64::total_cmp);
        // A run may be resumed after its last epoch.
        epochs.get(epochs.len() / 2).copied().unwrap_or(0.0)
    }
}

fn report(
    trained: &Trained,
    plan: &TrainPlan,
    prepared: &Prepared,
    clock: &Clock,
    files: Vec<String>,
) -> Report {
    let epochs = &trained.history.epochs;
    let last = epochs.last();
    // Without the epochs that a run had before it was resumed.
    let resumed_at = epochs.len() - clock.epochs.len();
    let visited =
        (resumed_at..epochs.len()).map(|epoch| plan.cells_of_epoch(&trained.split, epoch));
    let visited = visited.sum::<usize>() as f64;
    let mut report = Report::default();
    report
        .add("cells", prepared.counts.n_cells())
        .dropped(&prepared.dropped)
        .add("genes", prepared.counts.n_genes())
        .add("batches", prepared.registry.batch.as_ref().map_or(1, |b| b.categories.len()))
        .add("epochs", epochs.len())
        .add("stop", TrainingMeta::stop_word(trained.stop))
        .add("seconds", clock.total())
        .add("seconds_per_epoch", clock.median_epoch())
        .add("cells_per_second", visited / clock.total())
        .add("elbo_train", last.map(|e| e.train.elbo))
        .add("elbo_validation", last.and_then(|e| e.validation.as_ref()).map(|v| v.elbo))
        .add("files", files);
    report
}
