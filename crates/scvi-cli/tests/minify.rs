//! `scvi minify`, and what the other commands do with minified cells.

mod common;

use std::path::Path;
use std::process::Command;

use common::Folder;
use common::cells::Cells;
use scvi_io::anndata::{AnnDataFile, MatrixKey, PosteriorKeys};
use serde_json::json;

const GENES: usize = 25;

/// A folder with `data.h5ad` and a model of it, made with these options.
fn folder(options: &str) -> Folder {
    let folder = Folder::new();
    Cells::new(50, GENES, 1).column("batch", &["a", "b"]).write(&folder.path("data.h5ad"));
    let args = "train data.h5ad --model model --max-epochs 2 --n-hidden 8 --n-latent 3 --quiet \
                --batch-key batch";
    let args: Vec<&str> = args.split_whitespace().chain(options.split_whitespace()).collect();
    folder.scvi(&args).ok();
    folder
}

fn minify(folder: &Folder, output: &str, more: &[&str]) -> common::Ran {
    let args = ["minify", "--model", "model", "data.h5ad", "--output", output, "--json"];
    folder.scvi(&[&args[..], more].concat())
}

fn latent(folder: &Folder, input: &str, more: &[&str]) -> String {
    let args = ["latent", "--model", "model", input, "--output", "-", "--return-dist"];
    folder.scvi(&[&args[..], more].concat()).ok()
}

#[test]
fn the_posterior_takes_the_place_of_the_counts() {
    let folder = folder("");
    let report = minify(&folder, "mini.h5ad", &[]).json();
    assert_eq!(report["minified_data_type"], "latent_posterior_parameters");
    assert_eq!((&report["cells"], &report["n_latent"]), (&json!(50), &json!(3)));
    assert_eq!(latent(&folder, "mini.h5ad", &[]), latent(&folder, "data.h5ad", &[]));
    let kept = minify(&folder, "both.h5ad", &["--keep-counts"]).json();
    assert_eq!(kept["minified_data_type"], "latent_posterior_parameters_with_counts");
    assert_eq!(latent(&folder, "both.h5ad", &[]), latent(&folder, "data.h5ad", &[]));

    let counts =
        |name: &str| AnnDataFile::open(folder.path(name)).unwrap().counts(&MatrixKey::X).unwrap();
    let (data, mini) = (counts("data.h5ad"), counts("mini.h5ad"));
    assert_eq!((mini.nnz(), mini.n_cells(), mini.n_genes()), (0, 50, GENES));
    assert_eq!(counts("both.h5ad"), data);
    let posterior = AnnDataFile::open(folder.path("mini.h5ad"))
        .unwrap()
        .posterior(PosteriorKeys::Scvi)
        .unwrap();
    let total = |cell| data.row(cell).1.iter().sum::<f32>();
    assert_eq!(posterior.observed_lib_size, (0..50).map(total).collect::<Vec<_>>());
    assert!(folder.names().contains(&"mini.h5ad".to_owned()));
    minify(&folder, "mini.h5ad", &[]).fails_with(&["mini.h5ad", "--overwrite"]);
}

#[test]
fn the_room_of_the_counts_is_free() {
    let folder = Folder::new();
    Cells::new(1500, 300, 1).write(&folder.path("data.h5ad"));
    let args = "train data.h5ad --model model --max-epochs 1 --n-hidden 4 --n-latent 2 --quiet";
    folder.scvi(&args.split(' ').collect::<Vec<_>>()).ok();
    minify(&folder, "mini.h5ad", &[]).ok();
    let size = |name: &str| std::fs::metadata(folder.path(name)).unwrap().len();
    let (before, after) = (size("data.h5ad"), size("mini.h5ad"));
    assert!(after + 50_000 < before, "{before} to {after} bytes");
}

#[test]
fn tasks_that_need_counts_refuse() {
    let folder = folder("");
    minify(&folder, "mini.h5ad", &[]).ok();
    minify(&folder, "both.h5ad", &["--keep-counts"]).ok();
    let evaluate = |input: &str, more: &[&str]| {
        folder.scvi(&[&["evaluate", "--model", "model", input, "--json"], more].concat())
    };
    let hint = "hint: give the file that the minified one was made from";
    evaluate("mini.h5ad", &[]).fails_with(&["elbo needs counts", hint]);
    evaluate("mini.h5ad", &["--n-mc-samples", "2"]).fails_with(&["needs counts", hint]);
    folder
        .scvi(&["train", "mini.h5ad", "--model", "n"])
        .fails_with(&["mini.h5ad is minified: training needs counts"]);
    folder
        .scvi(&["map", "--reference", "model", "mini.h5ad", "--model", "n"])
        .fails_with(&["mini.h5ad is minified: mapping needs counts"]);
    folder
        .scvi(&["minify", "--model", "model", "mini.h5ad", "--output", "o.h5ad"])
        .fails_with(&["mini.h5ad is minified already"]);
    // With the counts everything is there.
    let exact = ["--posterior-mean"];
    let [both, counts] = ["both.h5ad", "data.h5ad"].map(|input| evaluate(input, &exact).json());
    for key in ["n_cells", "elbo", "reconstruction_loss", "kl_local"] {
        assert_eq!(both[key], counts[key], "{key}");
    }
    folder.scvi(&["train", "both.h5ad", "--model", "n", "--max-epochs", "1"]).ok();
    assert!(!folder.names().contains(&"o.h5ad".to_owned()));
}

