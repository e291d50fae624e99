//! Counts that are read from the file as they are needed.

mod common;

use std::fs;

use common::Folder;
use common::cells::Cells;

const GENES: usize = 30;

/// A folder with `data.h5ad` and a model of it.
fn folder() -> Folder {
    let folder = Folder::new();
    Cells::new(150, GENES, 1).column("batch", &["a", "b"]).write(&folder.path("data.h5ad"));
    train(&folder, "model", &["--shuffle", "blocks", "--in-memory", "always"]);
    folder
}

fn train(folder: &Folder, model: &str, more: &[&str]) {
    let args = "--max-epochs 3 --n-hidden 8 --n-latent 3 --quiet --batch-key batch \
                --check-val-every-n-epoch 1 --batch-size 32 --block-size 8 --buffer-size 40";
    let args: Vec<&str> = args.split_whitespace().chain(more.iter().copied()).collect();
    folder.scvi(&[&["train", "data.h5ad", "--model", model][..], &args[..]].concat()).ok();
}

fn weights(folder: &Folder, model: &str) -> Vec<u8> {
    fs::read(folder.path(model).join("model.safetensors")).unwrap()
}

#[test]
fn where_counts_lie_does_not_show_in_the_model() {
    let folder = folder();
    train(&folder, "streamed", &["--in-memory", "never"]);
    train(&folder, "cached", &["--in-memory", "never", "--cache", "."]);
    assert_eq!(weights(&folder, "streamed"), weights(&folder, "model"));
    assert_eq!(weights(&folder, "cached"), weights(&folder, "model"));
    assert_eq!(folder.names(), ["cached", "data.h5ad", "model", "streamed"]);
    // All cells shuffled is another order, which a file can serve as well.
    train(&folder, "cells", &[]);
    train(&folder, "cells_streamed", &["--in-memory", "never", "--shuffle", "cells"]);
    assert_ne!(weights(&folder, "cells"), weights(&folder, "model"));
    assert_eq!(weights(&folder, "cells_streamed"), weights(&folder, "cells"));
}

#[test]
fn where_counts_lie_does_not_show_in_any_task() {
    let folder = folder();
    for task in [
        "latent --output -",
        "evaluate --json --n-mc-samples 3",
        "normalize --output -",
        "sample --output sample.h5ad --overwrite",
        "correlate --output -",
        "de --groupby batch --output -",
        "de --groupby batch --mode change --weights importance --output -",
        "parameters --output parameters.npz --overwrite",
        "minify --output minified.h5ad --overwrite",
        "map --max-epochs 1 --quiet --overwrite --model mapped --output -",
    ] {
        let words: Vec<&str> = task.split_whitespace().collect();
        let model = if words[0] == "map" { "--reference" } else { "--model" };
        let run = |more: &[&str]| {
            let args = [&words[..1], &[model, "model", "data.h5ad"], &words[1..], more].concat();
            let told = folder.scvi(&args).without_seconds();
            let files = ["parameters.npz", "minified.h5ad", "sample.h5ad"];
            (told, files.map(|file| fs::read(folder.path(file)).ok()))
        };
        let shuffle: &[&str] = if words[0] == "map" { &["--shuffle", "cells"] } else { &[] };
        let in_memory = run(shuffle);
        let never = ["--in-memory", "never"];
        assert!(run(&[&never, shuffle].concat()) == in_memory, "{task}");
        let cached = [&never[..], &["--cache", "."]].concat();
        assert!(run(&[&cached, shuffle].concat()) == in_memory, "{task}, cached");
    }
}

#[test]
fn empty_cells_are_left_out_of_a_file_too() {
    let folder = Folder::new();
    let mut cells = Cells::new(60, GENES, 1).column("batch", &["a", "b"]);
    cells.empty(&[7, 50]);
    cells.write(&folder.path("data.h5ad"));
    let more = ["--shuffle", "blocks", "--drop-empty-cells"];
    train(&folder, "model", &more);
    train(&folder, "streamed", &[&more[..], &["--in-memory", "never"]].concat());
    assert_eq!(weights(&folder, "streamed"), weights(&folder, "model"));
    let refused = ["train", "data.h5ad", "--model", "m", "--in-memory", "never"];
    folder.scvi(&refused).fails_with(&["2 of 60 cells have no counts", "--drop-empty-cells"]);
}

#[test]
fn a_run_that_was_interrupted_goes_on_from_the_file() {
    let folder = folder();
    let long = ["--max-epochs", "300", "--n-hidden", "8", "--quiet"];
    let train = |model| [&["train", "data.h5ad", "--model", model][..], &long].concat();
    let blocks = ["--block-size", "8", "--buffer-size", "40", "--shuffle", "blocks"];
    folder.scvi(&[&train("whole")[..], &blocks].concat()).ok();
    let file = ["--block-size", "8", "--buffer-size", "40", "--in-memory", "never"];
    let every = ["--checkpoint-every-n-epoch", "1"];
    let mut run = folder.start(&[&train("again")[..], &file, &every].concat());
    while !folder.path("again.checkpoint").exists() {
        assert!(!folder.path("again").exists(), "the run ended before anybody looked");
        std::thread::yield_now();
    }
    run.kill();
    run.end();
    // What was typed at first need not be typed again.
    folder.scvi(&["train", "data.h5ad", "--model", "again", "--resume"]).ok();
    assert_eq!(weights(&folder, "again"), weights(&folder, "whole"));
}

#[test]
fn errors_say_what_to_do() {
    let folder = folder();
    let args = ["latent", "--model", "model", "data.h5ad", "--output", "-"];
    let missing = ["--in-memory", "never", "--cache", "nowhere"];
    folder.scvi(&[&args[..], &missing].concat()).fails_with(&["nowhere"]);
    let train = ["train", "data.h5ad", "--model", "m", "--shuffle", "blocks"];
    for (option, value, says) in [
        ("--block-size", "0", "block_size is 0"),
        ("--buffer-size", "3", "buffer_size is 3; it must be at least block_size"),
    ] {
        folder.scvi(&[&train[..], &[option, value]].concat()).fails_with(&[says]);
    }
}
