//! Zarr stores as input and output: the very same results as from the .h5ad file.

mod common;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use common::Folder;
use scvi_io::anndata::{AnnDataFile, MatrixKey};

/// The bytes of a fixture that scvi-io's tests keep.
fn fixture(name: &str) -> Vec<u8> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scvi-io/tests/data");
    let packed = std::fs::File::open(data.join(format!("{name}.gz"))).unwrap();
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
    bytes
}

/// A folder with one AnnData as .h5ad and as stores of both versions, and a model of it.
fn folder() -> Folder {
    let folder = Folder::new();
    std::fs::write(folder.path("data.h5ad"), fixture("everything.h5ad")).unwrap();
    for version in ["v2", "v3"] {
        let text = fixture(&format!("everything_{version}.zarr.json"));
        let files: BTreeMap<String, String> = serde_json::from_slice(&text).unwrap();
        for (path, hex) in files {
            let file = folder.path(&format!("{version}.zarr")).join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            let byte = |k: usize| u8::from_str_radix(&hex[2 * k..2 * k + 2], 16).unwrap();
            std::fs::write(file, (0..hex.len() / 2).map(byte).collect::<Vec<u8>>()).unwrap();
        }
    }
    train(&folder, "data.h5ad", "model", &[]);
    folder
}

fn train(folder: &Folder, input: &str, model: &str, more: &[&str]) {
    let args = "--layer counts --batch-key string --max-epochs 2 --n-hidden 4 --n-latent 2 \
                --drop-empty-cells --quiet";
    let args: Vec<&str> = args.split_whitespace().collect();
    folder.scvi(&[&["train", input, "--model", model], &args[..], more].concat()).ok();
}

fn task(folder: &Folder, verb: &str, input: &str, output: &str, more: &[&str]) -> common::Ran {
    let args = [verb, "--model", "model", input, "--output", output, "--drop-empty-cells"];
    folder.scvi(&[&args[..], more].concat())
}

#[test]
fn the_same_results_as_from_the_h5ad() {
    let folder = folder();
    for store in ["v2.zarr", "v3.zarr"] {
        let model = format!("model_of_{store}");
        train(&folder, store, &model, &["--output", &format!("trained_{store}")]);
        let weights =
            |dir: &str| std::fs::read(folder.path(dir).join("model.safetensors")).unwrap();
        assert_eq!(weights(&model), weights("model"), "{store}");
        let trained = AnnDataFile::open(folder.path(&format!("trained_{store}"))).unwrap();
        assert!(trained.obsm_keys().contains(&"X_scVI".to_owned()));
        for verb in ["latent", "normalize"] {
            let text = |input| task(&folder, verb, input, "-", &[]).ok();
            assert_eq!(text(store), text("data.h5ad"), "{verb} {store}");
        }
        for verb in ["correlate", "sample"] {
            let ending = if verb == "sample" { "h5ad" } else { "csv" };
            let of = |input: &str| {
                let output = format!("{verb}_{input}.{ending}");
                task(&folder, verb, input, &output, &[]).ok();
                std::fs::read(folder.path(&output)).unwrap()
            };
            assert_eq!(of(store), of("data.h5ad"), "{verb} {store}");
            std::fs::remove_file(folder.path(&format!("{verb}_data.h5ad.{ending}"))).unwrap();
        }
        let evaluate = |input: &str| {
            let args = ["evaluate", "--model", "model", input, "--drop-empty-cells", "--json"];
            folder.scvi(&args).without_seconds()
        };
        assert_eq!(evaluate(store), evaluate("data.h5ad"), "{store}");
    }
}

#[test]
fn results_are_added_to_a_copy_of_the_store() {
    let folder = folder();
    for store in ["v2.zarr", "v3.zarr"] {
        let layer = |output: &str, key: &str| {
            let file = AnnDataFile::open(folder.path(output)).unwrap();
            file.counts(&MatrixKey::Layer(key.into()))
        };
        for (verb, key) in [("normalize", "scvi_normalized"), ("parameters", "scvi_mean")] {
            let [zarr, h5ad] = [(store, "zarr"), ("data.h5ad", "h5ad")].map(|(input, ending)| {
                let output = format!("{verb}_{store}.{ending}");
                let more = ["--posterior-mean", "--keep-dropped-cells"];
                task(&folder, verb, input, &output, &more).ok();
                output
            });
            // The cell without counts was left out: its row is NaN, and no count.
            let [a, b] = [&zarr, &h5ad].map(|output| layer(output, key).unwrap_err().to_string());
            assert_eq!(a.replace(&*zarr, ""), b.replace(&*h5ad, ""), "{verb} {store}");
        }
        // Without --keep-dropped-cells it has no row.
        let output = format!("latent_{store}");
        task(&folder, "latent", store, &output, &["--return-dist"]).ok();
        task(&folder, "latent", store, &output, &[]).fails_with(&["--overwrite"]);
        let inspected = folder.scvi(&["inspect", &output, "--json"]).json();
        assert_eq!((&inspected["kind"], &inspected["cells"]), (&"zarr".into(), &6.into()));
        let keys = inspected["obsm"].as_array().unwrap();
        assert!(keys.contains(&"X_scVI".into()) && keys.contains(&"X_latent_qzv".into()));
    }
}

#[test]
fn a_copy_of_another_kind_is_refused() {
    let folder = folder();
    let refused = ["v2.zarr", "must end in .zarr", "hint: name it: `--output"];
    for verb in ["latent", "normalize", "parameters"] {
        task(&folder, verb, "v2.zarr", "out.h5ad", &[]).fails_with(&refused);
    }
    task(&folder, "latent", "data.h5ad", "out.zarr", &[]).fails_with(&["must end in .h5ad"]);
    assert!(!folder.names().iter().any(|name| name.starts_with("out")));
}
