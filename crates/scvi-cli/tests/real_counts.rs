//! Real counts, where they are at hand: `SCVI_TEST_DATA`, or `../shared/data` beside the project.

mod common;

use common::{Folder, data};
use scvi_io::anndata::AnnDataFile;

fn train(name: &str, more: &[&str], cells: usize, genes: usize) {
    let Some(path) = data(name) else { return };
    let folder = Folder::new();
    let path = path.to_str().unwrap();
    let args = ["train", path, "--model", "m", "--output", "o.h5ad", "--max-epochs", "2", "--json"];
    let json = folder.scvi(&[&args[..], more].concat()).json();
    assert_eq!((&json["cells"], &json["genes"]), (&cells.into(), &genes.into()));
    let out = AnnDataFile::open(folder.path("o.h5ad")).unwrap();
    assert_eq!((out.n_obs(), out.n_vars()), (cells, genes));
    assert!(out.obsm_keys().contains(&"X_scVI".to_owned()));
    let evaluated = folder.scvi(&["evaluate", "--model", "m", path, "--json"]).json();
    assert!(evaluated["elbo"].as_f64().unwrap().is_finite());
}

#[test]
fn pbmc3k_trains_on_all_its_genes() {
    train("pbmc3k.h5ad", &[], 2700, 32738);
}

#[test]
fn sc_mixology_trains_with_its_batches() {
    let more = ["--batch-key", "batch", "--dispersion", "gene-batch"];
    train("sc_mixology_5batches.h5ad", &more, 1021, 11533);
}
