//! Runs that leave the finite numbers.

mod common;

use common::{Folder, counts, write};
use scvi::data::{CsrMatrix, Split};
use scvi_io::checkpoint::read_checkpoint;

const TRAIN: [&str; 8] =
    ["train", "x.h5ad", "--model", "m", "--n-hidden", "8", "--max-epochs", "5"];

/// The square of an extreme count is infinite; likelihoods of counts hold any that f32 holds.
const NORMAL: [&str; 2] = ["--gene-likelihood", "normal"];

/// The counts of [`counts`], one of them replaced.
fn with_count(cell: usize, value: f32) -> CsrMatrix {
    let x = counts(60, 12);
    let (mut indptr, mut genes, mut values) = (vec![0u64], vec![], vec![]);
    for c in 0..60 {
        genes.extend_from_slice(x.row(c).0);
        values.extend_from_slice(x.row(c).1);
        if c == cell {
            *values.last_mut().unwrap() = value;
        }
        indptr.push(values.len() as u64);
    }
    CsrMatrix::new(12, indptr, genes, values).unwrap()
}

#[test]
fn a_step_that_is_too_long_ends_the_run_with_step_and_tensor() {
    let folder = Folder::new();
    write(&folder.path("x.h5ad"), &counts(60, 12), vec![]);
    let ran = folder.scvi(&[&TRAIN[..], &["--lr", "1e30"]].concat());
    ran.fails_with(&[
        "error: training diverged in epoch 1, step 2: the loss is not finite (",
        "; after the step px_r[0] is NaN",
        "hint: a lower learning rate may help: `--lr 0.001 --overwrite`",
    ]);
    assert_eq!(folder.names(), ["m.checkpoint", "x.h5ad"]);
}

#[test]
fn an_extreme_count_is_named() {
    let folder = Folder::new();
    write(&folder.path("x.h5ad"), &with_count(17, 3e38), vec![]);
    let ran = folder.scvi(&[&TRAIN[..], &NORMAL, &["--train-size", "1"]].concat());
    ran.fails_with(&[
        "training diverged in epoch 0, step 1: ",
        "likely cause: cell 'cell_17' has 3e38 of gene 'gene_11'",
        "leave out this cell or gene",
    ]);
    assert_eq!(folder.names(), ["x.h5ad"]);
}

#[test]
fn the_last_good_weights_are_kept() {
    // A cell that only validation sees, and validation only in the second epoch.
    let cell = Split::new(60, 0.9, None, 0).unwrap().validation[0] as usize;
    let folder = Folder::new();
    write(&folder.path("x.h5ad"), &with_count(cell, 3e38), vec![]);
    let ran = folder.scvi(&[&TRAIN[..], &NORMAL, &["--check-val-every-n-epoch", "2"]].concat());
    let named = format!("cell 'cell_{cell}' has 3e38");
    ran.fails_with(&[
        "training diverged in epoch 1, step 2: the loss is not finite",
        &named,
        "the last good weights are in m.checkpoint",
        "leave out this cell or gene if the count is an error; `--max-epochs 1 --overwrite` ends",
    ]);
    assert_eq!(folder.names(), ["m.checkpoint", "x.h5ad"]);
    let (meta, checkpoint) =
        read_checkpoint::<scvi::module::VaeConfig>(folder.path("m.checkpoint")).unwrap();
    assert_eq!((meta.progress.epoch, meta.progress.step), (1, 1));

    // They are the weights that training for one epoch ends with.
    let args = ["train", "x.h5ad", "--model", "one", "--n-hidden", "8", "--max-epochs", "1"];
    folder.scvi(&[&args[..], &NORMAL].concat()).ok();
    let (vae, _) = scvi_io::load_model(folder.path("one")).unwrap();
    assert!(vae.state_dict() == checkpoint.weights);
}
