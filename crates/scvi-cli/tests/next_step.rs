//! The end of `scvi train`: figures that can be compared, and a command that works if typed. And the
//! demonstration, which can be run again.

mod common;

use std::fs;

use common::cells::Cells;
use common::matrices::{Matrices, Matrix};
use common::{Folder, counts};

const OPTIONS: &str = "--max-epochs 1 --n-hidden 4 --n-latent 2 --quiet";

/// Trains on what is named, types the last line of what that says, and gives it.
#[track_caller]
fn next_of(folder: &Folder, words: &str) -> String {
    let told = folder.typed(&format!("scvi train {words} --model m --overwrite {OPTIONS}")).ok();
    let last = told.lines().last().expect("a table");
    let next = last.strip_prefix("next").expect(last).trim().to_owned();
    let before = folder.names();
    let copy = folder.copy();
    copy.typed(&next).ok();
    if next.contains("--output") {
        assert!(copy.names().len() > before.len(), "{next}");
    }
    next
}

#[test]
fn the_last_line_of_train_works_if_typed() {
    let folder = Folder::new();
    let cells = || Cells::new(60, 12, 1).column("batch", &["a", "b"]).column("kind", &["p", "q"]);
    cells().write(&folder.path("my cells.h5ad"));
    let mut sparse = cells();
    sparse.empty(&[3, 7]);
    sparse.write(&folder.path("empty.h5ad"));
    let all = Matrix::of(&counts(40, 12));
    Matrices::new(all.log1p()).layer("counts", all.clone()).write(&folder.path("layer.h5ad"));
    Matrices::new(all.clone()).write(&folder.path("store.zarr"));

    let data = "'my cells.h5ad'";
    assert_eq!(
        next_of(&folder, data),
        format!("scvi latent --model m {data} --output latent.h5ad")
    );
    assert_eq!(
        next_of(&folder, &format!("{data} --output out.h5ad")),
        format!("scvi evaluate --model m {data}")
    );
    assert_eq!(
        next_of(&folder, &format!("{data} --output out.h5ad --labels-key kind")),
        format!("scvi de --model m {data} --groupby kind --output de.csv")
    );
    assert_eq!(
        next_of(&folder, "empty.h5ad --drop-empty-cells"),
        "scvi latent --model m empty.h5ad --drop-empty-cells --output latent.h5ad"
    );
    assert_eq!(
        next_of(&folder, "store.zarr --batch-key batch --in-memory never"),
        "scvi latent --model m store.zarr --in-memory=never --output latent.zarr"
    );
    let joined = "layer.h5ad layer.h5ad --layer counts --batch-name one two";
    assert_eq!(
        next_of(&folder, joined),
        "scvi latent --model m layer.h5ad layer.h5ad --batch-name=one --batch-name=two \
         --layer=counts --output latent.h5ad"
    );
    // Nothing that is there is named.
    fs::write(folder.path("latent.h5ad"), "").unwrap();
    let next = next_of(&folder, data);
    assert_eq!(next, format!("scvi latent --model m {data} --output latent.1.h5ad"));
}

#[test]
fn tables_have_as_many_digits_as_models_are_compared_by() {
    let folder = Folder::new();
    Cells::new(60, 200, 1).write(&folder.path("x.h5ad"));
    let digits = |table: &str, key: &str| {
        let line = table.lines().find(|line| line.starts_with(key)).expect(table);
        line.split_whitespace().find_map(|word| {
            word.parse::<f64>().ok()?;
            let significant = word.trim_start_matches(['-', '0', '.']);
            Some(significant.bytes().filter(u8::is_ascii_digit).count())
        })
    };
    let table =
        folder.typed(&format!("scvi train x.h5ad --model m --check-val-every-n-epoch 1 {OPTIONS}"));
    let table = table.ok();
    assert_eq!(digits(&table, "elbo train"), Some(6), "{table}");
    assert_eq!(digits(&table, "elbo validation"), Some(6), "{table}");
    let table = folder.typed("scvi inspect m").ok();
    assert_eq!(digits(&table, "elbo train"), Some(6), "{table}");
    let table = folder.typed("scvi evaluate --model m x.h5ad --n-mc-samples 2").ok();
    for key in ["elbo", "reconstruction loss", "kl local", "marginal ll"] {
        assert_eq!(digits(&table, key), Some(6), "{table}");
    }
}

#[test]
fn the_demonstration_can_be_run_again_and_replaces_nothing_else() {
    let folder = Folder::new();
    let demonstration = "scvi train --max-epochs 1 --n-hidden 4 --n-latent 2";
    folder.typed(demonstration).ok();
    let model = || fs::read(folder.path("scvi_demo_model/model.safetensors")).unwrap();
    let first = model();
    let again = folder.typed(&format!("{demonstration} --seed 1"));
    let told = again.ok();
    assert!(again.stderr().contains("replacing scvi_demo.h5ad"), "{}", again.stderr());
    assert!(model() != first);
    assert_eq!(folder.names(), ["scvi_demo.h5ad", "scvi_demo_model", "scvi_demo_report.html"]);
    let next = told.lines().last().and_then(|line| line.strip_prefix("next")).expect(&told).trim();
    let de = "scvi de --model scvi_demo_model scvi_demo.h5ad --groupby cell_type --output de.csv";
    assert_eq!(next, de);
    folder.copy().typed(&format!("{next} --n-samples-overall 20")).ok();
    // A page that is not an earlier demonstration's stays.
    let page = folder.path("scvi_demo_report.html");
    let report = fs::read(&page).unwrap();
    fs::write(&page, "mine").unwrap();
    folder.typed(demonstration).fails_with(&["scvi_demo_report.html exists already"]);
    assert_eq!(fs::read(&page).unwrap(), b"mine");
    fs::write(&page, report).unwrap();
    // Another model of the same data.
    folder.typed(&format!("{demonstration} --model other")).ok();
    folder.typed(&format!("{demonstration} --model other")).fails_with(&["other exists already"]);

    // A model of other cells, and other cells, of these names.
    let before = model();
    Cells::new(30, 12, 1).write(&folder.path("x.h5ad"));
    let train = "scvi train x.h5ad --max-epochs 1 --model scvi_demo_model --overwrite";
    folder.typed(train).ok();
    assert!(model() != before);
    let kept = model();
    folder.typed(demonstration).fails_with(&["scvi_demo_model exists already"]);
    assert!(model() == kept);
    fs::copy(folder.path("x.h5ad"), folder.path("scvi_demo.h5ad")).unwrap();
    let refused = folder.typed(&format!("{demonstration} --model third"));
    refused.fails_with(&["scvi_demo.h5ad exists already"]);
    assert!(
        fs::read(folder.path("scvi_demo.h5ad")).unwrap()
            == fs::read(folder.path("x.h5ad")).unwrap()
    );
}
