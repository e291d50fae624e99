//! `scvi de`.

use std::collections::BTreeSet;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use scvi::data::Registry;
use scvi::model::{
    Batches, Change, Comparison, Delta, DifferentialOptions, Hypotheses, Test, Values, Watch,
    Weights, differential_expression,
};
use scvi_io::output::{AtomicFile, check_output};
use scvi_io::table::MatrixFormat;
use scvi_io::{IoError, ModelMeta};
use serde_json::{Value, json};

use crate::args::{Common, DeArgs, DeMode, DeTestMode, WeightKind};
use crate::choices::batches;
use crate::error::CliError;
use crate::groups::{Compared, compared};
use crate::input::{cells_for, open_trained};
use crate::log::note;
use crate::report::{Report, is_closed_pipe};
use crate::watching::Tasks;

pub fn run(args: &DeArgs, common: &Common) -> Result<(), CliError> {
    let output = Output::check(&args.output, common)?;
    let source = &args.source;
    let mut model = open_trained(&source.model)?;
    let options = options(args, &model.meta, common)?;
    let prepared = cells_for(&mut model, source, common)?;
    let compared = compared(args, &prepared, common)?;
    let Compared { groups, contrasts, is_named } = &compared;
    let data = prepared.dataset()?;
    if options.all_stats && model.vae.require_counts("raw statistics").is_err() {
        note(common, "the data is minified without counts: there are no statistics of raw counts");
    }
    let task = |watch: &mut Watch| {
        differential_expression(&model.vae, &data, groups, contrasts, &options, watch)
    };
    let tasks = Tasks::new(common);
    let results = tasks.run("differential expression", task)?;
    if options.filter_outlier_cells {
        tell_unfiltered(&results, common);
    }
    let settings = settings(args, &options, &results, common);
    output.write(&results, &prepared.var_names, *is_named, &settings, common)?;
    let Output::File { path, settings: beside, .. } = &output else { return Ok(()) };
    let files: Vec<String> = [path, beside].map(|path| path.display().to_string()).to_vec();
    let mut report = Report::default();
    report
        .add("comparisons", results.len())
        .add("genes", prepared.var_names.len())
        .add("seconds", tasks.seconds())
        .add("files", files);
    if common.json {
        report.add("settings", settings);
    }
    report.print(common)
}

/// What the arguments mean for the task.
fn options(
    args: &DeArgs,
    meta: &ModelMeta,
    common: &Common,
) -> Result<DifferentialOptions, CliError> {
    let delta = match args.delta.as_str() {
        "estimate" => Delta::Estimated,
        text => Delta::Given(text.parse().map_err(|_| CliError::Option {
            option: "delta",
            found: format!("'{text}'"),
            range: "a number, or estimate",
        })?),
    };
    let change = Change {
        delta,
        pseudocount: args.pseudocounts,
        threshold_counts: args.threshold_counts,
        hypotheses: match args.test_mode {
            DeTestMode::Two => Hypotheses::Two,
            DeTestMode::Three => Hypotheses::Three,
        },
        cred_interval_lvls: args.cred_interval_lvls.clone(),
        fdr_target: args.fdr_target,
    };
    let batches = match args.batch_correction {
        false => Batches::Observed,
        true => Batches::Corrected([
            chosen(&args.batchid1, &meta.registry)?,
            chosen(&args.batchid2, &meta.registry)?,
        ]),
    };
    Ok(DifferentialOptions {
        test: match args.mode {
            DeMode::Vanilla => Test::Vanilla,
            DeMode::Change => Test::Change(change),
        },
        n_samples_overall: args.n_samples_overall,
        batches,
        m_permutation: args.use_permutation.then_some(args.m_permutation),
        weights: args.weights.weights(),
        filter_outlier_cells: args.filter_outlier_cells,
        all_stats: !args.no_all_stats,
        batch_size: args.source.batch_size,
        seed: common.seed,
    })
}

/// Numbers of the batches that are named; all of the model's where none is.
fn chosen(names: &[String], registry: &Registry) -> Result<Option<Vec<u32>>, CliError> {
    let codes = batches(names, registry)?;
    Ok((!codes.is_empty()).then_some(codes))
}

/// Says of which groups every cell is used although outliers were to be left out.
fn tell_unfiltered(results: &[Comparison], common: &Common) {
    let mut told = BTreeSet::new();
    for result in results {
        let rest = || format!("the rest of '{}'", result.group1);
        let second = result.group2.as_ref().map_or_else(rest, |name| format!("'{name}'"));
        for (side, group) in [format!("'{}'", result.group1), second].into_iter().enumerate() {
            if result.n_outliers[side].is_none() && told.insert(group.clone()) {
                note(
                    common,
                    &format!(
                        "all {} cells of {group} are used: their latent means have no covariance \
                         to tell outliers by; it takes at least n_latent + 2 cells that differ",
                        result.n_cells[side]
                    ),
                );
            }
        }
    }
}

