//! What holds for every task on a trained model.

mod common;

use std::fs;
use std::process::{Command, Stdio};

use common::saves::{columns, folder, save};
use scvi_io::anndata::AnnDataFile;

/// Each task with what it writes; one file or folder each.
const TASKS: [(&str, &[&str], &str); 12] = [
    ("latent", &["--return-dist"], "latent.csv"),
    ("latent", &["--no-give-mean"], "drawn.npy"),
    ("latent", &["--sample-key", "donor", "--num-cells-posterior", "5"], "abundance.h5ad"),
    ("evaluate", &["--n-mc-samples", "7", "--per-cell"], "cells.csv"),
    ("normalize", &["--n-samples", "3"], "normalized.npy"),
    ("normalize", &["--library-size", "latent"], "latent.h5ad"),
    ("parameters", &["--n-samples", "2"], "parameters.npz"),
    ("sample", &[], "sample.h5ad"),
    ("correlate", &[], "correlations.csv"),
    ("de", &["--groupby", "batch"], "vanilla.csv"),
    ("de", &["--groupby", "batch", "--mode", "change", "--batch-correction"], "change.csv"),
    ("minify", &[], "minified.h5ad"),
];

#[test]
fn threads_do_not_show_and_seeds_do() {
    let folder = folder();
    let path = save("covariates");
    let model = path.to_str().unwrap();
    let run = |verb: &str, more: &[&str], name: &str, threads: &str, seed: &str| {
        let fixed = [verb, "--model", model, "data.h5ad", "--threads", threads, "--seed", seed];
        let output = match verb {
            "evaluate" => vec![name],
            _ => vec!["--output", name],
        };
        folder.scvi(&[&fixed[..], &["--overwrite", "--quiet"], more, &output].concat()).ok();
        fs::read(folder.path(name)).unwrap()
    };
    for (verb, more, name) in TASKS {
        let one = run(verb, more, name, "1", "3");
        assert!(one == run(verb, more, name, "2", "3"), "{verb} {more:?}: threads show");
        assert!(one == run(verb, more, name, "1", "3"), "{verb} {more:?}: runs differ");
        // These two draw nothing.
        let is_fixed = name == "latent.csv" || verb == "minify";
        let other = run(verb, more, name, "1", "4");
        assert_eq!(one == other, is_fixed, "{verb} {more:?}: whether the seed shows");
    }
}

#[test]
fn every_report_says_how_long_the_task_took() {
    let folder = folder();
    let path = save("covariates");
    let model = path.to_str().unwrap();
    for (verb, more, name) in TASKS {
        let output = if verb == "evaluate" { vec![name] } else { vec!["--output", name] };
        let fixed = [verb, "--model", model, "data.h5ad", "--overwrite", "--json"];
        let report = folder.scvi(&[&fixed[..], more, &output].concat()).json();
        let seconds = report["seconds"].as_f64();
        assert!(seconds.is_some_and(|s| s > 0.0), "{verb} {more:?}: {report}");
    }
}

#[test]
fn a_missing_model_or_input_is_named_before_anything_is_written() {
    let folder = folder();
    let path = save("covariates");
    let model = path.to_str().unwrap();
    let before = folder.names();
    for (verb, more, name) in TASKS {
        let output = if verb == "evaluate" { vec![name] } else { vec!["--output", name] };
        let refused = |model: &str, input: &str, part: &str| {
            let fixed = [verb, "--model", model, input];
            folder.scvi(&[&fixed[..], more, &output].concat()).fails_with(&[part]);
        };
        refused("nowhere", "data.h5ad", "nowhere");
        refused(model, "nothing.h5ad", "nothing.h5ad");
        assert_eq!(folder.names(), before, "{verb}");
    }
}

#[test]
fn the_abundance_of_samples_stands_beside_the_representation() {
    let folder = folder();
    let path = save("covariates");
    let latent = ["latent", "--model", path.to_str().unwrap(), "data.h5ad", "--output"];
    let printed = folder.scvi(&[&latent[..], &["-", "--sample-key", "donor"]].concat()).ok();
    let table = columns(&printed);
    let of_samples: Vec<_> =
        table.iter().filter(|(name, _)| name.starts_with("da_log_prob_donor ")).collect();
    assert!(of_samples.len() > 1 && of_samples.len() < table.len());
    assert!(of_samples.iter().all(|(_, values)| values.iter().all(|v| v.is_finite())));
    folder.scvi(&[&latent[..], &["out.h5ad", "--sample-key", "donor"]].concat()).ok();
    let store = AnnDataFile::open(folder.path("out.h5ad")).unwrap();
    assert!(store.obsm_keys().iter().any(|key| key == "da_log_probs"));
    let refused = |more: &[&str], parts: &[&str]| {
        folder.scvi(&[&latent[..], &["x.csv"], more].concat()).fails_with(parts);
    };
    refused(&["--sample-key", "patient"], &["patient", "donor"]);
    refused(&["--sample-key", "donor", "--dof", "0"], &["dof", "above 0"]);
}

/// A reader that has seen enough, such as head, is no failure.
#[test]
fn a_closed_pipe_is_no_error() {
    let folder = folder();
    let path = save("covariates");
    for (verb, more) in [
        ("latent", &[][..]),
        ("normalize", &[][..]),
        ("correlate", &[][..]),
        ("de", &["--groupby", "batch"][..]),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scvi"));
        command.current_dir(folder.path("")).args([verb, "--model", path.to_str().unwrap()]);
        command.args(["data.h5ad", "--output", "-", "--quiet"]).args(more);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        assert!(ended.status.success(), "{verb}: {}", String::from_utf8_lossy(&ended.stderr));
    }
}
