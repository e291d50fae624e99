//! Two runs never write one output, and no result is lost that cannot be written.

#![cfg(unix)]

mod common;

use std::fs;
use std::process::{Command, Stdio};

use common::{Folder, counts, write};

/// A run of a second or so.
const TRAIN: [&str; 8] =
    ["train", "data.h5ad", "--n-hidden", "16", "--max-epochs", "600", "--batch-size", "32"];
const SHORT: [&str; 6] = ["train", "data.h5ad", "--n-hidden", "4", "--max-epochs", "1"];

fn folder() -> Folder {
    let folder = Folder::new();
    write(&folder.path("data.h5ad"), &counts(150, 60), vec![]);
    folder
}

fn with<'a>(base: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [base, more].concat()
}

#[test]
fn a_second_run_on_an_output_in_use_stops_at_once() {
    let folder = folder();
    let mut first = folder.start(&with(&TRAIN, &["--model", "m", "--output", "z.csv"]));
    first.wait_for("epoch 1/600");
    let locks = ["data.h5ad", "m.lock", "z.csv.lock"];
    assert_eq!(folder.names(), locks);
    let process = format!("is in use by process {}", first.id());
    for more in [&[][..], &["--overwrite"], &["--resume"], &["--resume", "--overwrite"]] {
        for (model, beside) in [("m", "`--model m.1`"), ("./m/", "`--model ./m.1`")] {
            let ran = folder.scvi(&with(&with(&SHORT, &["--model", model]), more));
            let told = format!("error: {model} {process}");
            ran.fails_with(&[&told, "hint: wait until that run has ended, or", beside]);
        }
    }
    let other = with(&SHORT, &["--model", "other", "--output", "z.csv"]);
    folder.scvi(&other).fails_with(&["z.csv is in use by process", "`--output z.1.csv`"]);
    assert_eq!(folder.names(), locks);
    // What is not in use is written.
    folder.scvi(&with(&SHORT, &["--model", "other"])).ok();
    let (status, told) = first.end();
    assert!(status.success(), "{told}");
    assert_eq!(folder.names(), ["data.h5ad", "m", "other", "z.csv"]);

    // The same of a query that is mapped.
    let map = ["map", "--reference", "other", "data.h5ad", "--model", "n", "--max-epochs"];
    let mut first = folder.start(&with(&map, &["2000"]));
    first.wait_for("epoch 1/2000");
    folder.scvi(&with(&map, &["1"])).fails_with(&["n is in use by process", "`--model n.1`"]);
    first.kill();
    first.end();
    // A lock that a killed run left behind is held by nobody.
    assert!(folder.names().contains(&"n.lock".to_owned()));
    folder.scvi(&with(&map, &["1", "--quiet"])).ok();
    assert_eq!(folder.names(), ["data.h5ad", "m", "n", "other", "z.csv"]);
}

