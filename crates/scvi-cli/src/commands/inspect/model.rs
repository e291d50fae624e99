//! What a model is: what it reads, how it was trained, and what of it is not the default.

use std::path::Path;

use scvi::data::CategoricalField;
use scvi::listed;
use scvi::module::ScanvaeConfig;
use scvi_io::model_dir::HistoryTable;
use scvi_io::{GeneSelectionMeta, ModelKind, SavedModel, model_kind, open_model};
use serde_json::{Map, Value, json};

use crate::args::Common;
use crate::error::CliError;
use crate::report::{Report, number};

/// Entries of the configuration that the data decide.
const OF_DATA: [&str; 8] = [
    "n_input",
    "n_batch",
    "n_labels",
    "n_cats_per_cov",
    "n_continuous_cov",
    "use_size_factor_key",
    "library_log_means",
    "library_log_vars",
];

/// What is shown of a model.
pub(super) fn report(path: &Path, common: &Common) -> Result<Report, CliError> {
    let kind = model_kind(path)?;
    let SavedModel { vae, meta, history, .. } = open_model(path)?;
    let field = |f: &CategoricalField| match common.json {
        true => json!({"key": f.key, "categories": f.categories}),
        false => {
            let (n, names) = (f.categories.len(), listed(&f.categories));
            json!(format!("{} ({n} categories): {names}", f.key))
        }
    };
    let optional = |f: &Option<CategoricalField>| f.as_ref().map_or(Value::Null, field);
    let covariates: Vec<Value> = meta.registry.categorical_covariates.iter().map(field).collect();
    let config = meta.module_config();
    let options = options(config.clone());
    let scanvi = meta.scanvi.as_ref().and_then(|own| own.config(&meta.config).validate().ok());
    let n_parameters = scanvi.map_or(vae.spec().n_parameters(), |spec| spec.n_parameters());
    let n_cells = meta.training.n_cells;
    let cells = if common.json { json!(n_cells) } else { json!(format!("{n_cells} cells")) };
    let elbo = |name| match last(&history, name) {
        // As training records it: with the other sign.
        Some(value) if !common.json => {
            json!(format!("{} per cell, lower is better", number(value)))
        }
        value => json!(value),
    };
    let dropped = meta.input.map_or(Vec::new(), |input| input.dropped_cells);
    let mut report = Report::default();
    report
        .add("kind", "model")
        .add("model_class", meta.model_class)
        .add("program", meta.program)
        .add("format", kind.name())
        .add("format_version", (kind == ModelKind::Native).then_some(meta.format_version))
        .add("genes", meta.config.n_input)
        .add("gene_selection", gene_selection(meta.gene_selection.as_ref(), common))
        .add("parameters", n_parameters as u64)
        .add("layer", meta.registry.layer.to_string())
        .add("batch", optional(&meta.registry.batch))
        .add("labels", optional(&meta.registry.labels))
        .add("unlabeled_category", meta.scanvi.as_ref().map(|own| own.unlabeled_category.clone()));
    match common.json {
        true => report.add("categorical_covariates", covariates),
        false => report.lines("categorical_covariates", texts(&covariates)),
    };
    report
        .add("continuous_covariates", meta.registry.continuous_covariates)
        .add("size_factor", meta.registry.size_factor)
        .add("trained_on", cells)
        .dropped(&dropped)
        .add("epochs", meta.training.epochs)
        .add("stop", meta.training.stop)
        .add("elbo_train", elbo("elbo_train"))
        .add("elbo_validation", elbo("elbo_validation"))
        .add("seed", meta.training.seed);
    if common.json {
        report.add("options", options).add("config", config).add("var_names", meta.var_names);
    } else {
        let lines = options.iter().map(|(name, value)| match value {
            Value::String(text) => format!("{name} {text}"),
            value => format!("{name} {value}"),
        });
        let lines: Vec<String> = lines.collect();
        let defaults = || vec!["the defaults".to_owned()];
        report.lines("options", if lines.is_empty() { defaults() } else { lines });
    }
    Ok(report)
}

/// How the genes were chosen.
fn gene_selection(meta: Option<&GeneSelectionMeta>, common: &Common) -> Value {
    let Some(meta) = meta else { return Value::Null };
    if common.json {
        return json!(meta);
    }
    let least = meta.min_cells.map(|n| format!("in at least {n} cells"));
    let flavor = meta.flavor.as_ref().map(|flavor| format!("most variable by {flavor}"));
    let criteria: Vec<String> = least.into_iter().chain(flavor).collect();
    json!(format!("of {} genes those {}", meta.n_genes, criteria.join(" and ")))
}

fn texts(values: &[Value]) -> Vec<String> {
    values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

/// The last value that training recorded of a quantity, which lower is better of.
fn last(history: &HistoryTable, name: &str) -> Option<f64> {
    let column = history.columns.iter().position(|column| column == name)?;
    history.rows.iter().rev().map(|row| row[column]).find(|value| !value.is_nan())
}

/// What differs from the default, under scvi-tools' names; of keyword arguments each by itself.
fn options(config: Value) -> Map<String, Value> {
    let entries = |config: Value| match config {
        Value::Object(entries) => entries,
        _ => Map::new(),
    };
    let defaults = serde_json::to_value(ScanvaeConfig::default()).unwrap_or(Value::Null);
    let (own, defaults) = (entries(config), entries(defaults));
    let mut differing = Map::new();
    for (name, value) in own.into_iter().filter(|(name, _)| !OF_DATA.contains(&name.as_str())) {
        match (value, &defaults[&name]) {
            (Value::Object(kwargs), Value::Object(defaults)) => {
                let own =
                    kwargs.into_iter().filter(|(key, value)| defaults.get(key) != Some(value));
                differing.extend(own.map(|(key, value)| (format!("{name}.{key}"), value)));
            }
            (value, default) if value != *default => _ = differing.insert(name, value),
            _ => {}
        }
    }
    differing
}

#[cfg(test)]
mod tests {
    use scvi::module::VaeConfig;

    use super::*;

    #[test]
    fn shows_options_that_differ_and_nothing_that_the_data_decide() {
        let options = |config: &VaeConfig| options(serde_json::to_value(config).unwrap());
        assert!(options(&VaeConfig::default()).is_empty());
        let mut config = VaeConfig { n_input: 7, n_batch: 3, n_latent: 4, ..VaeConfig::default() };
        config.library_log_means = Some(vec![1.0; 3]);
        config.batch_embedding_kwargs.embedding_dim = 2;
        let told = json!({"batch_embedding_kwargs.embedding_dim": 2, "n_latent": 4});
        assert_eq!(Value::Object(options(&config)), told);
    }

    #[test]
    fn the_last_value_is_that_of_the_last_epoch_which_had_one() {
        let columns = ["epoch", "elbo_train", "elbo_validation"].map(str::to_owned).to_vec();
        let rows = vec![vec![0.0, 9.0, 8.0], vec![1.0, 7.0, f64::NAN]];
        let history = HistoryTable { columns, rows };
        assert_eq!(last(&history, "elbo_train"), Some(7.0));
        assert_eq!(last(&history, "elbo_validation"), Some(8.0));
        assert_eq!(last(&history, "other"), None);
    }
}
