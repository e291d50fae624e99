//! `scvi train`.

mod config;
mod report;

use std::path::{Path, PathBuf};

use scvi::Cpu;
use scvi::data::Dataset;
use scvi::module::{Scanvae, Vae, VaeConfig};
use scvi::train::{TrainError, TrainPlan, Trained, default_max_epochs_pretrained};
use scvi_io::checkpoint::{RunSetup, sha256_of_tensors};
use scvi_io::{
    FORMAT_VERSION, InputMeta, ModelMeta, SavedModel, SavedModule, ScanviMeta, TrainingMeta,
};

use super::demonstration;
use super::latent::Output;
use super::next_step::next_step;
use super::outputs::RunOutputs;
use super::plan::{plan, warn_of_short_warmup};
use super::report::RunReport;
use crate::args::{Common, TrainArgs};
use crate::checkpoints::Kept;
use crate::error::CliError;
use crate::input::{Prepared, for_training};
use crate::log::note;
use crate::options::{demonstration_words, resume_command};
use crate::progress::Progress;
use crate::training::Training;
use config::{Beginning, of_labels, with_data};
use report::{Clock, report};

pub fn run(mut args: TrainArgs, common: &Common) -> Result<(), CliError> {
    let Beginning { config, scvi } = Beginning::new(&mut args)?;
    let model = args.model.clone().unwrap_or_else(|| PathBuf::from(demonstration::MODEL));
    let demo = args.input.is_none().then_some(Path::new(demonstration::DATA));
    let (output, page) = (args.output.clone(), RunReport::path_of(&args));
    let outputs = [output.as_deref(), demo, page.as_deref()];
    let outputs: Vec<&Path> = outputs.into_iter().flatten().collect();
    let options = demonstration::OutputOptions::of(&args, common);
    let kept = Kept::open(&model, &outputs, &mut args.checkpoints, &options.model)?;
    let copied = args.input.as_deref().unwrap_or(Path::new(demonstration::DATA));
    let check = |path| Output::check(path, copied, common);
    let output = args.output.as_deref().map(check).transpose()?;
    let page = RunReport::check(&args, common)?;
    let prepared = match &args.input {
        Some(path) => for_training(path, &args, scvi.as_ref().map(|scvi| &scvi.meta), common)?,
        None => demonstration::prepare(&options.data)?,
    };
    output.iter().try_for_each(|output| output.prepare(&prepared))?;
    let classifies = classifies(&args, &prepared, common);
    let plan = plan_of(&mut args, classifies, &prepared, common)?;
    let data = prepared.dataset()?;
    warn_of_short_warmup(&plan, plan.epochs(data.n_cells()), common);
    let began_with = scvi.as_ref().map(|scvi| sha256_of_tensors(&scvi.vae.state_dict()));
    let config = with_data(config, &prepared)?;
    let (data, plan, prepared) = (&data, &plan, &prepared);
    let job =
        Job { args: &args, model, output, page, plan, data, prepared, kept, began_with, common };
    let scvi = scvi.as_ref().map(|scvi| &scvi.vae);
    if !classifies {
        let spec = config.validate()?;
        return job.run(&|| {
            let mut vae = Vae::new(Cpu::new(), spec.clone(), plan.seed);
            if let Some(scvi) = scvi {
                vae.load_state_dict(scvi.state_dict())?;
            }
            Ok(vae)
        });
    }
    let config = prepared.registry.sized_for_labels(of_labels(&args.labels, config));
    let spec = config.validate()?;
    job.run(&|| match scvi {
        None => Ok(Scanvae::new(Cpu::new(), spec.clone(), plan.seed)),
        Some(scvi) => Ok(Scanvae::from_scvi_model(scvi, spec.clone(), plan.seed)?),
    })
}

/// How to train; a model that begins with weights of an SCVI needs few epochs.
fn plan_of(
    args: &mut TrainArgs,
    classifies: bool,
    prepared: &Prepared,
    common: &Common,
) -> Result<TrainPlan, CliError> {
    let n_cells = prepared.counts.n_cells();
    if args.labels.scvi_model.is_some() {
        args.plan.max_epochs.get_or_insert(default_max_epochs_pretrained(n_cells));
    }
    let samples = args.labels.n_samples_per_label.map(|n| n as usize);
    let plan = plan(&args.plan, common, n_cells, TrainPlan::default().adam.weight_decay)?;
    let plan = TrainPlan {
        shuffling: prepared.counts.shuffling(&args.shuffle),
        classification_ratio: args.labels.classification_ratio,
        n_samples_per_label: samples.filter(|_| classifies),
        ..plan
    };
    plan.validate().map_err(TrainError::from)?;
    Ok(plan)
}

