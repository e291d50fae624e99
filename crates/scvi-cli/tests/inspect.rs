//! `scvi inspect`: what a file or a model is, for people and for programs.

mod common;

use common::matrices::{Matrices, Matrix};
use common::{Folder, categorical, counts, write};
use scvi_io::anndata::Column;
use scvi_io::model_dir::read_history;
use serde_json::{Value, json};

const CELLS: usize = 60;

/// A line of a table without the spaces that align it.
fn has_line(text: &str, words: &str) -> bool {
    text.lines().any(|line| line.split_whitespace().collect::<Vec<_>>().join(" ").contains(words))
}

#[track_caller]
fn shows(text: &str, lines: &[&str]) {
    for line in lines {
        assert!(has_line(text, line), "no line {line:?} in:\n{text}");
    }
}

#[test]
fn every_matrix_is_shown_with_what_reads_it() {
    let folder = Folder::new();
    let all = Matrix::of(&counts(CELLS, 12));
    let data = Matrices::new(all.log1p().with_genes(&[0, 5]))
        .layer("zeros", all.map(|_| 0.0).with_genes(&[0, 5]))
        .layer("raw", all.with_genes(&[0, 5]))
        .layer("my counts", all.with_genes(&[0, 5]))
        .layer("scaled", all.map(|count| count - 1.5).with_genes(&[0, 5]))
        .raw(all);
    for input in ["data.h5ad", "data.zarr"] {
        data.write(&folder.path(input));
        let text = folder.scvi(&["inspect", input]).ok();
        shows(
            &text,
            &[
                "cells 60",
                "X 60 cells x 2 genes float32 dense no counts: 0.6931472 in cell 'cell_0', gene 'gene_0'",
                "layers/my counts 60 cells x 2 genes float32 dense counts (all 120 values): --layer 'my counts'",
                "layers/raw 60 cells x 2 genes float32 dense counts (all 120 values): --layer layers/raw",
                "layers/scaled 60 cells x 2 genes float32 dense no counts: -0.5 in cell 'cell_0', gene 'gene_0'",
                "layers/zeros 60 cells x 2 genes float32 dense zeros (all 120 values)",
                "raw/X 60 cells x 12 genes float32 dense counts (all 720 values): --layer raw/X",
                "batch 2 categories a (30), b (30)",
            ],
        );
        let json = folder.scvi(&["inspect", input, "--json"]).json();
        let matrices = json["matrices"].as_array().unwrap();
        let of = |key: &str| -> Vec<&Value> { matrices.iter().map(|m| &m[key]).collect() };
        let holds = ["other", "counts", "counts", "other", "zeros", "counts"];
        assert_eq!(of("holds"), holds.map(|word| json!(word)).iter().collect::<Vec<_>>());
        assert_eq!(matrices[5]["genes"], 12);
        let first = &matrices[0]["first_that_is_no_count"];
        assert_eq!((&first["cell"], &first["gene"]), (&json!("cell_0"), &json!("gene_0")));
        // What it says reads a matrix does.
        for matrix in matrices.iter().filter(|matrix| matrix["holds"] == "counts") {
            let layer = ["--layer", matrix["layer"].as_str().unwrap()];
            let train = ["train", input, "--model", "m", "--max-epochs", "1", "--n-hidden", "4"];
            let more = ["--overwrite", "--quiet", "--drop-empty-cells"];
            folder.scvi(&[&train[..], &layer, &more].concat()).ok();
            let model = folder.scvi(&["inspect", "m", "--json"]).json();
            let place = matrix["place"].as_str().unwrap();
            assert_eq!(model["layer"], json!(place), "{place}");
        }
    }
}

/// A large matrix is looked at in places, and that is said.
#[test]
fn a_part_of_a_large_matrix_is_looked_at() {
    let folder = Folder::new();
    let (cells, genes) = (3000, 500);
    Matrices::new(Matrix::of(&counts(cells, genes))).write(&folder.path("data.h5ad"));
    let json = folder.scvi(&["inspect", "data.h5ad", "--json"]).json();
    let matrix = &json["matrices"][0];
    assert_eq!(matrix["values"], cells * genes);
    let seen = matrix["values_seen"].as_u64().unwrap();
    assert!((1 << 19..=1 << 20).contains(&seen), "{seen}");
    let text = folder.scvi(&["inspect", "data.h5ad"]).ok();
    shows(&text, &[&format!("counts ({seen} of 1500000 values)")]);
}

