//! Training, and using what was trained, as a user would.

mod common;

use common::{Folder, categorical, counts, names, write};
use scvi_io::anndata::AnnDataFile;
use scvi_io::model_dir::read_history;

const SMALL: [&str; 6] = ["--n-hidden", "16", "--n-latent", "4", "--max-epochs", "3"];

fn small<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [args, &SMALL].concat()
}

/// A folder with `data.h5ad`: 150 cells, 60 genes, 2 batches.
fn simulated() -> Folder {
    let folder = Folder::new();
    let sizes = ["--n-cells", "150", "--n-genes", "60", "--density", "0.2", "--quiet"];
    folder.scvi(&[&["simulate", "--output", "data.h5ad"][..], &sizes].concat()).ok();
    folder
}

#[test]
fn train_writes_a_model_and_the_latent_representation() {
    let folder = simulated();
    let args = ["train", "data.h5ad", "--model", "m", "--output", "out.h5ad", "--json"];
    let json = folder.scvi(&small(&[&args[..], &["--batch-key", "batch"]].concat())).json();
    assert_eq!(
        (&json["cells"], &json["genes"], &json["epochs"]),
        (&150.into(), &60.into(), &3.into())
    );
    assert_eq!(json["files"], serde_json::json!(["m", "out.h5ad"]));
    assert!(json["elbo_train"].as_f64().unwrap().is_finite());
    assert_eq!(folder.names(), ["data.h5ad", "m", "out.h5ad"]);
    let out = AnnDataFile::open(folder.path("out.h5ad")).unwrap();
    assert_eq!(out.obsm_keys(), ["X_scVI"]);
    assert_eq!(out.obs_columns(), ["batch", "cell_type"]);
    let history = read_history(folder.path("m"), "").unwrap();
    assert_eq!(history.rows.len(), 3);
    assert!(history.columns.contains(&"elbo_train".to_owned()));

    let text = folder.scvi(&["inspect", "m"]).ok();
    assert!(text.contains("batch (2 categories)"), "{text}");
}

#[test]
fn the_same_seed_gives_the_same_bytes_for_any_number_of_threads() {
    let folder = simulated();
    for (threads, model) in [("1", "a"), ("2", "b"), ("3", "c")] {
        folder.scvi(&small(&["train", "data.h5ad", "--model", model, "--threads", threads])).ok();
    }
    folder.scvi(&small(&["train", "data.h5ad", "--model", "d", "--seed", "1"])).ok();
    let file = |model: &str, name: &str| std::fs::read(folder.path(model).join(name)).unwrap();
    for name in ["model.safetensors", "model.json", "history.csv"] {
        assert_eq!(file("a", name), file("b", name), "{name}");
        assert_eq!(file("a", name), file("c", name), "{name}");
    }
    assert_ne!(file("a", "model.safetensors"), file("d", "model.safetensors"));
}

#[test]
fn latent_of_the_saved_model_is_what_training_wrote() {
    let folder = simulated();
    folder.scvi(&small(&["train", "data.h5ad", "--model", "m", "--output", "a.csv"])).ok();
    folder.scvi(&["latent", "--model", "m", "data.h5ad", "--output", "b.csv"]).ok();
    let read = |name: &str| std::fs::read_to_string(folder.path(name)).unwrap();
    assert_eq!(read("a.csv"), read("b.csv"));
    assert_eq!(read("b.csv").lines().count(), 151);
    let stdout = folder.scvi(&["latent", "--model", "m", "data.h5ad", "--output", "-"]).ok();
    assert_eq!(stdout, read("b.csv"));

    let dist = ["latent", "--model", "m", "data.h5ad", "--return-dist"];
    folder.scvi(&[&dist[..], &["--output", "d.h5ad"]].concat()).ok();
    let keys = AnnDataFile::open(folder.path("d.h5ad")).unwrap().obsm_keys().to_vec();
    assert_eq!(keys, ["X_latent_qzm", "X_latent_qzv", "X_scVI"]);

    let draw = |seed: &str| {
        let args = ["latent", "--model", "m", "data.h5ad", "--no-give-mean", "--output", "-"];
        folder.scvi(&[&args[..], &["--seed", seed]].concat()).ok()
    };
    assert_eq!(draw("1"), draw("1"));
    assert_ne!(draw("1"), draw("2"));
}

#[test]
fn evaluate_reports_what_its_per_cell_table_averages_to() {
    let folder = simulated();
    folder.scvi(&small(&["train", "data.h5ad", "--model", "m"])).ok();
    let args = ["evaluate", "--model", "m", "data.h5ad", "--posterior-mean", "--json"];
    let json = folder.scvi(&[&args[..], &["--per-cell", "cells.csv"]].concat()).json();
    assert_eq!(json["n_cells"], 150);
    let number = |key: &str| json[key].as_f64().unwrap();
    let other = folder.scvi(&[&args[..], &["--batch-size", "7"]].concat()).json();
    assert!((other["elbo"].as_f64().unwrap() / number("elbo") - 1.0).abs() < 1e-6);
    assert!((number("elbo") + number("reconstruction_loss") + number("kl_local")).abs() < 1e-9);
    let table = std::fs::read_to_string(folder.path("cells.csv")).unwrap();
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("cell,elbo,reconstruction_loss,kl_local"));
    let elbos: Vec<f64> = lines.map(|l| l.split(',').nth(1).unwrap().parse().unwrap()).collect();
    let mean = elbos.iter().sum::<f64>() / elbos.len() as f64;
    assert!((mean - number("elbo")).abs() < 1e-6 * mean.abs());
}

