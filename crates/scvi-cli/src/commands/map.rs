//! `scvi map`.

use std::path::Path;
use std::time::Instant;

use scvi::data::LibraryPrior;
use scvi::model::query::{Freeze, grown_config, load_query_data, moves_latent, trained_tensors};
use scvi::module::{Inference, VaeConfig, VaeSpec};
use scvi::nn::Slot;
use scvi::train::TrainError;
use scvi_io::checkpoint::{MappingSetup, RunSetup};
use scvi_io::{InputMeta, MappedFrom, ModelMeta, SavedModel, SavedModule};

use super::latent::Output;
use super::mapping_report::report;
use super::outputs::RunOutputs;
use super::plan::{plan, warn_of_short_warmup};
use super::train::{meta, program};
use crate::args::{Common, FreezeArgs, MapArgs};
use crate::checkpoints::Kept;
use crate::error::CliError;
use crate::input::{Prepared, Query, for_query, open_trained};
use crate::log::note;
use crate::options::resume_command;
use crate::progress::Progress;
use crate::training::Training;

pub fn run(mut args: MapArgs, common: &Common) -> Result<(), CliError> {
    let outputs: Vec<&Path> = args.output.as_deref().into_iter().collect();
    let kept = Kept::open(&args.model, &outputs, &mut args.checkpoints, common)?;
    let output = args.output.as_deref().map(|path| Output::check(path, &args.input, common));
    let output = output.transpose()?;
    let reference = open_trained(&args.reference)?;
    if args.freeze.no_freeze_classifier && reference.meta.scanvi.is_none() {
        let model = args.reference.display().to_string();
        return Err(CliError::NoClassifier { model, class: reference.meta.model_class });
    }
    match reference.scanvae() {
        None => map(reference.vae, reference.meta, kept, output, &args, common),
        Some(module) => map(module, reference.meta, kept, output, &args, common),
    }
}

/// Maps the query onto a module.
fn map<M: SavedModule>(
    reference: M,
    known: ModelMeta,
    mut kept: Kept,
    output: Option<Output>,
    args: &MapArgs,
    common: &Common,
) -> Result<(), CliError> {
    let query = for_query(&args.input, &known, args, common)?;
    let freeze = freeze(&args.freeze);
    let config = grown(&known, &query.prepared)?;
    let spec = config.validate()?;
    let vae = Inference::vae(&reference).spec();
    warn_of_idle_training(vae, &spec, &freeze, &query, common)?;
    let trained_tensors = trained_tensors(&reference, &spec, &freeze)?;

    let prepared = &query.prepared;
    output.iter().try_for_each(|output| output.prepare(prepared))?;
    let n_cells = prepared.counts.n_cells();
    let mut plan = plan(&args.plan, common, n_cells, 0.0)?;
    plan.shuffling = prepared.counts.shuffling(&args.shuffle);
    warn_of_short_warmup(&plan, plan.epochs(n_cells), common);
    let data = prepared.dataset()?;
    kept.give_up_older()?;
    let saved = kept.saved.take();
    let input = InputMeta::new(n_cells, &prepared.var_names).without(prepared.dropped.clone());
    let setup = RunSetup {
        program: program(),
        options: kept.options.clone(),
        registry: prepared.registry.clone(),
        input: input.clone(),
        mapping: Some(MappingSetup::new(&reference.state(Slot::Value), freeze)),
        epochs_before: 0,
        began_with: None,
    };
    let training = Training {
        begin: &|| Ok(load_query_data(&reference, &spec, &freeze, common.seed)?),
        data: &data,
        plan: &plan,
        prepared,
        setup,
        kept: &kept,
        resume_command: resume_command("map", &[]),
        common,
    };
    let progress = Progress::new(plan.epochs(n_cells), common);
    let start = Instant::now();
    let trained = training.run(saved, &mut |record| progress.epoch(record));
    progress.finish();
    let (trained, seconds) = (trained?, start.elapsed().as_secs_f64());

    let described = (config, known.scanvi.clone());
    let meta = ModelMeta {
        mapped_from: Some(mapped_from(&known, &query, freeze)),
        model_class: known.model_class,
        gene_selection: known.gene_selection,
        ..meta(prepared, described, &trained, &plan, input)
    };
    let saved = SavedModel::trained(trained.module, meta, &trained.history);
    let (model, data, kept) = (&*args.model, &data, &kept);
    let outputs = RunOutputs { model, latent: output, page: None, prepared, data, kept, common };
    let files = outputs.write(&saved)?;
    let mut report = report(&query, &trained.history, trained_tensors);
    report.add("seconds", seconds).add("files", files);
    report.print(common)
}

fn freeze(args: &FreezeArgs) -> Freeze {
    Freeze {
        unfrozen: args.unfrozen,
        freeze_dropout: args.freeze_dropout,
        freeze_expression: !args.no_freeze_expression,
        freeze_decoder_first_layer: !args.no_freeze_decoder_first_layer,
        freeze_batchnorm_encoder: !args.no_freeze_batchnorm_encoder,
        freeze_batchnorm_decoder: args.freeze_batchnorm_decoder,
        freeze_classifier: !args.no_freeze_classifier,
        freeze_reference_categories: !args.no_freeze_reference_categories,
    }
}

/// The configuration that the query makes of the reference's.
fn grown(known: &ModelMeta, prepared: &Prepared) -> Result<VaeConfig, CliError> {
    let reference = &known.config;
    let n_batch = prepared.registry.sized(reference.clone()).n_batch;
    let prior = reference
        .library_log_means
        .is_some()
        .then(|| LibraryPrior::of(prepared.counts.source(), &prepared.columns.batch, n_batch))
        .transpose()
        .map_err(TrainError::from)?;
    let mut registry = prepared.registry.clone();
    if known.scanvi.is_some() {
        registry.labels = None;
    }
    Ok(grown_config(reference, &registry, prior.as_ref())?)
}

/// Says so where training cannot do what one may expect of it.
fn warn_of_idle_training(
    reference: &VaeSpec,
    grown: &VaeSpec,
    freeze: &Freeze,
    query: &Query,
    common: &Common,
) -> Result<(), CliError> {
    if query.new_categories.is_empty() {
        note(common, "no batch or category of the query is new to the reference");
    }
    if !moves_latent(reference, grown, freeze)? {
        let why = match reference.config().encode_covariates {
            true => "no category is new",
            false => "it was trained without encode_covariates, so its encoder sees no batch",
        };
        note(
            common,
            &format!(
                "training cannot move the latent representation: {why}; the query is placed where \
                 the reference's encoder puts it, and what is learned is how its cells are decoded"
            ),
        );
    }
    Ok(())
}

fn mapped_from(reference: &ModelMeta, query: &Query, freeze: Freeze) -> MappedFrom {
    MappedFrom {
        program: reference.program.clone(),
        n_cells: reference.training.n_cells,
        epochs: reference.training.epochs,
        new_categories: query.new_categories.iter().cloned().collect(),
        freeze,
    }
}
