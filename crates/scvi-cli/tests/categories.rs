//! Categories of columns: which are equal, which are refused, and what is said of them.

mod common;

use common::{Folder, Ran, categorical, counts, write};
use scvi_io::anndata::Column;
use scvi_io::load_model;

const GENES: usize = 9;

fn file(folder: &Folder, name: &str, column: Column) {
    let x = counts(column.len(), GENES);
    write(&folder.path(name), &x, vec![("batch".to_owned(), column)]);
}

fn scvi(folder: &Folder, line: &str, more: &[&str]) -> Ran {
    folder.scvi(&line.split(' ').chain(more.iter().copied()).collect::<Vec<_>>())
}

fn train(folder: &Folder, input: &str, model: &str, more: &[&str]) -> Ran {
    let line = format!(
        "train {input} --batch-key batch --model {model} --max-epochs 1 --n-hidden 4 --n-latent 2"
    );
    scvi(folder, &line, more)
}

fn latent(folder: &Folder, input: &str) -> Ran {
    scvi(folder, &format!("latent --model m {input} --output - --quiet"), &[])
}

fn repeated<T: Copy>(values: &[T], n: usize) -> Vec<Option<T>> {
    values.iter().cycle().take(n).copied().map(Some).collect()
}

fn texts(values: &[&str], n: usize) -> Column {
    Column::Strings(repeated(values, n).into_iter().map(|v| v.map(str::to_owned)).collect())
}

fn named(n: usize, cells: usize) -> Column {
    let names: Vec<String> = (0..n).map(|k| format!("b{k:02}")).collect();
    texts(&names.iter().map(String::as_str).collect::<Vec<_>>(), cells)
}

#[test]
fn numbers_of_any_type_are_taken_and_texts_refused() {
    let folder = Folder::new();
    file(&folder, "ints.h5ad", Column::Integers(repeated(&[0, 1, 2], 24)));
    file(&folder, "floats.h5ad", Column::Floats((0..24).map(|c| f64::from(c % 3)).collect()));
    file(&folder, "texts.h5ad", texts(&["0", "1", "2"], 24));
    file(&folder, "new.h5ad", Column::Integers(repeated(&[0, 7], 24)));
    train(&folder, "ints.h5ad", "m", &["--encode-covariates"]).ok();
    assert_eq!(latent(&folder, "floats.h5ad").ok(), latent(&folder, "ints.h5ad").ok());
    let parts = [
        "texts.h5ad: column 'batch' has categories that the model does not know: '0', '1', '2' \
         (text); it knows 0, 1, 2 (integer)",
        "hint: `python3 -c \"import anndata; adata = anndata.read_h5ad('texts.h5ad'); \
         adata.obs['batch'] = adata.obs['batch'].astype('int64'); \
         adata.write_h5ad('texts_converted.h5ad')\"",
    ];
    latent(&folder, "texts.h5ad").fails_with(&parts);
    let parts = [
        "has a category that the model does not know: 7 (integer)",
        "hint: `scvi map --reference m new.h5ad --model m_mapped` teaches the model new categories",
    ];
    latent(&folder, "new.h5ad").fails_with(&parts);
    // The hint can be typed.
    scvi(&folder, "map --reference m new.h5ad --model m_mapped --max-epochs 1", &[]).ok();
}

#[test]
fn a_query_may_bring_floats_to_integers_and_no_texts() {
    let folder = Folder::new();
    file(&folder, "ints.h5ad", Column::Integers(repeated(&[0, 1, 2], 24)));
    file(&folder, "halves.h5ad", Column::Floats((0..24).map(|c| f64::from(c % 3) / 2.0).collect()));
    file(&folder, "texts.h5ad", texts(&["0", "7"], 24));
    train(&folder, "ints.h5ad", "m", &[]).ok();
    scvi(&folder, "map --reference m halves.h5ad --model q --max-epochs 1", &[]).ok();
    let (_, meta) = load_model(folder.path("q")).unwrap();
    assert_eq!(meta.registry.batch.unwrap().categories, ["0.0", "1.0", "2.0", "0.5"]);
    let refused = scvi(&folder, "map --reference m texts.h5ad --model r --max-epochs 1", &[]);
    let new = "column 'batch' has new categories of another type: '0', '7' (text); the model knows \
               0, 1, 2 (integer)";
    refused.fails_with(&[new, ".astype('int64')"]);
}

#[test]
fn names_of_cells_are_no_batches() {
    let folder = Folder::new();
    file(&folder, "cells.h5ad", named(13, 24));
    let told = "column 'batch' has 13 categories for 24 cells, more than one for two cells: 'b00', \
                'b01', 'b02', 'b03', 'b04', 'b05', 'b06', 'b07', 'b08', 'b09', ... and 3 more";
    train(&folder, "cells.h5ad", "m", &[]).fails_with(&[told, "--allow-many-categories"]);
    let allowed = train(&folder, "cells.h5ad", "m", &["--allow-many-categories"]);
    allowed.ok();
    let rare = "warning: categories of 'batch' with fewer than 3 cells: b00, b01, b02, b03, b04, \
                b05, b06, b07, b08, b09, ... and 3 more\n";
    assert!(allowed.stderr().contains(rare), "{}", allowed.stderr());
    // A model of many batches takes few cells, and few batches of two cells are no names.
    file(&folder, "few.h5ad", named(1, 2));
    latent(&folder, "few.h5ad").ok();
    file(&folder, "pairs.h5ad", named(12, 24));
    train(&folder, "pairs.h5ad", "p", &[]).ok();
    file(&folder, "tiny.h5ad", named(6, 6));
    train(&folder, "tiny.h5ad", "t", &[]).ok();
}

#[test]
fn names_of_cells_are_no_new_batches() {
    let folder = Folder::new();
    file(&folder, "ref.h5ad", texts(&["a", "b"], 24));
    file(&folder, "cells.h5ad", named(20, 24));
    train(&folder, "ref.h5ad", "m", &[]).ok();
    let map = |more: &[&str]| {
        scvi(&folder, "map --reference m cells.h5ad --model q --max-epochs 1", more)
    };
    map(&[]).fails_with(&["has 20 new categories for 24 cells", "--allow-many-categories"]);
    map(&["--allow-many-categories"]).ok();
}

#[test]
fn two_categories_of_one_name_are_refused_wherever_they_are_read() {
    let folder = Folder::new();
    let codes: Vec<Option<u32>> = (0..24).map(|c| Some(c % 3)).collect();
    file(&folder, "twice.h5ad", categorical(&codes, &["a", "b", "a"]));
    file(&folder, "once.h5ad", categorical(&codes, &["a", "b", "c"]));
    let told = ["twice.h5ad: obs/batch has two categories named 'a'", "hint: anndata cannot"];
    train(&folder, "twice.h5ad", "m", &[]).fails_with(&told);
    assert!(!folder.path("m").exists());
    train(&folder, "once.h5ad", "m", &[]).ok();
    latent(&folder, "twice.h5ad").fails_with(&told);
    let x = counts(24, GENES);
    let columns = [("batch", ["a", "b", "c"]), ("group", ["x", "y", "x"])];
    let obs = columns.map(|(key, names)| (key.to_owned(), categorical(&codes, &names)));
    write(&folder.path("groups.h5ad"), &x, obs.to_vec());
    let de = scvi(&folder, "de --model m groups.h5ad --groupby group --output de.csv", &[]);
    de.fails_with(&["obs/group has two categories named 'x'"]);
}