#[test]
fn what_cannot_be_minified() {
    let latent_library = folder("--no-use-observed-lib-size");
    minify(&latent_library, "o.h5ad", &[]).fails_with(&["use_observed_lib_size"]);
    let folder = folder("");
    minify(&folder, "o.csv", &[]).fails_with(&["o.csv", ".h5ad"]);
    let mut cells = Cells::new(20, GENES, 2).column("batch", &["a"]);
    cells.counts = cells.counts.place_genes(&[None; GENES], GENES);
    cells.write(&folder.path("empty.h5ad"));
    folder.scvi(&["minify", "--model", "model", "empty.h5ad", "--output", "o.h5ad"]).fails_with(&[
        "no posterior that could be stored",
        "cell_0",
        "`python3 -c",
        "empty_with_counts.h5ad` writes the file without them",
    ]);
    assert!(!folder.names().iter().any(|name| name.starts_with("o.")));
}

#[test]
fn posteriors_that_do_not_fit_are_named() {
    let folder = folder("");
    minify(&folder, "mini.h5ad", &[]).ok();
    let args = "train data.h5ad --model other --max-epochs 1 --n-hidden 8 --n-latent 5 --quiet";
    folder.scvi(&args.split(' ').collect::<Vec<_>>()).ok();
    folder
        .scvi(&["latent", "--model", "other", "mini.h5ad", "--output", "-"])
        .fails_with(&["5 latent dimensions", "3"]);
}

fn python(task: &str, folder: &Folder) -> bool {
    let Ok(python) = std::env::var("SCVI_REFERENCE_PYTHON") else {
        eprintln!("skipped: what scvi-tools says (set SCVI_REFERENCE_PYTHON to a Python with it)");
        return false;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check_minified.py");
    let output = Command::new(python).arg(script).arg(task).arg(folder.path("")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    true
}

/// A folder with data that scvi-tools made, our model of it, and that model as a save.
fn folder_of_scvi_tools() -> Option<Folder> {
    let folder = Folder::new();
    if !python("make", &folder) {
        return None;
    }
    let args = "train data.h5ad --model model --max-epochs 2 --n-hidden 8 --n-latent 3 --quiet \
                --batch-key batch --layer layers/raw";
    folder.scvi(&args.split_whitespace().collect::<Vec<_>>()).ok();
    let args = "convert --model model --to scvi-tools --output save";
    folder.scvi(&args.split(' ').collect::<Vec<_>>()).ok();
    Some(folder)
}

#[test]
fn scvi_tools_opens_what_was_minified_here() {
    let Some(folder) = folder_of_scvi_tools() else { return };
    minify(&folder, "posterior.h5ad", &[]).ok();
    minify(&folder, "counts.h5ad", &["--keep-counts"]).ok();
    let args = "latent --model model data.h5ad --output latent.npy";
    folder.scvi(&args.split(' ').collect::<Vec<_>>()).ok();
    python("read", &folder);
}

#[test]
fn what_scvi_tools_minified_is_read_here() {
    let Some(folder) = folder_of_scvi_tools() else { return };
    python("write", &folder);
    // With its own model, and with ours.
    for model in ["theirs", "model"] {
        let args = ["latent", "--model", model, "theirs.h5ad", "--output", "ours.npy"];
        folder.scvi(&[&args[..], &["--overwrite"]].concat()).ok();
        let bytes = |name: &str| std::fs::read(folder.path(name)).unwrap();
        let numbers = |name: &str| bytes(name).split_off(bytes(name).len() - 50 * 3 * 4);
        assert!(numbers("ours.npy") == numbers("theirs.npy"), "{model}");
        folder
            .scvi(&["evaluate", "--model", model, "theirs.h5ad"])
            .fails_with(&["elbo needs counts"]);
    }
    // A model that was saved with minified data is a reference like any other.
    let args = "map --reference theirs data.h5ad --model m --max-epochs 1 --json";
    folder.scvi(&args.split(' ').collect::<Vec<_>>()).json();
}
