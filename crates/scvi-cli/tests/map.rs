//! `scvi map`: queries onto a reference.

mod common;

use common::cells::Cells;
use common::running::model_files;
use common::{Folder, Ran};
use scvi_io::anndata::{AnnDataFile, Column};
use scvi_io::load_model;
use serde_json::json;

const GENES: usize = 30;

/// The columns of all cells here.
fn cells(n: usize, seed: u64, batches: &[&str]) -> Cells {
    Cells::new(n, GENES, seed).column("batch", batches).column("donor", &["d1", "d2", "d3"])
}

/// A folder with a reference on `ref.h5ad`, made with these options.
fn folder(options: &str) -> Folder {
    let folder = Folder::new();
    cells(60, 1, &["a", "b"]).write(&folder.path("ref.h5ad"));
    let args = "train ref.h5ad --model ref --max-epochs 3 --n-hidden 8 --n-latent 3 --quiet \
                --batch-key batch --categorical-covariate-key donor";
    let args: Vec<&str> = args.split_whitespace().chain(options.split_whitespace()).collect();
    folder.scvi(&args).ok();
    folder
}

fn map(folder: &Folder, input: &str, model: &str, more: &[&str]) -> Ran {
    let args = ["map", "--reference", "ref", input, "--model", model, "--max-epochs", "2"];
    folder.scvi(&[&args[..], &["--json"], more].concat())
}

fn latent(folder: &Folder, model: &str, input: &str) -> String {
    folder.scvi(&["latent", "--model", model, input, "--output", "-"]).ok()
}

#[test]
fn a_query_gets_columns_and_the_reference_stays() {
    let folder = folder("--encode-covariates");
    let before = latent(&folder, "ref", "ref.h5ad");
    cells(40, 2, &["b", "c", "new"]).write(&folder.path("query.h5ad"));
    let ran = map(&folder, "query.h5ad", "mapped", &["--output", "out.h5ad"]);
    let report = ran.json();
    assert_eq!(report["new_categories"], json!({"batch": ["c", "new"]}));
    assert_eq!(
        report["trained"][0], "decoder.px_decoder.fc_layers.Layer 0.0.weight (columns 5 6)",
        "{report}"
    );
    assert_eq!((&report["genes_found"], &report["overlap"]), (&json!(GENES), &json!(1.0)));
    assert_eq!(report["files"], json!(["mapped", "out.h5ad"]));
    assert!(!ran.stderr().contains("cannot move"), "{}", ran.stderr());
    assert_eq!(latent(&folder, "mapped", "ref.h5ad"), before);

    let (_, meta) = load_model(folder.path("mapped")).unwrap();
    assert_eq!(meta.registry.batch.unwrap().categories, ["a", "b", "c", "new"]);
    let from = meta.mapped_from.unwrap();
    assert_eq!((from.n_cells, from.epochs), (60, 3));
    assert_eq!(from.new_categories["batch"], ["c", "new"]);
    // The output says what the model says.
    let out = AnnDataFile::open(folder.path("out.h5ad")).unwrap();
    assert!(out.obsm_keys().contains(&"X_scVI".to_owned()));
    folder.scvi(&["evaluate", "--model", "mapped", "query.h5ad", "--json"]).json();
    // A mapped model is a reference like any other.
    cells(30, 3, &["later"]).write(&folder.path("later.h5ad"));
    let args = "map --reference mapped later.h5ad --model again --max-epochs 1 --json";
    let again = folder.scvi(&args.split(' ').collect::<Vec<_>>()).json();
    assert_eq!(again["new_categories"], json!({"batch": ["later"]}));
    assert_eq!(latent(&folder, "again", "ref.h5ad"), before);
}