/// Whether there are labels to be learned.
fn classifies(args: &TrainArgs, prepared: &Prepared, common: &Common) -> bool {
    let Some(unlabeled) = &args.labels.unlabeled_category else { return false };
    let Prepared { registry, columns, .. } = prepared;
    let n_labels = registry.labels.as_ref().map_or(0, |labels| labels.categories.len() - 1);
    if columns.labels.iter().any(|&label| (label as usize) < n_labels) {
        return true;
    }
    let what = match n_labels {
        0 => "there is nothing to classify, and the model that is trained is an SCVI",
        _ => "the classifier learns nothing, and what it predicts means nothing",
    };
    note(common, &format!("no cell has another label than '{unlabeled}': {what}"));
    n_labels > 0
}

/// A run on data that were read.
struct Job<'a> {
    args: &'a TrainArgs,
    model: PathBuf,
    output: Option<Output>,
    page: Option<RunReport>,
    plan: &'a TrainPlan,
    data: &'a Dataset<'a>,
    prepared: &'a Prepared,
    kept: Kept,
    /// SHA-256 of the model that it begins with.
    began_with: Option<String>,
    common: &'a Common,
}

impl Job<'_> {
    /// Trains the module that `begin` makes, the same each time, and writes everything.
    fn run<M: SavedModule>(self, begin: &dyn Fn() -> Result<M, CliError>) -> Result<(), CliError> {
        let Self { args, model, output, page, plan, data, prepared, mut kept, began_with, common } =
            self;
        kept.give_up_older()?;
        let input = InputMeta::new(data.n_cells(), &prepared.var_names);
        let input = input.without(prepared.dropped.clone());
        let saved = kept.saved.take();
        let demonstration = match args.input {
            Some(_) => Vec::new(),
            None => demonstration_words(args, demonstration::DATA, demonstration::MODEL),
        };
        let setup = RunSetup {
            program: program(),
            options: kept.options.clone(),
            registry: prepared.registry.clone(),
            input: input.clone(),
            mapping: None,
            epochs_before: 0,
            began_with,
        };
        let resume_command = resume_command("train", &demonstration);
        let kept = &kept;
        let training =
            Training { begin, data, plan, prepared, setup, kept, resume_command, common };
        let progress = Progress::new(plan.epochs(data.n_cells()), common);
        let mut clock = Clock::start();
        let trained = training.run(saved, &mut |record| {
            clock.epoch();
            progress.epoch(record);
        });
        progress.finish();
        let trained = trained?;

        let described = M::described(trained.module.config().clone(), &prepared.registry);
        let meta = meta(prepared, described, &trained, plan, input);
        let saved = SavedModel::trained(trained.module, meta, &trained.history);
        let demo = || {
            let data = PathBuf::from(demonstration::DATA);
            args.input.is_none().then_some(Output::Copy(data))
        };
        let latent = output.or_else(demo);
        let outputs = RunOutputs { model: &model, latent, page, prepared, data, kept, common };
        let files = outputs.write(&saved)?;
        let mut report = report(&saved.meta, &trained.history, plan, prepared, &clock, files);
        let classifies = saved.meta.scanvi.is_some();
        report.add("next", next_step(args, &model, prepared, &kept.options, classifies));
        report.print(common)
    }
}

/// The program, as files name it.
pub(super) fn program() -> String {
    format!("scvi-rs {}", env!("CARGO_PKG_VERSION"))
}

/// What a model folder says of a model that was just trained.
pub(super) fn meta<M: SavedModule>(
    prepared: &Prepared,
    (config, scanvi): (VaeConfig, Option<ScanviMeta>),
    trained: &Trained<M>,
    plan: &TrainPlan,
    input: InputMeta,
) -> ModelMeta {
    let meta = ModelMeta {
        format_version: FORMAT_VERSION,
        program: program(),
        model_class: String::new(),
        config,
        scanvi,
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
    };
    meta.of_class()
}