/// What the table was made with.
fn settings(
    args: &DeArgs,
    options: &DifferentialOptions,
    results: &[Comparison],
    common: &Common,
) -> Value {
    let is_change = args.mode == DeMode::Change;
    let of_change = |value: Value| if is_change { value } else { Value::Null };
    let weights = &args.weights;
    let of_weights = |value: Value| match weights.kind {
        WeightKind::Importance => value,
        WeightKind::Uniform => Value::Null,
    };
    let comparison = |comparison: &Comparison| {
        json!({
            "group1": comparison.group1,
            "group2": comparison.group2,
            "n_cells1": comparison.n_cells[0],
            "n_cells2": comparison.n_cells[1],
            "n_outliers1": comparison.n_outliers[0],
            "n_outliers2": comparison.n_outliers[1],
            "pseudocounts": comparison.pseudocount,
            "delta": comparison.delta,
        })
    };
    json!({
        "scvi": env!("CARGO_PKG_VERSION"),
        "model": args.source.model.display().to_string(),
        "input": args.source.input.display().to_string(),
        "groupby": args.groupby,
        "idx1": args.idx1,
        "idx2": args.idx2,
        "mode": if is_change { "change" } else { "vanilla" },
        "delta": of_change(json!(args.delta)),
        "pseudocounts": of_change(json!(args.pseudocounts)),
        "threshold_counts": of_change(json!(args.threshold_counts)),
        "test_mode": of_change(json!(match args.test_mode {
            DeTestMode::Two => "two",
            DeTestMode::Three => "three",
        })),
        "cred_interval_lvls": of_change(json!(args.cred_interval_lvls)),
        "fdr_target": of_change(json!(args.fdr_target)),
        "n_samples_overall": options.n_samples_overall,
        "m_permutation": options.m_permutation,
        "batch_correction": args.batch_correction,
        "batchid1": args.batchid1,
        "batchid2": args.batchid2,
        "weights": if options.weights == Weights::Uniform { "uniform" } else { "importance" },
        "importance_max_cells": of_weights(json!(weights.importance_max_cells)),
        "importance_truncation": of_weights(json!(weights.importance_truncation)),
        "importance_n_mc_samples": of_weights(json!(weights.importance_n_mc_samples)),
        "filter_outlier_cells": options.filter_outlier_cells,
        "all_stats": options.all_stats,
        "seed": common.seed,
        "comparisons": results.iter().map(comparison).collect::<Vec<_>>(),
    })
}

/// Where the table goes.
enum Output {
    File { path: PathBuf, settings: PathBuf, delimiter: u8 },
    Stdout,
}

impl Output {
    fn check(path: &Path, common: &Common) -> Result<Self, CliError> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        let delimiter = match MatrixFormat::of(path) {
            Some(MatrixFormat::Csv) => b',',
            Some(MatrixFormat::Tsv) => b'\t',
            _ => {
                return Err(CliError::Option {
                    option: "output",
                    found: format!("'{}'", path.display()),
                    range: "a file ending in .csv or .tsv, or -",
                });
            }
        };
        let mut settings = path.as_os_str().to_owned();
        settings.push(".json");
        let settings = PathBuf::from(settings);
        check_output(path, common.overwrite)?;
        check_output(&settings, common.overwrite)?;
        Ok(Self::File { path: path.to_owned(), settings, delimiter })
    }

    fn write(
        &self,
        results: &[Comparison],
        genes: &[String],
        is_named: bool,
        settings: &Value,
        common: &Common,
    ) -> Result<(), CliError> {
        let Self::File { path, settings: beside, delimiter } = self else {
            let out = std::io::stdout().lock();
            return match table(out, b',', results, genes, is_named) {
                Err(e) if is_closed_pipe(&e) => Ok(()),
                other => other.map_err(|source| CliError::Stdout { source }),
            };
        };
        let fault = |path: &Path, e: std::io::Error| IoError::BadOutput {
            path: path.to_owned(),
            problem: e.to_string(),
        };
        let mut file = AtomicFile::create(path, common.overwrite)?;
        let mut text = AtomicFile::create(beside, common.overwrite)?;
        table(BufWriter::new(&mut file), *delimiter, results, genes, is_named)
            .map_err(|e| fault(path, e))?;
        writeln!(text, "{settings:#}").map_err(|e| fault(beside, e))?;
        text.finish()?;
        Ok(file.finish()?)
    }
}

/// A row a gene and comparison: the gene, scvi-tools' columns, and with named groups which they are.
fn table(
    out: impl Write,
    delimiter: u8,
    results: &[Comparison],
    genes: &[String],
    is_named: bool,
) -> std::io::Result<()> {
    let mut csv = csv::WriterBuilder::new().delimiter(delimiter).from_writer(out);
    let Some(first) = results.first() else { return csv.flush() };
    csv.write_field("gene")?;
    for column in &first.columns {
        csv.write_field(&column.name)?;
    }
    csv.write_record(if is_named { &["comparison", "group1", "group2"][..] } else { &[] })?;
    for result in results {
        let group2 = result.group2.as_deref().unwrap_or("Rest");
        let comparison = format!("{} vs {group2}", result.group1);
        let named = [comparison.as_str(), &result.group1, group2];
        for (row, &gene) in result.genes.iter().enumerate() {
            csv.write_field(&genes[gene as usize])?;
            for column in &result.columns {
                match &column.values {
                    Values::Numbers(values) => csv.write_field(format!("{:?}", values[row]))?,
                    Values::Flags(flags) => {
                        csv.write_field(if flags[row] { "True" } else { "False" })?;
                    }
                }
            }
            csv.write_record(if is_named { &named[..] } else { &[] })?;
        }
    }
    csv.flush()
}
