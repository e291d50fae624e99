//! Runs that are killed, stopped and resumed end as if they never had been.

#![cfg(unix)]

mod common;

use std::fs;
use std::time::{Duration, Instant};

use common::running::model_files;
use common::{Folder, categorical, counts, write};
use scvi_io::anndata::Column;
use scvi_io::checkpoint::read_checkpoint;
use scvi_io::load_model;

/// A run of a second or so, that validates.
const TRAIN: [&str; 16] = [
    "train",
    "data.h5ad",
    "--model",
    "m",
    "--n-hidden",
    "16",
    "--max-epochs",
    "600",
    "--batch-size",
    "32",
    "--check-val-every-n-epoch",
    "2",
    "--batch-key",
    "batch",
    "--seed",
    "7",
];

const RESUME: [&str; 5] = ["train", "data.h5ad", "--model", "m", "--resume"];

fn batches(cells: usize) -> Vec<(String, Column)> {
    let codes: Vec<Option<u32>> = (0..cells).map(|c| Some(c as u32 % 2)).collect();
    vec![("batch".to_owned(), categorical(&codes, &["a", "b"]))]
}

fn folder() -> Folder {
    let folder = Folder::new();
    write(&folder.path("data.h5ad"), &counts(150, 60), batches(150));
    folder
}

fn with<'a>(base: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [base, more].concat()
}

/// Whatever has its name can be read.
fn check_readable(folder: &Folder, what: &str) {
    for name in folder.names() {
        match name.as_str() {
            // A run that was killed leaves its lock, which nobody holds.
            "data.h5ad" | "m.lock" => {}
            "m" => drop(load_model(folder.path("m")).unwrap_or_else(|e| panic!("{what}: {e}"))),
            "m.checkpoint" => {
                let read = read_checkpoint::<scvi::module::VaeConfig>(folder.path("m.checkpoint"));
                drop(read.unwrap_or_else(|e| panic!("{what}: {e}")));
            }
            other => {
                assert!(other.starts_with(".m.") && other.ends_with(".tmp"), "{what}: {other}")
            }
        }
    }
}

/// A small generator of numbers that look random (SplitMix64): a share between 0 and 1.
fn share(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

#[test]
fn a_run_killed_at_any_moment_is_resumed_to_the_same_bits() {
    let asked = std::env::var("SCVI_KILLS").ok().and_then(|n| n.parse().ok());
    let kills = asked.unwrap_or(8);
    let reference = folder();
    let often = ["--checkpoint-every-minutes", "0.0003", "--quiet"];
    let started = Instant::now();
    reference.scvi(&with(&TRAIN, &often)).ok();
    let whole = started.elapsed();
    assert_eq!(reference.names(), ["data.h5ad", "m"]);
    let wanted = model_files(&reference.path("m"));

    // Asked to resume, a run clears away what the one before was writing when it was killed.
    let begin = with(&TRAIN, &["--resume"]);
    let (mut state, mut killed, mut folder) = (1, 0, self::folder());
    let mut is_begun = false;
    while killed < kills {
        let threads = (1 + killed % 3).to_string();
        let base = if is_begun { &RESUME[..] } else { &begin[..] };
        let mut run = folder.start(&with(base, &with(&often, &["--threads", &threads])));
        // The moments cover starting, training, and writing the model.
        std::thread::sleep(whole.mul_f64(share(&mut state) * 1.1).max(Duration::from_millis(1)));
        run.kill();
        let (status, told) = run.end();
        check_readable(&folder, &format!("kill {killed}"));
        killed += i32::from(!status.success());
        assert!(status.success() || status.code().is_none(), "{told}");
        // Without a checkpoint nothing knows the options.
        is_begun = folder.path("m.checkpoint").exists();
        // A kill may come when everything is written and the run has not yet ended.
        let is_whole = folder.path("m").exists() && !is_begun;
        assert!(is_whole || !status.success(), "{told}");
        if is_whole {
            assert!(model_files(&folder.path("m")) == wanted, "after {killed} kills");
            let _ = fs::remove_file(folder.path("m.lock"));
            assert_eq!(folder.names(), ["data.h5ad", "m"]);
            folder = self::folder();
        }
    }
    folder.scvi(if is_begun { &RESUME[..] } else { &begin[..] }).ok();
    assert!(model_files(&folder.path("m")) == wanted);
    assert_eq!(folder.names(), ["data.h5ad", "m"]);
}

#[test]
fn the_first_signal_keeps_the_run_and_says_how_to_resume() {
    let reference = folder();
    reference.scvi(&TRAIN).ok();
    let wanted = model_files(&reference.path("m"));
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let folder = folder();
        let mut run = folder.start(&with(&TRAIN, &["--output", "my latent.csv"]));
        run.wait_for("epoch 1/600");
        run.signal(signal);
        let (status, told) = run.end();
        assert_eq!(status.code(), Some(code), "{told}");
        assert!(told.contains("\ninterrupted: in epoch "), "{told}");
        assert!(told.contains("of 600; the run is kept in m.checkpoint\n"), "{told}");
        assert_eq!(folder.names(), ["data.h5ad", "m.checkpoint"]);
        let command = told.split("resume with: ").nth(1).unwrap().trim_end();
        assert!(command.contains(" train --resume data.h5ad "), "{command}");
        assert!(command.ends_with("--output 'my latent.csv'"), "{command}");

        // As it stands there, a shell runs it.
        let mut shell = std::process::Command::new("sh");
        let ran = shell.args(["-c", command]).current_dir(folder.path("")).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        assert!(model_files(&folder.path("m")) == wanted, "{signal}");
        assert_eq!(folder.names(), ["data.h5ad", "m", "my latent.csv"]);
    }
}

