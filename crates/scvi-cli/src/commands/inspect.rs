//! `scvi inspect`.

use std::path::Path;

use scvi::data::CategoricalField;
use scvi_io::anndata::{AnnDataFile, is_store};
use scvi_io::{ModelKind, SavedModel, model_kind, open_model};
use serde_json::{Value, json};

use crate::args::{Common, InspectArgs};
use crate::error::CliError;
use crate::report::Report;

pub fn run(args: &InspectArgs, common: &Common) -> Result<(), CliError> {
    let path = &args.path;
    let is_model = (path.is_dir() && !is_store(path)) || model_kind(path).is_ok();
    let report = if is_model { model(path, common)? } else { data(path, common)? };
    report.print(common)
}

fn model(path: &Path, common: &Common) -> Result<Report, CliError> {
    let kind = model_kind(path)?;
    let SavedModel { vae, meta, .. } = open_model(path)?;
    let field = |f: &Option<CategoricalField>| match f {
        None => Value::Null,
        Some(f) if common.json => json!({"key": f.key, "categories": f.categories}),
        Some(f) => json!(format!("{} ({} categories)", f.key, f.categories.len())),
    };
    let covariates = meta.registry.categorical_covariates.into_iter();
    let covariates = covariates.map(|f| field(&Some(f))).collect::<Vec<_>>();
    let config = serde_json::to_value(&meta.config).unwrap_or(Value::Null);
    let mut report = Report::default();
    report
        .add("kind", "model")
        .add("model_class", meta.model_class)
        .add("program", meta.program)
        .add("format", kind.name())
        .add("format_version", (kind == ModelKind::Native).then_some(meta.format_version))
        .add("genes", meta.config.n_input)
        .add("parameters", vae.spec().n_parameters() as u64)
        .add("layer", meta.registry.layer.to_string())
        .add("batch", field(&meta.registry.batch))
        .add("labels", field(&meta.registry.labels))
        .add("categorical_covariates", covariates)
        .add("continuous_covariates", meta.registry.continuous_covariates)
        .add("size_factor", meta.registry.size_factor)
        .add("trained_on", meta.training.n_cells)
        .add("epochs", meta.training.epochs)
        .add("stop", meta.training.stop)
        .add("seed", meta.training.seed)
        .add("config", config);
    if common.json {
        report.add("var_names", meta.var_names);
    }
    Ok(report)
}

fn data(path: &Path, common: &Common) -> Result<Report, CliError> {
    let file = AnnDataFile::open(path)?;
    let mut report = Report::default();
    report
        .add("kind", file.kind())
        .add("cells", file.n_obs())
        .add("genes", file.n_vars())
        .add("obs", file.obs_columns().to_vec())
        .add("layers", file.layers().to_vec())
        .add("obsm", file.obsm_keys().to_vec());
    if common.json {
        report.add("var_names", file.var_names().to_vec());
    }
    Ok(report)
}