#[test]
fn of_runs_that_begin_at_one_moment_one_goes_on() {
    let folder = folder();
    let start = |_| {
        let args = with(&TRAIN, &["--model", "m", "--quiet", "--threads", "1"]);
        let mut command = Command::new(env!("CARGO_BIN_EXE_scvi"));
        let command = command.args(args).current_dir(folder.path(""));
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let runs: Vec<_> = (0..6).map(start).collect();
    let ended = runs.into_iter().map(|run| run.wait_with_output().unwrap());
    let mut succeeded = 0;
    for output in ended {
        let told = String::from_utf8(output.stderr).unwrap();
        match output.status.code() {
            Some(0) => succeeded += 1,
            // A run that came to it late may find the model.
            Some(1) => {
                assert!(told.contains("in use by") || told.contains("exists already"), "{told}")
            }
            other => panic!("{other:?}: {told}"),
        }
    }
    assert_eq!(succeeded, 1);
    assert_eq!(folder.names(), ["data.h5ad", "m"]);
}

/// What is done while a run goes on, and what it ends with.
fn hindered(folder: &Folder, args: &[&str], hinder: impl FnOnce()) -> String {
    let mut run = folder.start(args);
    run.wait_for("epoch 1/600");
    hinder();
    let (status, told) = run.end();
    assert_eq!(status.code(), Some(1), "{told}");
    told
}

#[test]
fn a_model_whose_place_is_taken_is_kept_beside_it() {
    let folder = folder();
    let wanted = with(&TRAIN, &["--model", "wanted", "--quiet"]);
    folder.scvi(&wanted).ok();
    let model = |name: &str| fs::read(folder.path(name).join("model.safetensors")).unwrap();
    fs::create_dir(folder.path("m.1")).unwrap();

    let args = with(&TRAIN, &["--model", "m", "--output", "z.csv"]);
    let told = hindered(&folder, &args, || fs::create_dir(folder.path("m")).unwrap());
    let end = "error: m exists already; the model is kept in m.2\nwritten: z.csv\n";
    assert!(told.ends_with(end), "{told}");
    assert_eq!(model("m.2"), model("wanted"));
    assert_eq!(folder.names(), ["data.h5ad", "m", "m.1", "m.2", "wanted", "z.csv"]);

    // A model that may be replaced, and then must not.
    let args = with(&TRAIN, &["--model", "m", "--overwrite"]);
    let other = folder.path("m").join("thesis.tex");
    let told = hindered(&folder, &args, || fs::write(&other, "mine").unwrap());
    assert!(told.contains("cannot write m: ") && told.contains("kept in m.3"), "{told}");
    assert_eq!((model("m.3"), fs::read(&other).unwrap()), (model("wanted"), b"mine".to_vec()));
}

#[test]
fn outputs_whose_folder_is_gone_are_kept_elsewhere() {
    let folder = folder();
    fs::create_dir(folder.path("out")).unwrap();
    let args = with(&TRAIN, &["--model", "out/m", "--output", "out/z.csv"]);
    let args = with(&args, &["--checkpoint-every-n-epoch", "1"]);
    let told = hindered(&folder, &args, || fs::remove_dir_all(folder.path("out")).unwrap());
    assert!(told.contains("out/m: there is no folder out; the model is kept in m.1\n"), "{told}");
    assert!(told.contains("the latent representation is kept in z.1.csv\n"), "{told}");
    assert_eq!(folder.names(), ["data.h5ad", "m.1", "z.1.csv"]);
    let latent = ["latent", "--model", "m.1", "data.h5ad", "--output", "-"];
    let table = fs::read_to_string(folder.path("z.1.csv")).unwrap();
    assert_eq!(folder.scvi(&latent).ok(), table);
}

#[test]
fn a_latent_representation_whose_place_is_taken_is_kept_beside_it() {
    let folder = folder();
    for output in ["z.csv", "z.h5ad"] {
        let (taken, model) = (folder.path(output), format!("of_{output}"));
        let args = with(&TRAIN, &["--model", &model, "--output", output]);
        let told = hindered(&folder, &args, || fs::write(&taken, "mine").unwrap());
        let (stem, ending) = output.split_once('.').unwrap();
        let kept = format!("{stem}.1.{ending}");
        let end = format!(
            "error: {output} exists already; the latent representation is kept in {kept}\n\
             written: {model}\n"
        );
        assert!(told.ends_with(&end), "{told}");
        assert_eq!(fs::read(&taken).unwrap(), b"mine");
        let again =
            ["latent", "--model", &model, "data.h5ad", "--output", "again.csv", "--overwrite"];
        folder.scvi(&again).ok();
        if ending == "csv" {
            let read = |name: &str| fs::read(folder.path(name)).unwrap();
            assert_eq!(read(&kept), read("again.csv"));
        }
    }
}

/// A disk that is full everywhere: every write beyond a few bytes fails.
#[test]
fn a_run_that_can_write_nothing_says_so() {
    let folder = folder();
    let run = |limit: &str| {
        let script = format!(
            "trap '' XFSZ; ulimit -f {limit}; exec \"$0\" train data.h5ad --model m --n-hidden 64 \
             --max-epochs 2 --quiet"
        );
        let mut command = Command::new("sh");
        let command = command.args(["-c", &script, env!("CARGO_BIN_EXE_scvi")]);
        command.current_dir(folder.path("")).env("TMPDIR", folder.path("")).output().unwrap()
    };
    let output = run("8");
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.starts_with("error: cannot write m: "), "{told}");
    assert!(told.trim_end().ends_with("; there is no model"), "{told}");
    assert_eq!(folder.names(), ["data.h5ad"]);
    assert!(run("unlimited").status.success());
}
