//! Options of training, as a user would give them.

mod common;

use std::path::Path;
use std::process::Command;

use common::{Folder, Ran};
use scvi_io::model_dir::{HistoryTable, read_history};

/// A folder with `data.h5ad`: 120 cells, 40 genes.
fn folder() -> Folder {
    let folder = Folder::new();
    let sizes = ["--n-cells", "120", "--n-genes", "40", "--density", "0.2", "--quiet"];
    folder.scvi(&[&["simulate", "--output", "data.h5ad"][..], &sizes].concat()).ok();
    folder
}

fn train(folder: &Folder, options: &str) -> Ran {
    let fixed = "train data.h5ad --model m --overwrite --json --n-hidden 8 --n-latent 3";
    let words: Vec<&str> = fixed.split(' ').chain(options.split(' ')).collect();
    folder.scvi(&words)
}

fn history(folder: &Folder) -> HistoryTable {
    read_history(folder.path("m"), "").unwrap()
}

fn column(history: &HistoryTable, name: &str) -> Vec<f64> {
    let place = history.columns.iter().position(|column| column == name);
    let place = place.unwrap_or_else(|| panic!("no {name} in {:?}", history.columns));
    history.rows.iter().map(|row| row[place]).collect()
}

#[test]
fn step_length_and_end_are_what_torch_and_scvi_tools_make_of_the_history() {
    let folder = folder();
    // Steps so long that the losses go up and down.
    train(
        &folder,
        "--max-epochs 60 --lr 0.05 --batch-size 32 --reduce-lr-on-plateau --lr-factor 0.7 \
         --lr-patience 1 --lr-threshold 0.02 --lr-min 0.03 \
         --lr-scheduler-metric reconstruction_loss_validation --early-stopping \
         --early-stopping-monitor validation_loss --early-stopping-patience 6 \
         --early-stopping-min-delta 0.01 --early-stopping-warmup-epochs 5",
    )
    .ok();
    let history = history(&folder);
    let lengths = column(&history, "lr-Adam");
    assert!(lengths[0] == 0.05 && lengths.contains(&0.03), "{lengths:?}");
    assert!((10..60).contains(&lengths.len()), "{} epochs", lengths.len());
    let Ok(python) = std::env::var("SCVI_REFERENCE_PYTHON") else {
        eprintln!("skipped: what scvi-tools says (set SCVI_REFERENCE_PYTHON to a Python with it)");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check_training.py");
    let table = folder.path("m").join("history.csv");
    let checked = Command::new(python).args([&script, &table]).status().unwrap();
    assert!(checked.success());
}

#[test]
fn step_lengths_are_on_record_where_they_are_asked_for() {
    let folder = folder();
    train(&folder, "--max-epochs 2 --optimizer AdamW --learning-rate-monitor --lr 0").ok();
    assert_eq!(column(&history(&folder), "lr-AdamW"), [0.0, 0.0]);
    train(&folder, "--max-epochs 2").ok();
    assert!(!history(&folder).columns.iter().any(|name| name.starts_with("lr-")));
}

#[test]
fn a_split_in_order_and_whole_minibatches() {
    let folder = folder();
    let options = "--max-epochs 2 --batch-size 32 --train-size 0.5 --validation-size 0.25";
    train(&folder, &format!("{options} --no-shuffle-set-split --drop-last")).ok();
    let meta = std::fs::read_to_string(folder.path("m").join("model.json")).unwrap();
    let meta: serde_json::Value = serde_json::from_str(&meta).unwrap();
    let part =
        |name: &str| serde_json::from_value::<Vec<u32>>(meta["split"][name].clone()).unwrap();
    let cells = |range: std::ops::Range<u32>| range.collect::<Vec<_>>();
    assert_eq!(part("validation"), cells(0..30));
    assert_eq!((part("train"), part("test")), (cells(30..90), cells(90..120)));
}

#[test]
fn a_run_ends_after_so_many_steps() {
    let folder = folder();
    // 108 cells to train on: four minibatches, of which an epoch uses three.
    let limits = "--batch-size 32 --limit-train-batches 0.75 --max-steps 8";
    let told = train(&folder, &format!("{limits} --check-val-every-n-epoch 1")).ok();
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["epochs"], &told["stop"]), (&3.into(), &"max_steps".into()));
    let validated = column(&history(&folder), "elbo_validation");
    assert_eq!(validated.iter().map(|v| v.is_nan()).collect::<Vec<_>>(), [false, false, true]);
    let never = "--max-epochs 2 --limit-val-batches 0 --check-val-every-n-epoch 1";
    train(&folder, never).ok();
    assert!(column(&history(&folder), "elbo_validation").iter().all(|v| v.is_nan()));
}

#[test]
fn wrong_options_are_named() {
    let folder = folder();
    for (options, parts) in [
        ("--optimizer SGD", &["optimizer", "\"SGD\"", "Adam, AdamW"][..]),
        ("--early-stopping-mode less", &["early_stopping_mode", "min, max"]),
        (
            "--early-stopping-monitor loss",
            &["early_stopping_monitor", "elbo_validation", "elbo_train"],
        ),
        ("--lr-scheduler-metric loss", &["lr_scheduler_metric", "\"loss\""]),
        ("--reduce-lr-on-plateau --lr-factor 1", &["lr_factor is 1", "less than 1"]),
        (
            "--reduce-lr-on-plateau --check-val-every-n-epoch 2",
            &["check_val_every_n_epoch is 2", "reduce_lr_on_plateau"],
        ),
        (
            "--early-stopping --train-size 1",
            &["early_stopping goes by elbo_validation", "hint: ", "elbo_train"],
        ),
        (
            "--drop-last --batch-size 200",
            &["drop_last", "200", "108", "hint: take smaller minibatches: `--batch-size 108`"],
        ),
        ("--max-steps 0", &["max_steps is 0", "1 or more"]),
        ("--limit-train-batches 1.5", &["limit_train_batches is 1.5", "a fraction from 0.0 to 1"]),
        (
            "--early-stopping --limit-val-batches 0",
            &["early_stopping goes by elbo_validation", "hint: ", "--limit-val-batches"],
        ),
        ("--min-kl-weight 2", &["max_kl_weight is 1", "min_kl_weight"]),
    ] {
        train(&folder, options).fails_with(parts);
        assert_eq!(folder.names(), ["data.h5ad"], "{options}");
    }
}
