//! Inputs that hold results already: what becomes of them in a copy.

mod common;

use std::fs;

use common::Folder;
use common::cells::Cells;
use scvi_io::anndata::{AnnDataFile, PosteriorKeys};

/// A folder with cells and two models of them.
fn folder() -> Folder {
    let folder = Folder::new();
    Cells::new(40, 12, 1).column("batch", &["a", "b"]).write(&folder.path("x.h5ad"));
    for (model, seed) in [("m", "0"), ("other", "1")] {
        let line = format!("train x.h5ad --model {model} --max-epochs 1 --quiet --seed {seed}");
        scvi(&folder, &format!("{line} --n-hidden 4 --n-latent 2"));
    }
    folder
}

/// Runs a command line, which has to succeed; gives what it told on stderr.
#[track_caller]
fn scvi(folder: &Folder, line: &str) -> String {
    let ran = folder.scvi(&line.split(' ').collect::<Vec<_>>());
    ran.ok();
    ran.stderr()
}

#[test]
fn a_copy_with_other_results_says_so() {
    let folder = folder();
    let tasks = [
        ("latent --model MODEL --return-dist", "obsm/X_scVI, obsm/X_latent_qzm, obsm/X_latent_qzv"),
        ("normalize --model MODEL", "layers/scvi_normalized"),
        ("parameters --model MODEL", "layers/scvi_mean, layers/scvi_dropout, var/scvi_dispersions"),
        ("train --model new --max-epochs 1 --n-hidden 4 --n-latent 2", "obsm/X_scVI"),
        ("map --reference MODEL --model new --max-epochs 1", "obsm/X_scVI"),
    ];
    for (task, parts) in tasks {
        let line = |input: &str, output: &str, model: &str| {
            let task = task.replace("MODEL", model);
            let (verb, options) = task.split_once(' ').unwrap();
            format!("{verb} {input} {options} --output {output} --overwrite")
        };
        let first = scvi(&folder, &line("x.h5ad", "a.h5ad", "m"));
        assert!(!first.contains("keeps its own"), "{first}");
        let before = fs::read(folder.path("a.h5ad")).unwrap();
        let told = scvi(&folder, &line("a.h5ad", "b.h5ad", "other"));
        let expected = format!("warning: b.h5ad has a new {parts}; a.h5ad keeps its own\n");
        assert!(told.contains(&expected), "{told}");
        assert_eq!(fs::read(folder.path("a.h5ad")).unwrap(), before);
        let quiet = format!("{} --quiet", line("a.h5ad", "b.h5ad", "other"));
        assert!(!scvi(&folder, &quiet).contains("keeps its own"));
    }
}

#[test]
fn results_are_replaced_in_place_only_when_asked_for() {
    let folder = folder();
    scvi(&folder, "latent --model m x.h5ad --output a.h5ad");
    let in_place = ["latent", "--model", "other", "a.h5ad", "--output", "a.h5ad"];
    folder.scvi(&in_place).fails_with(&["a.h5ad exists already", "--overwrite"]);
    let told = scvi(&folder, &format!("{} --overwrite", in_place.join(" ")));
    assert!(told.contains("warning: replaced in a.h5ad: obsm/X_scVI\n"), "{told}");
}

#[test]
fn parts_that_a_minified_copy_would_replace() {
    let folder = folder();
    let replaced = |file: &str| {
        AnnDataFile::open(folder.path(file))
            .unwrap()
            .replaced_when_minified(PosteriorKeys::Scvi)
            .unwrap()
    };
    assert!(replaced("x.h5ad").is_empty());
    scvi(&folder, "minify --model m x.h5ad --output a.h5ad --keep-counts");
    let parts = ["obsm/scvi_latent_qzm", "obsm/scvi_latent_qzv", "obs/observed_lib_size"];
    assert_eq!(replaced("a.h5ad"), parts);
}
