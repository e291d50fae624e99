//! `scvi report` and `scvi umap`: what they write, and what they refuse.

mod common;

use std::fs;

use common::Folder;
use scvi_io::anndata::AnnDataFile;

/// A folder with simulated cells in `counts.h5ad` and a model in `m`.
fn trained() -> Folder {
    let folder = Folder::new();
    let simulate = ["simulate", "--output", "counts.h5ad", "--n-cells", "150", "--n-genes", "40"];
    folder.scvi(&[&simulate[..], &["--density", "0.3", "--quiet"]].concat()).ok();
    let train = ["train", "counts.h5ad", "--batch-key", "batch", "--model", "m", "--quiet"];
    folder.scvi(&[&train[..], &["--max-epochs", "6"]].concat()).ok();
    folder
}

const REPORT: [&str; 4] = ["report", "--model", "m", "counts.h5ad"];

#[test]
fn a_report_is_the_same_for_any_number_of_threads() {
    let folder = trained();
    let de = ["de", "--model", "m", "counts.h5ad", "--groupby", "cell_type", "--output", "de.csv"];
    folder.scvi(&de).ok();
    let more = ["--labels-key", "cell_type", "--color-by", "gene_3", "--de", "de.csv"];
    let mut pages = Vec::new();
    for threads in ["1", "2", "3"] {
        let output = format!("{threads}.html");
        let args = ["--threads", threads, "--output", &output, "--quiet"];
        folder.scvi(&[&REPORT[..], &more, &args].concat()).ok();
        pages.push(fs::read_to_string(folder.path(&output)).unwrap());
    }
    assert!(pages[0] == pages[1] && pages[0] == pages[2]);
    for id in ["latent", "training", "expression", "data", "provenance"] {
        assert!(pages[0].contains(&format!("<section id=\"{id}\"")), "{id}");
    }
    for label in ["cell_type", "batch", "gene_3 (log-normalized)", "ELBO (nats)"] {
        assert!(pages[0].contains(&format!("<option>{label}</option>")), "{label}");
    }
    let other = ["--seed", "1", "--output", "other.html", "--quiet"];
    folder.scvi(&[&REPORT[..], &more, &other].concat()).ok();
    assert_ne!(fs::read_to_string(folder.path("other.html")).unwrap(), pages[0]);
}

#[test]
fn every_chart_can_be_a_picture() {
    let folder = trained();
    for (format, begins) in [("svg", &b"<svg xmlns="[..]), ("png", b"\x89PNG\r\n\x1a\n")] {
        let args = ["--format", format, "--output", format, "--json"];
        let json = folder.scvi(&[&REPORT[..], &args].concat()).json();
        let files = json["files"].as_array().unwrap();
        assert!(files.len() >= 8, "{files:?}");
        for file in files {
            let bytes = fs::read(folder.path(file.as_str().unwrap())).unwrap();
            assert!(bytes.starts_with(begins), "{file}");
        }
        assert!(folder.path(format).join(format!("umap_1_batch.{format}")).is_file());
    }
}

#[test]
fn what_is_asked_for_has_to_be_there() {
    let folder = trained();
    let with = |more: &[&str]| folder.scvi(&[&REPORT[..], more].concat());
    let page = ["--output", "r.html"];
    with(&[&page[..], &["--color-by", "nothing"]].concat()).fails_with(&[
        "counts.h5ad",
        "'nothing'",
        "cell_type",
    ]);
    with(&[&page[..], &["--labels-key", "nothing"]].concat()).fails_with(&["nothing"]);
    with(&["--output", "r.txt"]).fails_with(&["'r.txt'", ".html"]);
    fs::write(folder.path("no.csv"), "gene,other\na,1\n").unwrap();
    with(&[&page[..], &["--de", "no.csv"]].concat()).fails_with(&["no.csv", "lfc_mean"]);
    fs::write(folder.path("no.csv"), "gene,lfc_mean,bayes_factor\na,1,x\n").unwrap();
    with(&[&page[..], &["--de", "no.csv"]].concat()).fails_with(&["no.csv", "line 2", "'x'"]);
    fs::write(folder.path("r.html"), "mine").unwrap();
    with(&page).fails_with(&["r.html", "exists"]);
    assert_eq!(fs::read_to_string(folder.path("r.html")).unwrap(), "mine");
}

#[test]
fn umap_writes_coordinates_of_every_cell() {
    let folder = trained();
    let umap = ["umap", "--model", "m", "counts.h5ad", "--quiet", "--output"];
    for (threads, output) in [("1", "one.csv"), ("3", "three.csv"), ("2", "u.h5ad")] {
        folder.scvi(&[&umap[..], &[output, "--threads", threads]].concat()).ok();
    }
    let table = fs::read_to_string(folder.path("one.csv")).unwrap();
    assert_eq!(table, fs::read_to_string(folder.path("three.csv")).unwrap());
    assert_eq!(table.lines().count(), 151);
    assert!(table.starts_with("cell,X_umap_0,X_umap_1\n"));
    let file = AnnDataFile::open(folder.path("u.h5ad")).unwrap();
    assert!(file.obsm_keys().contains(&"X_umap".to_owned()));
}