#[test]
fn the_table_is_in_words() {
    let folder = folder("--encode-covariates");
    let kept: Vec<usize> = (0..GENES).filter(|&gene| gene != 4).collect();
    let mut query = cells(40, 2, &["b", "c", "new"]).with_genes(&kept);
    query.genes[0] = "unheard-of".to_owned();
    query.write(&folder.path("query.h5ad"));
    let args = "map --reference ref query.h5ad --model m --max-epochs 1";
    let told = folder.scvi(&args.split(' ').collect::<Vec<_>>()).ok();
    let expected = [
        "cells           40",
        "genes found     28 of the reference's 30 (93.33 %)",
        "genes missing   2, taken as 0",
        "genes extra     1 that the reference does not have, left out",
        "new categories  2 of batch: c, new",
        "trained         decoder: 4 tensors, and new categories in 1 tensor",
        "                encoder: only new categories, in 1 tensor",
        "epochs          1",
    ];
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(lines[..expected.len()], expected, "{told}");
}

#[test]
fn what_training_cannot_do_is_said() {
    let folder = folder("");
    cells(40, 2, &["new"]).write(&folder.path("query.h5ad"));
    let warned = map(&folder, "query.h5ad", "m", &[]).stderr();
    assert!(warned.contains("cannot move the latent") && warned.contains("encode_covariates"));
    let free = map(&folder, "query.h5ad", "n", &["--no-freeze-expression"]);
    free.ok();
    assert!(!free.stderr().contains("cannot move the latent"), "{}", free.stderr());
    let known = map(&folder, "ref.h5ad", "k", &[]);
    known.ok();
    assert!(known.stderr().contains("no batch or category of the query is new"));
}

/// The query in another order, with a gene more and two genes less: as if the two were zero.
#[test]
fn genes_are_matched_by_name() {
    let folder = folder("--encode-covariates");
    let plain = || cells(40, 2, &["new"]);
    let kept: Vec<usize> = (0..GENES).filter(|g| ![4, 17].contains(g)).collect();
    let mut zeroed = plain();
    let place = |g: usize| kept.contains(&g).then_some(g as u32);
    let places: Vec<_> = (0..GENES).map(place).collect();
    zeroed.counts = zeroed.counts.place_genes(&places, GENES);
    zeroed.write(&folder.path("zeroed.h5ad"));

    let mut shuffled: Vec<usize> = kept.iter().map(|k| k * 11 % GENES).collect();
    shuffled.retain(|g| kept.contains(g));
    shuffled.extend([4 * 11 % GENES, 17 * 11 % GENES].iter().filter(|g| kept.contains(g)));
    let mut query = plain().with_genes(&shuffled);
    assert_eq!(query.genes.len(), GENES - 2);
    // A gene that nobody knows, and names in a column of their own.
    let places: Vec<_> = (1..=shuffled.len() as u32).map(Some).collect();
    query.counts = query.counts.place_genes(&places, GENES - 1);
    query.genes.insert(0, "unheard-of".to_owned());
    let symbols = query.genes.iter().cloned().map(Some).collect();
    query.var.push(("symbol".to_owned(), Column::Strings(symbols)));
    let ids = (0..query.genes.len()).map(|i| format!("ENSG{i}")).collect();
    let mut by_column = Cells { obs: query.obs.clone(), var: query.var.clone(), ..plain() };
    (by_column.counts, by_column.genes) = (query.counts.clone(), ids);
    query.write(&folder.path("query.h5ad"));
    by_column.write(&folder.path("ids.h5ad"));

    let report = map(&folder, "query.h5ad", "m", &["--output", "query.csv"]).json();
    assert_eq!((&report["genes_missing"], &report["genes_extra"]), (&json!(2), &json!(1)));
    map(&folder, "zeroed.h5ad", "z", &["--output", "zeroed.csv"]).ok();
    let symbols = ["--var-names-column", "symbol", "--output", "ids.csv"];
    map(&folder, "ids.h5ad", "i", &symbols).ok();
    let read = |name: &str| std::fs::read(folder.path(name)).unwrap();
    assert!(read("query.csv") == read("zeroed.csv"));
    assert!(read("ids.csv") == read("zeroed.csv"));
    let tensors = |model: &str| read(&format!("{model}/model.safetensors"));
    assert!(tensors("m") == tensors("z") && tensors("i") == tensors("z"));

    let none = map(&folder, "ids.h5ad", "x", &[]);
    none.fails_with(&["ids.h5ad has 0 of the reference's 30 genes", "--var-names-column"]);
    map(&folder, "ids.h5ad", "x", &["--var-names-column", "names"])
        .fails_with(&["no var column 'names'", "symbol"]);
    map(&folder, "query.h5ad", "x", &["--min-overlap", "0.95"]).fails_with(&[
        "28 of the reference's 30 genes (93.3 %)",
        "95.0 %",
        "--min-overlap",
    ]);
    map(&folder, "query.h5ad", "x", &["--min-overlap", "2"]).fails_with(&["min_overlap is 2"]);
    plain().with_genes(&(0..20).collect::<Vec<_>>()).write(&folder.path("few.h5ad"));
    let few = map(&folder, "few.h5ad", "few", &["--drop-empty-cells"]);
    few.ok();
    assert!(few.stderr().contains("66.7 % of the reference's genes"), "{}", few.stderr());
    let mut doubled = plain();
    doubled.genes[3] = "gene_9".to_owned();
    doubled.write(&folder.path("doubled.h5ad"));
    map(&folder, "doubled.h5ad", "x", &[]).fails_with(&["2 genes of the data are named 'gene_9'"]);
    assert!(!folder.path("x").exists());
}

