//! Tasks on several inputs with an output for each.

mod common;

use std::fs;

use common::{Folder, counts, names};
use scvi_io::anndata::AnnDataFile;
use scvi_io::h5ad::{NewAnnData, write_h5ad};
use serde_json::{Value, json};

fn run(folder: &Folder, words: &str) -> common::Ran {
    folder.scvi(&words.split_whitespace().collect::<Vec<_>>())
}

fn read(folder: &Folder, name: &str) -> String {
    fs::read_to_string(folder.path(name)).unwrap()
}

/// Two samples in files, and a model `m` that was trained on both.
fn folder() -> Folder {
    let folder = Folder::new();
    for (name, n) in [("a", 30), ("b", 20)] {
        let counts = counts(n, 9);
        let mut data = NewAnnData::new(&counts, names("cell", n), names("gene", 9));
        data.obsm.push(("pca".into(), vec![0.5; n], 1));
        write_h5ad(folder.path(&format!("{name}.h5ad")), &data, false).unwrap();
    }
    let small = "--n-hidden 4 --n-latent 2 --max-epochs 1 --quiet";
    run(&folder, &format!("train a.h5ad b.h5ad --model m {small}")).ok();
    folder
}

#[test]
fn each_input_has_an_output_with_the_rows_that_it_has_in_one_of_all() {
    let folder = folder();
    run(&folder, "latent --model m a.h5ad b.h5ad --output all.csv").ok();
    let each = "latent --model m a.h5ad b.h5ad --output-dir each --output-format csv --json";
    let told = run(&folder, each).json();
    let samples = told["samples"].as_array().unwrap();
    let of = |key: &str| samples.iter().map(|sample| sample[key].clone()).collect::<Vec<Value>>();
    assert_eq!(of("sample"), ["a", "b"]);
    assert_eq!(of("cells"), [30, 20]);
    assert_eq!(of("files"), [json!(["each/a.csv"]), json!(["each/b.csv"])]);
    let all = read(&folder, "all.csv");
    for name in ["a", "b"] {
        let want = all.lines().filter(|line| line.contains(&format!("-{name},")));
        let want: Vec<String> = want.map(|line| line.replace(&format!("-{name},"), ",")).collect();
        let found = read(&folder, &format!("each/{name}.csv"));
        assert_eq!(found.lines().skip(1).collect::<Vec<_>>(), want, "{name}");
    }
    // A list of samples names them; its columns are obs, and a file is a copy of its input.
    fs::write(folder.path("list.csv"), "path,name,donor\na.h5ad,a,d1\nb.h5ad,b,d2\n").unwrap();
    let shown = run(&folder, "latent --model m @list.csv --output-dir each").ok();
    assert!(shown.contains("sample") && shown.contains("each/b.h5ad"), "{shown}");
    let file = AnnDataFile::open(folder.path("each/b.h5ad")).unwrap();
    assert_eq!((file.n_obs(), file.obsm_keys()), (20, &["X_scVI".to_owned()][..]));
    assert_eq!(file.obs_column("donor").unwrap().label(0).as_deref(), Some("d2"));
    run(&folder, "latent --model m a.h5ad b.h5ad --output-dir copies").ok();
    let file = AnnDataFile::open(folder.path("copies/a.h5ad")).unwrap();
    assert_eq!(file.obsm_keys(), ["X_scVI", "pca"]);
    for words in [
        "normalize --posterior-mean --output-format npy",
        "parameters --posterior-mean --output-format npz",
        "sample",
    ] {
        let (verb, more) = words.split_once(' ').unwrap_or((words, ""));
        run(&folder, &format!("{verb} --model m a.h5ad b.h5ad --output-dir {verb} {more}")).ok();
        assert_eq!(fs::read_dir(folder.path(verb)).unwrap().count(), 2, "{verb}");
    }
}

#[test]
fn batches_are_those_of_the_names_or_of_the_column() {
    let folder = folder();
    // Under another name the file is the other batch.
    let words = "latent --model m a.h5ad --output-format csv --output-dir";
    run(&folder, &format!("{words} one --batch-name a")).ok();
    run(&folder, &format!("{words} two --batch-name b")).ok();
    run(&folder, "latent --model m a.h5ad --batch-name b --output b.csv").ok();
    assert_eq!(read(&folder, "two/b.csv"), read(&folder, "b.csv"));
    run(&folder, "latent --model m a.h5ad --batch-name z --output-dir three")
        .fails_with(&["'z'", "'a', 'b'"]);
}

#[test]
fn outputs_that_cannot_be_are_refused_before_the_first() {
    let folder = folder();
    let latent = "latent --model m a.h5ad b.h5ad";
    run(&folder, &format!("{latent} --output-dir each")).ok();
    fs::remove_file(folder.path("each/a.h5ad")).unwrap();
    run(&folder, &format!("{latent} --output-dir each"))
        .fails_with(&["each/b.h5ad", "--overwrite"]);
    assert!(!folder.path("each/a.h5ad").exists());
    run(&folder, &format!("{latent} --output-dir each --overwrite")).ok();
    run(&folder, "latent --model m a.h5ad a.h5ad --output-dir x")
        .fails_with(&["both named 'a'", "--batch-name"]);
    run(&folder, "latent --model m a.h5ad --batch-name ../a --output-dir x")
        .fails_with(&["'../a'", "without slashes"]);
    run(&folder, &format!("{latent} --output-dir no/where")).fails_with(&["no/where"]);
    run(&folder, &format!("{latent} --output-dir y --output-format txt")).fails_with(&["a.txt"]);
    assert!(!folder.path("x").exists());
    for words in ["", "--output x.csv --output-dir x", "--output x.csv --output-format csv"] {
        assert_eq!(run(&folder, &format!("{latent} {words}")).code(), 2, "{words}");
    }
}
