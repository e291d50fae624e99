//! Hints about training runs.

use std::fs;

use scvi::data::CsrMatrix;

use crate::common::{Folder, counts, write};
use crate::files::{folder, unpack};
use crate::walk::Walk;

const TRAIN: &str = "scvi train x.h5ad --model n --max-epochs 3 --n-hidden 4";

pub fn walk(walk: &mut Walk) {
    let folder = folder();
    options(walk, &folder);
    divergence(walk);
    checkpoints(walk, &folder);
}

fn options(walk: &mut Walk, folder: &Folder) {
    let line = format!("{TRAIN} --dispersion gene-label");
    walk.provoke(folder, &line, "`--labels-key`");
    for (options, words) in [
        ("--early-stopping --train-size 1", "`--train-size 0.9`; or go"),
        ("--early-stopping --limit-val-batches 0", "`--limit-val-batches 1.0`"),
        ("--early-stopping --validation-size 0", "`--validation-size 0.1`"),
        ("--reduce-lr-on-plateau --train-size 1", "`--lr-scheduler-metric elbo_train`"),
        ("--drop-last --batch-size 200", "`--batch-size 54`"),
    ] {
        walk.provoke(folder, &format!("{TRAIN} {options}"), words);
    }
    unpack(folder, "everything.h5ad");
    let csc =
        TRAIN.replace("x.h5ad", "everything.h5ad --layer csc --drop-empty-cells --in-memory never");
    walk.provoke(folder, &csc, "`--cache .` reads them");
}

fn divergence(walk: &mut Walk) {
    let folder = Folder::new();
    write(&folder.path("x.h5ad"), &counts(60, 12), vec![]);
    walk.provoke(&folder, &format!("{TRAIN} --lr 1e30"), "`--max-epochs 1 --overwrite` ends");
    let x = counts(60, 12);
    let (mut indptr, mut genes, mut values) = (vec![0u64], vec![], vec![]);
    for cell in 0..60 {
        genes.extend_from_slice(x.row(cell).0);
        values.extend_from_slice(x.row(cell).1);
        indptr.push(values.len() as u64);
    }
    values[0] = 3e38;
    let extreme = CsrMatrix::new(12, indptr, genes, values).unwrap();
    let folder = Folder::new();
    write(&folder.path("x.h5ad"), &extreme, vec![]);
    let line = format!("{TRAIN} --train-size 1 --lr 1e30");
    walk.provoke(&folder, &line, "if the count is an error");
}

fn checkpoints(walk: &mut Walk, folder: &Folder) {
    let long = TRAIN.replace("--max-epochs 3", "--max-epochs 400");
    let words: Vec<&str> = long.split(' ').skip(1).collect();
    let mut run = folder.start(&words);
    run.wait_for("epoch 1/400");
    run.signal("INT");
    assert_eq!(run.end().0.code(), Some(130));
    walk.provoke(folder, &long, "`--resume` goes on with it, `--overwrite` gives it up");
    let demonstration = "scvi train --model n --max-epochs 1 --n-hidden 4";
    walk.provoke(folder, demonstration, "`--overwrite` gives it up");
    walk.provoke(folder, &format!("{long} --resume --lr 0.5"), "those that the run began with");
    fs::write(folder.path("n.checkpoint"), "nothing").unwrap();
    walk.provoke(folder, &format!("{long} --resume"), "delete it and train");
}