#[test]
fn columns_that_are_missing_or_of_another_kind() {
    let folder = folder("");
    Cells::new(20, GENES, 2).column("batch", &["new"]).write(&folder.path("query.h5ad"));
    map(&folder, "query.h5ad", "m", &[]).fails_with(&["no obs column 'donor'", "batch"]);
    let gone = folder.scvi(&["map", "--reference", "none", "ref.h5ad", "--model", "m"]);
    gone.fails_with(&["none"]);
    std::fs::create_dir(folder.path("mine")).unwrap();
    std::fs::write(folder.path("mine/file"), "x").unwrap();
    map(&folder, "ref.h5ad", "mine", &[]).fails_with(&["mine"]);
    map(&folder, "ref.h5ad", "ref", &[]).fails_with(&["ref", "--overwrite"]);
}

#[test]
fn labels_may_be_missing_where_nothing_goes_by_them() {
    let with_labels = |labels: &[&str]| cells(60, 1, &["a", "b"]).column("type", labels);
    let folder = Folder::new();
    with_labels(&["B", "T"]).write(&folder.path("ref.h5ad"));
    let args = "train ref.h5ad --model ref --max-epochs 1 --n-hidden 8 --n-latent 3 --quiet \
                --batch-key batch --labels-key type";
    let args: Vec<&str> = args.split_whitespace().collect();
    folder.scvi(&args).ok();
    cells(20, 2, &["new"]).write(&folder.path("bare.h5ad"));
    with_labels(&["NK", "T"]).write(&folder.path("typed.h5ad"));
    assert_eq!(
        map(&folder, "bare.h5ad", "m", &[]).json()["new_categories"],
        json!({"batch": ["new"]})
    );
    let typed = map(&folder, "typed.h5ad", "n", &[]).json();
    assert_eq!(typed["new_categories"], json!({"type": ["NK"]}));

    let args = [&args[..], &["--dispersion", "gene-label", "--overwrite"]].concat();
    folder.scvi(&args).ok();
    map(&folder, "bare.h5ad", "o", &[]).fails_with(&["no obs column 'type'"]);
    let typed = map(&folder, "typed.h5ad", "p", &[]).json();
    let trained = typed["trained"].as_array().unwrap();
    assert!(trained.contains(&json!("px_r (columns 2)")), "{typed}");
}

#[test]
fn the_same_bits_for_any_number_of_threads_and_others_for_another_seed() {
    let folder = folder("--encode-covariates --dispersion gene-batch --no-use-observed-lib-size");
    cells(40, 2, &["c", "d"]).write(&folder.path("query.h5ad"));
    for (model, threads, seed) in [("one", "1", "0"), ("two", "2", "0"), ("other", "2", "1")] {
        map(&folder, "query.h5ad", model, &["--threads", threads, "--seed", seed]).ok();
    }
    let files = |model: &str| model_files(&folder.path(model));
    assert!(files("one") == files("two"));
    assert!(files("one") != files("other"));
}