#[test]
fn a_second_signal_ends_the_run_at_once() {
    let folder = folder();
    let mut run = folder.start(&with(&TRAIN, &["--checkpoint-every-minutes", "0"]));
    run.wait_for("epoch 1/600");
    // Both arrive before the run can do anything about the first.
    for signal in ["STOP", "INT", "TERM", "CONT"] {
        run.signal(signal);
    }
    let (status, told) = run.end();
    assert!(matches!(status.code(), Some(130 | 143)), "{status} {told}");
    assert!(!told.contains("resume with"), "{told}");
    assert_eq!(folder.names(), ["data.h5ad", "m.lock"]);
}

/// A folder with a run that was interrupted after its first epoch.
fn interrupted() -> Folder {
    let folder = folder();
    let mut run = folder.start(&TRAIN);
    run.wait_for("epoch 1/600");
    run.signal("INT");
    assert_eq!(run.end().0.code(), Some(130));
    folder
}

#[test]
fn another_run_is_not_resumed_and_the_difference_is_named() {
    let folder = interrupted();
    let before = fs::read(folder.path("m.checkpoint")).unwrap();
    let fails = |more: &[&str], parts: &[&str]| {
        folder.scvi(&with(&RESUME, more)).fails_with(parts);
        assert!(fs::read(folder.path("m.checkpoint")).unwrap() == before, "{more:?}");
        assert_eq!(folder.names(), ["data.h5ad", "m.checkpoint"]);
    };
    let hint = "hint: the input and options must be those that the run began with";
    fails(&["--lr", "0.01"], &["m.checkpoint", "adam.lr is 0.01, and was 0.001", hint]);
    fails(&["--n-hidden", "17"], &["n_hidden is 17, and was 16"]);
    fails(&["--seed", "8"], &["seed is 8, and was 7"]);
    fails(&["--max-epochs", "601"], &["max_epochs is 601, and was 600"]);
    fails(&["--early-stopping"], &["early_stopping is {", "and was not given"]);
    fails(&["--labels-key", "batch"], &["the input's labels is {", "and was not given"]);

    let data = fs::read(folder.path("data.h5ad")).unwrap();
    write(&folder.path("data.h5ad"), &counts(151, 60), batches(151));
    fails(&[], &["the input's n_cells is 151, and was 150"]);
    let mut codes = batches(150);
    codes[0].1 = categorical(
        &[Some(0), Some(1)].repeat(75).into_iter().rev().collect::<Vec<_>>(),
        &["a", "b"],
    );
    write(&folder.path("data.h5ad"), &counts(150, 60), codes);
    fails(&[], &["the counts' or covariates' sha256 is "]);
    fs::write(folder.path("data.h5ad"), data).unwrap();

    // What is typed and is the same does not matter.
    folder.scvi(&with(&RESUME, &["--lr", "1e-3", "--n-latent", "10", "--threads", "1"])).ok();
    assert_eq!(folder.names(), ["data.h5ad", "m"]);
}

#[test]
fn an_unfinished_run_is_given_up_only_when_asked() {
    let folder = interrupted();
    let short = ["train", "data.h5ad", "--model", "m", "--n-hidden", "8", "--max-epochs", "1"];
    let parts = ["m.checkpoint holds a run that is not finished", "--resume", "--overwrite"];
    folder.scvi(&short).fails_with(&parts);
    folder.scvi(&with(&short, &["--overwrite"])).ok();
    assert_eq!(folder.names(), ["data.h5ad", "m"]);
    // Nothing is left to resume, and the model is not replaced unasked.
    folder.scvi(&with(&short, &["--resume"])).fails_with(&["m exists already", "--overwrite"]);
}

#[test]
fn a_model_whose_checkpoint_outlived_it_is_finished_again() {
    let folder = interrupted();
    fs::copy(folder.path("m.checkpoint"), folder.path("kept")).unwrap();
    folder.scvi(&RESUME).ok();
    let wanted = model_files(&folder.path("m"));
    // Killed between its last two steps: the folder is there, and so is the checkpoint.
    fs::rename(folder.path("kept"), folder.path("m.checkpoint")).unwrap();
    folder.scvi(&RESUME).ok();
    assert!(model_files(&folder.path("m")) == wanted);
    assert_eq!(folder.names(), ["data.h5ad", "m"]);

    // A model of another run is not this one's.
    let folder = interrupted();
    fs::rename(folder.path("m.checkpoint"), folder.path("kept")).unwrap();
    let other = ["train", "data.h5ad", "--model", "m", "--n-hidden", "8", "--max-epochs", "1"];
    folder.scvi(&other).ok();
    fs::rename(folder.path("kept"), folder.path("m.checkpoint")).unwrap();
    folder.scvi(&RESUME).fails_with(&["m exists already"]);
}

#[test]
fn a_damaged_checkpoint_is_told_as_such() {
    let folder = interrupted();
    let mut bytes = fs::read(folder.path("m.checkpoint")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(folder.path("m.checkpoint"), bytes).unwrap();
    let parts = ["m.checkpoint is not a checkpoint: it is damaged", "delete it"];
    folder.scvi(&RESUME).fails_with(&parts);
    fs::write(folder.path("m.checkpoint"), "").unwrap();
    folder.scvi(&RESUME).fails_with(&["m.checkpoint is not a checkpoint"]);
}