#[test]
fn every_option_of_the_model_trains() {
    let folder = simulated();
    let options: [&[&str]; 7] = [
        &["--gene-likelihood", "nb", "--dispersion", "gene-batch"],
        &["--gene-likelihood", "poisson", "--n-layers", "2"],
        &["--n-layers", "3", "--no-deeply-inject-covariates", "--encode-covariates"],
        &["--no-log-variational", "--dropout-rate", "0", "--use-batch-norm", "none"],
        &["--early-stopping", "--early-stopping-patience", "1", "--labels-key", "cell_type"],
        &["--n-steps-kl-warmup", "5", "--check-val-every-n-epoch", "2", "--batch-size", "32"],
        &["--n-epochs-kl-warmup", "auto", "--train-size", "1", "--lr", "0.01"],
    ];
    for options in options {
        let args = ["train", "data.h5ad", "--model", "m", "--overwrite", "--json"];
        let args = [&args[..], &["--batch-key", "batch"], options].concat();
        let json = folder.scvi(&small(&args)).json();
        assert!(json["elbo_train"].as_f64().unwrap().is_finite(), "{options:?}");
        folder.scvi(&["evaluate", "--model", "m", "data.h5ad"]).ok();
    }
}

#[test]
fn any_number_of_cells_from_two_on_trains() {
    let folder = Folder::new();
    for cells in [2, 3, 4, 127, 128, 129, 130, 142, 143, 144] {
        write(&folder.path("x.h5ad"), &counts(cells, 20), vec![]);
        let args = ["train", "x.h5ad", "--model", "m", "--overwrite", "--json"];
        let json = folder.scvi(&small(&args)).json();
        assert!(json["elbo_train"].as_f64().unwrap().is_finite(), "{cells}");
    }
}

#[test]
fn genes_in_another_order_are_matched_by_name() {
    let folder = Folder::new();
    let x = counts(12, 9);
    write(&folder.path("x.h5ad"), &x, vec![]);
    let reversed: Vec<_> = (0..9).rev().map(Some).collect();
    let other = x.clone().place_genes(&reversed, x.n_genes());
    let mut data = scvi_io::h5ad::NewAnnData::new(&other, names("cell", 12), names("gene", 9));
    data.var_names.reverse();
    scvi_io::h5ad::write_h5ad(folder.path("y.h5ad"), &data, false).unwrap();
    folder.scvi(&small(&["train", "x.h5ad", "--model", "m"])).ok();
    let latent = |name| folder.scvi(&["latent", "--model", "m", name, "--output", "-"]);
    assert_eq!(latent("x.h5ad").ok(), latent("y.h5ad").ok());
    assert!(latent("y.h5ad").stderr().contains("matched by name"));
}

#[test]
fn empty_cells_can_be_dropped_and_keep_their_rows() {
    let folder = Folder::new();
    let x = counts(20, 9);
    let (mut indptr, mut indices, mut values) = (vec![0u64], vec![], vec![]);
    for c in 0..20 {
        if c != 4 {
            indices.extend_from_slice(x.row(c).0);
            values.extend_from_slice(x.row(c).1);
        }
        indptr.push(values.len() as u64);
    }
    let holes = scvi::data::CsrMatrix::new(9, indptr, indices, values).unwrap();
    let codes: Vec<Option<u32>> = (0..20).map(|c| Some(c % 2)).collect();
    let obs = vec![("batch".to_owned(), categorical(&codes, &["a", "b"]))];
    write(&folder.path("x.h5ad"), &holes, obs);
    let train = ["train", "x.h5ad", "--model", "m", "--output", "o.csv", "--batch-key", "batch"];
    folder.scvi(&small(&train)).fails_with(&["1 of 20 cells", "cell_4", "--drop-empty-cells"]);
    let dropping = [&train[..], &["--drop-empty-cells"]].concat();
    folder.scvi(&small(&dropping)).ok();
    let read = || std::fs::read_to_string(folder.path("o.csv")).unwrap();
    let left = read();
    assert_eq!(left.lines().count(), 20);
    assert!(!left.contains("cell_4,") && !left.contains("NaN"), "{left}");
    let keeping = ["--keep-dropped-cells", "--overwrite"];
    folder.scvi(&small(&[&dropping[..], &keeping].concat())).ok();
    let text = read();
    let nan: Vec<&str> = text.lines().filter(|l| l.contains("NaN")).collect();
    assert_eq!(text.lines().count(), 21);
    assert!(nan.len() == 1 && nan[0].starts_with("cell_4,"), "{nan:?}");
}

#[test]
fn help_names_every_verb_and_usage_errors_exit_with_2() {
    let folder = Folder::new();
    let help = folder.scvi(&["--help"]).ok();
    for verb in ["train", "latent", "evaluate", "simulate", "convert", "inspect"] {
        assert!(help.contains(verb));
    }
    for args in
        [&["--nonsense"][..], &["train", "x.h5ad"], &["latent"], &["train", "--n-latent", "x"]]
    {
        assert_eq!(folder.scvi(args).code(), 2, "{args:?}");
    }
}
