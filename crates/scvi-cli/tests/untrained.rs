//! Models that were saved before they were trained.

mod common;

use common::saves::{folder, save};

#[test]
fn every_task_refuses_an_untrained_model() {
    let folder = folder();
    let path = save("untrained");
    let model = path.to_str().unwrap();
    let on_cells = [
        "latent --output o.npy",
        "evaluate",
        "normalize --output o.npy",
        "parameters --output o.npz",
        "sample --output o.h5ad",
        "de --groupby label --output o.csv",
        "correlate --output o.csv",
        "minify --output o.h5ad",
    ];
    for line in on_cells {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let words = [verb, "--model", model, "data.h5ad"].into_iter();
        let ran = folder.scvi(&words.chain(rest.split_whitespace()).collect::<Vec<_>>());
        let hint = "hint: `scvi train data.h5ad --batch-key batch --model ";
        ran.fails_with(&["untrained is not trained", hint, "untrained_trained"]);
    }
    let map = ["map", "--reference", model, "data.h5ad", "--model", "m"];
    folder.scvi(&map).fails_with(&["untrained is not trained", "hint: train it"]);
    assert_eq!(folder.names(), ["data.h5ad"]);
    // What does not ask it about cells takes it.
    folder.scvi(&["inspect", model]).ok();
    folder.scvi(&["convert", "--model", model, "--to", "native", "--output", "n"]).ok();
    let native = folder.scvi(&["latent", "--model", "n", "data.h5ad", "--output", "-"]);
    native.fails_with(&["n is not trained"]);
    // The hint, as it is typed.
    let stderr = native.stderr();
    let hint = stderr.lines().find_map(|line| line.strip_prefix("hint: `scvi ")).unwrap();
    let (command, _) = hint.split_once('`').unwrap();
    let words = command.split(' ').chain(["--max-epochs", "1"]);
    folder.scvi(&words.collect::<Vec<_>>()).ok();
    folder.scvi(&["latent", "--model", "n_trained", "data.h5ad", "--output", "o.npy"]).ok();
}