#[test]
fn categories_are_shown_with_their_cells() {
    let folder = Folder::new();
    let codes = |n: u32| (0..CELLS as u32).map(|cell| Some(cell % n)).collect::<Vec<_>>();
    let mut donors = codes(3);
    donors[4..9].fill(None);
    let plates: Vec<String> = (0..12).map(|plate| format!("p{plate}")).collect();
    let plates: Vec<&str> = plates.iter().map(String::as_str).collect();
    let barcodes = (0..CELLS).map(|cell| Some(format!("ACGT{cell}"))).collect();
    let obs = vec![
        ("donor".to_owned(), categorical(&donors, &["x", "y", "z", "unused"])),
        ("plate".to_owned(), categorical(&codes(12), &plates)),
        ("barcode".to_owned(), Column::Strings(barcodes)),
        ("healthy".to_owned(), Column::Bools((0..CELLS).map(|cell| Some(cell < 20)).collect())),
        ("age".to_owned(), Column::Integers(vec![Some(3); CELLS])),
        ("score".to_owned(), Column::Floats(vec![0.5; CELLS])),
    ];
    write(&folder.path("data.h5ad"), &counts(CELLS, 9), obs);
    let text = folder.scvi(&["inspect", "data.h5ad"]).ok();
    shows(
        &text,
        &[
            "donor 4 categories x (19), y (18), z (18), unused (0); without a value (5)",
            "plate 12 categories p0 (5), p1 (5), p2 (5), p3 (5), p4 (5), p5 (5), p6 (5), p7 (5), p8 (5), p9 (5), ... and 2 more",
            "barcode 60 different values of 60 cells",
            "healthy 2 categories False (40), True (20)",
            "other columns age, score",
            "obsm none",
        ],
    );
    let json = folder.scvi(&["inspect", "data.h5ad", "--json"]).json();
    let categories = json["categories"].as_array().unwrap();
    assert_eq!(categories[0]["categories"][3], json!({"name": "unused", "cells": 0}));
    assert_eq!(categories[0]["n_missing"], 5);
    assert_eq!(categories[1]["categories"].as_array().unwrap().len(), 12);
    assert_eq!(json["obs"].as_array().unwrap().len(), 6);
}

#[test]
fn a_model_shows_its_batches_elbo_and_what_is_not_the_default() {
    let folder = Folder::new();
    let codes: Vec<Option<u32>> = (0..CELLS as u32).map(|cell| Some(cell % 2)).collect();
    let obs = vec![("donor".to_owned(), categorical(&codes, &["anna", "ben"]))];
    write(&folder.path("data.h5ad"), &counts(CELLS, 9), obs);
    let train = |model: &str, more: &[&str]| {
        let args = ["train", "data.h5ad", "--model", model, "--max-epochs", "3", "--quiet"];
        folder.scvi(&[&args[..], more].concat()).ok();
    };
    let more = ["--batch-key", "donor", "--n-latent", "3", "--gene-likelihood", "nb"];
    train("m", &[&more[..], &["--check-val-every-n-epoch", "2"]].concat());
    train("plain", &[]);

    let json = folder.scvi(&["inspect", "m", "--json"]).json();
    let history = read_history(folder.path("m"), "").unwrap();
    let last = |name: &str| {
        let column = history.columns.iter().position(|column| column == name).unwrap();
        history.rows.iter().rev().map(|row| row[column]).find(|value| !value.is_nan()).unwrap()
    };
    for name in ["elbo_train", "elbo_validation"] {
        assert_eq!(json[name].as_f64().unwrap(), last(name), "{name}");
    }
    assert_eq!(json["options"], json!({"n_latent": 3, "gene_likelihood": "nb"}));
    assert_eq!(json["batch"], json!({"key": "donor", "categories": ["anna", "ben"]}));
    assert_eq!((&json["epochs"], &json["trained_on"]), (&json!(3), &json!(CELLS)));
    assert_eq!(json["config"]["n_hidden"], 128);

    let text = folder.scvi(&["inspect", "m"]).ok();
    // Six significant digits, four of them behind the point.
    let elbo = format!("elbo validation {:.4} per cell, lower is better", last("elbo_validation"));
    let lines = ["batch donor (2 categories): anna, ben", "trained on 60 cells", "epochs 3", &elbo];
    shows(&text, &lines);
    shows(&text, &["options gene_likelihood nb", "n_latent 3", "layer X"]);
    assert!(!text.contains("n_hidden"), "{text}");
    let text = folder.scvi(&["inspect", "plain"]).ok();
    shows(&text, &["options the defaults"]);
    assert!(!text.contains("elbo validation"), "{text}");
}
