//! What is said on stderr, as lines, as JSON and in a log file.

mod common;

use common::cells::Cells;
use common::{Folder, Ran};
use serde_json::{Value, json};

fn folder() -> Folder {
    let folder = Folder::new();
    Cells::new(60, 12, 1).column("batch", &["a", "b"]).write(&folder.path("x.h5ad"));
    folder
}

const TRAIN: [&str; 8] =
    ["train", "x.h5ad", "--model", "m", "--n-hidden", "4", "--max-epochs", "20"];

fn train(folder: &Folder, more: &[&str]) -> Ran {
    folder.scvi(&[&TRAIN[..], more].concat())
}

/// The lines of stderr, each a document.
fn documents(ran: &Ran) -> Vec<Value> {
    ran.stderr().lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn with_json_every_line_of_stderr_is_a_document() {
    let folder = folder();
    let lines = documents(&train(&folder, &["--json"]));
    let of = |level: &str| lines.iter().filter(|line| line["level"] == level).count();
    assert_eq!((of("warning"), of("info")), (1, 11), "{lines:?}");
    let ran = train(&folder, &["--json", "--quiet"]);
    assert_eq!(ran.code(), 1);
    let failure = json!({
        "level": "error", "code": 1, "message": "m exists already",
        "hint": "`--overwrite` replaces it",
    });
    assert_eq!(documents(&ran), [failure]);
    let ran = folder.scvi(&["inspect", "none", "--json"]);
    assert_eq!(documents(&ran)[0]["hint"], Value::Null);
    assert_eq!(ran.stdout(), "");
}

/// Every verb that reads a file, with one that is not there.
#[test]
fn with_json_the_failure_of_every_verb_is_a_document() {
    let folder = Folder::new();
    std::fs::write(folder.path("none.txt"), "").unwrap();
    let task = "--model none none.h5ad --output o.h5ad";
    for line in [
        "train none.h5ad --model m".to_owned(),
        format!("latent {task}"),
        "evaluate --model none none.h5ad".to_owned(),
        format!("normalize {task}"),
        format!("parameters {task}"),
        format!("sample {task}"),
        "correlate --model none none.h5ad --output o.csv".to_owned(),
        "de --model none none.h5ad --groupby k --output o.csv".to_owned(),
        "map --reference none none.h5ad --model m".to_owned(),
        "genes none.h5ad --output o.csv".to_owned(),
        format!("minify {task}"),
        "simulate --output none/o.h5ad".to_owned(),
        "convert --model none --to native --output m".to_owned(),
        "inspect none".to_owned(),
        "man --output none.txt/man".to_owned(),
    ] {
        let words: Vec<&str> = line.split(' ').chain(["--json"]).collect();
        let ran = folder.scvi(&words);
        assert_eq!((ran.code(), ran.stdout().as_str()), (1, ""), "{line}: {}", ran.stderr());
        let failure = documents(&ran).pop().expect("a failure");
        assert_eq!((&failure["level"], &failure["code"]), (&json!("error"), &json!(1)), "{line}");
        let message = failure["message"].as_str().expect("a message");
        assert!(message.contains("none"), "{line}: {failure}");
        assert!(failure.as_object().expect("an object").contains_key("hint"), "{line}: {failure}");
        // The same without the verb's arguments, which is wrong usage.
        let verb = words[0];
        let ran = folder.scvi(&[verb, "--json", "--no-such-option"]);
        assert_eq!((ran.code(), documents(&ran)[0]["code"].clone()), (2, json!(2)), "{verb}");
    }
}

#[test]
fn with_json_wrong_usage_is_a_document_as_well() {
    let folder = Folder::new();
    for (words, message, hint) in [
        (
            &["latent", "x.h5ad", "--json"][..],
            "the following required arguments were not provided: --model <MODEL> --output <OUT>",
            "see `scvi latent --help`",
        ),
        (
            &["--json", "train", "--n-latnet", "5"],
            "unexpected argument '--n-latnet' found",
            "a similar argument exists: '--n-latent'",
        ),
        (
            &["train", "x.h5ad", "--model", "m", "--n-latent", "five", "--json"],
            "invalid value 'five' for '--n-latent <N>': invalid digit found in string",
            "see `scvi train --help`",
        ),
        (
            &["latent", "--json", "--join", "sideways"],
            "invalid value 'sideways' for '--join <JOIN>' [possible values: inner, outer]",
            "see `scvi latent --help`",
        ),
        (&["--json", "--no-such"], "unexpected argument '--no-such' found", "`scvi --help`"),
        (&["--json", "trian"], "unrecognized subcommand 'trian'", "'train'"),
    ] {
        let ran = folder.scvi(words);
        assert_eq!((ran.code(), ran.stdout().as_str()), (2, ""));
        let [failure] = &documents(&ran)[..] else { panic!("{}", ran.stderr()) };
        assert_eq!((&failure["code"], &failure["message"]), (&json!(2), &json!(message)));
        assert!(failure["hint"].as_str().unwrap().contains(hint), "{failure}");
    }
    // Help is no failure.
    assert!(folder.scvi(&["latent", "--json", "--help"]).ok().contains("Usage"));
}

#[test]
fn a_log_file_has_the_lines_of_stderr_and_more_with_their_time() {
    let folder = folder();
    let log = ["--log-file", "run.log"];
    let shown = train(&folder, &log);
    let file = || std::fs::read_to_string(folder.path("run.log")).unwrap();
    let first = file();
    for line in first.lines() {
        let (time, rest) = line.split_at(20);
        assert!(time.starts_with("20") && time.ends_with('Z'), "{line}");
        assert!(rest.starts_with(' ') && rest.contains(": "), "{line}");
    }
    for line in shown.stderr().lines() {
        assert!(first.contains(line), "no {line:?} in {first}");
    }
    for epoch in 1..=20 {
        assert!(first.contains(&format!("epoch {epoch}/20 ")), "{first}");
    }
    assert!(first.contains("scvi train x.h5ad --model m") && first.contains(" detail: done in "));
    assert!(first.contains(" info: elbo train"), "{first}");
    // Another run is added, and why it failed.
    train(&folder, &[&log[..], &["--quiet"]].concat()).fails_with(&["exists already"]);
    let both = file();
    assert!(both.starts_with(&first));
    assert!(both.contains(" error: m exists already\n") && both.contains(" error: hint: "));
}

#[test]
fn a_log_is_not_added_to_other_files() {
    let folder = folder();
    let before = std::fs::read(folder.path("x.h5ad")).unwrap();
    train(&folder, &["--log-file", "x.h5ad"]).fails_with(&["x.h5ad", "no log"]);
    train(&folder, &["--log-file", "none/run.log"]).fails_with(&["none/run.log"]);
    assert!(std::fs::read(folder.path("x.h5ad")).unwrap() == before);
    assert_eq!(folder.names(), ["x.h5ad"]);
}

#[test]
fn verbose_shows_what_is_read_and_every_epoch() {
    let folder = folder();
    let told = train(&folder, &["--verbose"]).stderr();
    assert!(told.contains("x.h5ad: X of 60 cells x 12 genes"), "{told}");
    assert!(told.contains("epoch 19/20 ") && told.contains("done in "), "{told}");
    let latent = ["latent", "--model", "m", "x.h5ad", "--output", "o.csv", "--verbose"];
    let told = folder.scvi(&latent).stderr();
    assert!(told.contains("m: SCVI of 12 genes") && told.contains("latent representation: "));
    assert_eq!(train(&folder, &["--verbose", "--quiet"]).code(), 2);
}
