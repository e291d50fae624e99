//! Mappings of a query that are killed, stopped and resumed end as if they never had been.

#![cfg(unix)]

mod common;

use std::fs;
use std::time::{Duration, Instant};

use common::Folder;
use common::cells::Cells;
use common::running::model_files;

const GENES: usize = 30;
/// Everything of a query: masks of columns, a dispersion and a library that are trained, dropout.
const TRAIN: &str = "train ref.h5ad --model ref --max-epochs 2 --n-hidden 8 --n-latent 3 --quiet \
                     --batch-key batch --encode-covariates --dispersion gene-batch \
                     --no-use-observed-lib-size";
const MAP: &str = "map --reference ref query.h5ad --model m --max-epochs 800 --batch-size 16 \
                   --check-val-every-n-epoch 3 --seed 5 --min-overlap 0.5";
const RESUME: &str = "map --reference ref query.h5ad --model m --resume";
const OFTEN: &str = "--checkpoint-every-minutes 0.0003 --quiet";

/// A folder with a reference and a query.
fn folder() -> Folder {
    let folder = Folder::new();
    Cells::new(60, GENES, 1).column("batch", &["a", "b"]).write(&folder.path("ref.h5ad"));
    Cells::new(90, GENES, 2).column("batch", &["b", "c"]).write(&folder.path("query.h5ad"));
    folder.scvi(&words(TRAIN)).ok();
    folder
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

fn with<'a>(line: &'a str, more: &'a str) -> Vec<&'a str> {
    [words(line), words(more)].concat()
}

/// An interrupted mapping.
fn interrupted(folder: &Folder, more: &str) -> String {
    let mut run = folder.start(&with(MAP, more));
    run.wait_for("epoch 1/800");
    run.signal("INT");
    let (status, told) = run.end();
    assert_eq!(status.code(), Some(130), "{told}");
    told
}

#[test]
fn a_mapping_killed_at_any_moment_is_resumed_to_the_same_bits() {
    let folder = folder();
    let begin = Instant::now();
    folder.scvi(&with(MAP, OFTEN)).ok();
    let whole = begin.elapsed();
    let wanted = model_files(&folder.path("m"));
    let before: Vec<String> = folder.names();
    fs::remove_dir_all(folder.path("m")).unwrap();
    // Asked to resume, a run clears away what the one before was writing when it was killed.
    let begin = format!("{MAP} --resume");
    let mut kills = 0;
    for round in 0.. {
        let base = if folder.path("m.checkpoint").exists() { RESUME } else { &begin };
        let threads = format!("{OFTEN} --threads {}", 1 + round % 2);
        let mut run = folder.start(&with(base, &threads));
        // Later in each round, so that one comes to its end.
        std::thread::sleep(
            whole.mul_f64(0.1 + 0.1 * f64::from(round)).max(Duration::from_millis(1)),
        );
        run.kill();
        let (status, told) = run.end();
        assert!(status.success() || status.code().is_none(), "{told}");
        kills += i32::from(!status.success());
        // A kill may come when everything is written and the run has not yet ended.
        if folder.path("m").exists() && !folder.path("m.checkpoint").exists() {
            break;
        }
        assert!(!status.success(), "{told}");
        assert!(kills < 40, "no round was long enough");
    }
    assert!(kills > 0, "no round was short enough");
    assert!(model_files(&folder.path("m")) == wanted, "after {kills} kills");
    assert_eq!(folder.names(), before);
}

#[test]
fn ctrl_c_keeps_the_mapping_and_says_how_to_go_on() {
    for more in ["", "--unfrozen", "--freeze-dropout --freeze-batchnorm-decoder"] {
        let folder = folder();
        folder.scvi(&with(MAP, more)).ok();
        let wanted = model_files(&folder.path("m"));
        fs::remove_dir_all(folder.path("m")).unwrap();
        let told = interrupted(&folder, more);
        assert!(told.contains("the run is kept in m.checkpoint"), "{told}");
        assert!(told.contains("resume with: ") && told.contains("map --resume"), "{told}");
        folder.scvi(&words(MAP)).fails_with(&["m.checkpoint holds a run", "--resume"]);
        // What was typed need not be repeated.
        folder.scvi(&words(RESUME)).ok();
        assert!(model_files(&folder.path("m")) == wanted, "{more}");
        assert!(!folder.path("m.checkpoint").exists());
    }
}

#[test]
fn another_mapping_is_not_resumed_and_the_difference_is_named() {
    let folder = folder();
    interrupted(&folder, "");
    let fails = |line: &str, parts: &[&str]| {
        folder.scvi(&words(line)).fails_with(parts);
        assert!(folder.path("m.checkpoint").exists() && !folder.path("m").exists());
    };
    fails(&format!("{RESUME} --unfrozen"), &["mapping.freeze.unfrozen is true, and was false"]);
    fails(&format!("{RESUME} --lr 0.01"), &["adam.lr is 0.01, and was 0.001"]);
    let other = TRAIN.replace("--model ref", "--model other") + " --seed 9";
    folder.scvi(&words(&other)).ok();
    fails(&RESUME.replace("--reference ref", "--reference other"), &["mapping.reference is "]);
    // A run of scvi train is another run.
    let train = "train query.h5ad --model m --resume --batch-key batch";
    fails(train, &["--min-overlap=0.5", "no option of a run of scvi train"]);
    folder.scvi(&words(RESUME)).ok();
}
