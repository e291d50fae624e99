//! Models of scvi-tools on the command line, and ours for scvi-tools.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::saves::{columns, folder, save, tensor};

#[track_caller]
fn assert_near(found: f64, expected: f64, scale: f64, what: &str) {
    assert!(
        (found - expected).abs() <= 1e-5 * scale.max(expected.abs()),
        "{what}: {found} {expected}"
    );
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn a_save_of_scvi_tools_is_a_model() {
    let folder = folder();
    for name in ["default", "covariates", "size_factor", "latent_library", "gene_label", "linear"] {
        let (path, expected) = (save(name), save(name).join("expected.safetensors"));
        let path = path.to_str().unwrap();
        let expected = |key: &str| tensor(&expected, key);
        let latent = folder.scvi(&[
            "latent",
            "--model",
            path,
            "data.h5ad",
            "--output",
            "-",
            "--return-dist",
        ]);
        let latent = columns(&latent.ok());
        for (key, expected) in [("qzm", expected("qz_m")), ("qzv", expected("qz_v"))] {
            for (cell, row) in expected.unwrap().chunks(3).enumerate() {
                for (d, &value) in row.iter().enumerate() {
                    let column = format!("X_latent_{key}_{d}");
                    let found = &latent.iter().find(|(name, _)| *name == column).unwrap().1;
                    assert_near(found[cell], value, 0.1, &format!("{name} {column} {cell}"));
                }
            }
        }
        let args = ["evaluate", "--model", path, "data.h5ad", "--posterior-mean", "--json"];
        let json = folder.scvi(&args).json();
        let reconstruction = mean(&expected("reconstruction").unwrap());
        let kl = mean(&expected("kl_z").unwrap()) + expected("kl_l").map_or(0.0, |kl| mean(&kl));
        assert_near(json["reconstruction_loss"].as_f64().unwrap(), reconstruction, 0.0, name);
        assert_near(json["kl_local"].as_f64().unwrap(), kl, 0.0, name);
        assert_near(json["elbo"].as_f64().unwrap(), -(reconstruction + kl), 0.0, name);
    }
    // What the model was set up with is asked of the data.
    let layer = save("layer");
    folder
        .scvi(&["evaluate", "--model", layer.to_str().unwrap(), "data.h5ad"])
        .fails_with(&["no layers/counts, which the model was trained on (it has: X)"]);
}

#[test]
fn there_and_back() {
    let folder = folder();
    let original = save("covariates");
    let convert = |from: &str, to: &str, output: &str| {
        folder.scvi(&["convert", "--model", from, "--to", to, "--output", output, "--json"])
    };
    let json = convert(original.to_str().unwrap(), "native", "native").json();
    assert_eq!((&json["from"], &json["to"]), (&"scvi-tools".into(), &"native".into()));
    assert_eq!((&json["model_class"], &json["genes"]), (&"SCVI".into(), &20.into()));
    assert_eq!(json["left_out"], serde_json::json!([]));
    assert_eq!(json["files"], serde_json::json!(["native"]));
    let json = convert("native", "scvi-tools", "again").json();
    assert_eq!(json["files"], serde_json::json!(["again/model.pt"]));

    let latent =
        |model: &str| folder.scvi(&["latent", "--model", model, "data.h5ad", "--output", "-"]).ok();
    let expected = latent(original.to_str().unwrap());
    for model in ["native", "again", "again/model.pt"] {
        assert_eq!(latent(model), expected, "{model}");
    }
    let inspect = |model: &str| folder.scvi(&["inspect", model, "--json"]).json();
    let (mut native, mut again) = (inspect("native"), inspect("again"));
    assert_eq!((&native["format"], &again["format"]), (&"native".into(), &"scvi-tools".into()));
    assert_eq!(native["program"], "scvi-tools 1.4.2");
    for report in [&mut native, &mut again] {
        report.as_object_mut().unwrap().retain(|key, _| !key.starts_with("format"));
    }
    assert_eq!(native, again);
}

#[test]
fn conversions_that_fail() {
    let folder = folder();
    let default = save("default");
    let default = default.to_str().unwrap();
    let convert = |from: &str, to: &str, output: &str, more: &[&str]| {
        let args = ["convert", "--model", from, "--to", to, "--output", output];
        folder.scvi(&[&args[..], more].concat())
    };
    convert("none", "native", "o", &[]).fails_with(&["none does not exist"]);
    convert("data.h5ad", "native", "o", &[]).fails_with(&["data.h5ad", "is a file"]);
    fs::create_dir(folder.path("empty")).unwrap();
    convert("empty", "native", "o", &[]).fails_with(&["empty", "model.json", "model.pt"]);
    fs::create_dir(folder.path("two")).unwrap();
    for name in ["a_model.pt", "b_model.pt"] {
        fs::copy(save("default").join("model.pt"), folder.path("two").join(name)).unwrap();
    }
    let several = ["a_model.pt, b_model.pt", "hint: name one of them: `--model two/a_model.pt` or"];
    convert("two", "native", "o", &[]).fails_with(&several);
    fs::write(folder.path("broken.pt"), "PK").unwrap();
    convert("broken.pt", "native", "o", &[]).fails_with(&["broken.pt"]);
    assert!(!folder.path("o").exists());

    convert("two/a_model.pt", "native", "o", &[]).ok();
    for to in ["native", "scvi-tools"] {
        convert(default, to, "o", &[]).fails_with(&["o exists already", "--overwrite"]);
        convert(default, to, "none/o", &[]).fails_with(&["none"]);
    }
    convert(default, "native", "o", &["--overwrite"]).ok();
    convert(default, "scvi-tools", "o", &["--overwrite"]).fails_with(&["o", "model.json"]);
    convert(default, "native", "two", &["--overwrite"]).fails_with(&["two", "other things"]);
    convert(default, "scvi-tools", "p", &[]).ok();
    fs::write(folder.path("p").join("adata.h5ad"), "mine").unwrap();
    convert("o", "scvi-tools", "p", &["--overwrite"]).ok();
    assert_eq!(fs::read(folder.path("p").join("adata.h5ad")).unwrap(), b"mine");
    assert_eq!(convert(default, "torch", "q", &[]).code(), 2);
}

#[test]
fn scvi_tools_opens_what_this_program_trained() {
    let Ok(python) = std::env::var("SCVI_REFERENCE_PYTHON") else {
        eprintln!("skipped: what scvi-tools says (set SCVI_REFERENCE_PYTHON to a Python with it)");
        return;
    };
    let folder = folder();
    let models = [
        "--gene-likelihood poisson",
        "--batch-key batch --categorical-covariate-key donor plate --continuous-covariate-key age \
         score --encode-covariates --n-layers 2",
        "--batch-key plate --batch-representation embedding --no-use-observed-lib-size",
        "--labels-key label --dispersion gene-label --size-factor-key size --var-activation softplus",
        "--batch-key batch --dispersion gene-cell --gene-likelihood nb --use-layer-norm both",
    ];
    let small = "--max-epochs 2 --n-hidden 8 --n-latent 3 --check-val-every-n-epoch 1 --quiet";
    for (k, options) in models.iter().enumerate() {
        let (model, save, latent) = (format!("m{k}"), format!("s{k}"), format!("s{k}.npy"));
        let fixed = ["train", "data.h5ad", "--model", &model];
        let options = options.split_whitespace().chain(small.split(' '));
        folder.scvi(&fixed.into_iter().chain(options).collect::<Vec<_>>()).ok();
        folder.scvi(&["convert", "--model", &model, "--to", "scvi-tools", "--output", &save]).ok();
        folder.scvi(&["latent", "--model", &save, "data.h5ad", "--output", &latent]).ok();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check_converted.py");
    let output = Command::new(python).arg(script).arg(folder.path("")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let loaded = String::from_utf8(output.stdout).unwrap();
    assert_eq!(loaded.lines().filter(|line| line.ends_with(": same")).count(), models.len());
}
