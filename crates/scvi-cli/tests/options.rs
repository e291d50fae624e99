//! Options of the model and covariates of the data, from the command line to the saved model.

mod common;

use common::{Folder, Ran, categorical, counts, write};
use scvi_io::anndata::Column;

const CELLS: usize = 60;

/// 60 cells x 30 genes with every kind of covariate.
fn folder() -> Folder {
    let folder = Folder::new();
    let codes = |n: usize| (0..CELLS).map(|c| Some((c % n) as u32)).collect::<Vec<_>>();
    let numbers = |f: fn(usize) -> f64| Column::Floats((0..CELLS).map(f).collect());
    let obs = vec![
        ("batch".to_owned(), categorical(&codes(2), &["a", "b"])),
        ("type".to_owned(), categorical(&codes(3), &["x", "y", "z"])),
        ("donor".to_owned(), categorical(&codes(4), &["p", "q", "r", "s"])),
        ("age".to_owned(), numbers(|c| 20.0 + c as f64)),
        ("percent".to_owned(), numbers(|c| (c as f64).sin())),
        ("size".to_owned(), numbers(|c| 0.5 + (c % 5) as f64)),
        ("zero".to_owned(), numbers(|c| c as f64)),
    ];
    write(&folder.path("data.h5ad"), &counts(CELLS, 30), obs);
    folder
}

fn train(folder: &Folder, args: &[&str]) -> Ran {
    let fixed = ["train", "data.h5ad", "--model", "m", "--overwrite", "--quiet"];
    let small = ["--n-hidden", "8", "--n-latent", "3", "--max-epochs", "2"];
    folder.scvi(&[&fixed[..], &small, args].concat())
}

#[test]
fn every_option_trains_and_the_saved_model_evaluates() {
    let folder = folder();
    for args in [
        "--batch-key batch --categorical-covariate-key donor type --continuous-covariate-key age",
        "--batch-key batch --batch-representation embedding --batch-embedding-dim 3 --encode-covariates",
        "--batch-key batch --no-use-observed-lib-size",
        "--size-factor-key size --dispersion gene-cell --gene-likelihood nb",
        "--labels-key type --dispersion gene-label --latent-distribution ln",
        "--gene-likelihood normal --use-layer-norm both --var-activation softplus",
    ] {
        let args: Vec<&str> = args.split(' ').collect();
        train(&folder, &args).ok();
        let evaluate = ["evaluate", "--model", "m", "data.h5ad", "--json", "--n-mc-samples", "4"];
        let json = folder.scvi(&[&evaluate[..], &["--per-cell", "c.csv", "--overwrite"]].concat());
        let json = json.json();
        for key in ["elbo", "reconstruction_loss", "kl_local", "marginal_ll"] {
            assert!(json[key].as_f64().is_some_and(f64::is_finite), "{args:?}: {key}: {json}");
        }
        let table = std::fs::read_to_string(folder.path("c.csv")).unwrap();
        let mut lines = table.lines();
        let header = "cell,elbo,reconstruction_loss,kl_local,marginal_ll";
        assert_eq!((lines.next(), lines.count()), (Some(header), CELLS));
    }
}

#[test]
fn inspect_shows_what_the_model_reads() {
    let folder = folder();
    train(&folder, &["--categorical-covariate-key", "donor", "--continuous-covariate-key", "age"])
        .ok();
    let json = folder.scvi(&["inspect", "m", "--json"]).json();
    assert_eq!(
        json["categorical_covariates"][0]["categories"],
        serde_json::json!(["p", "q", "r", "s"])
    );
    assert_eq!(json["continuous_covariates"], serde_json::json!(["age"]));
    assert_eq!(json["config"]["n_cats_per_cov"], serde_json::json!([4]));
}

#[test]
fn covariates_change_the_model() {
    let folder = folder();
    let latent = || {
        let args = ["latent", "--model", "m", "data.h5ad", "--output", "-"];
        folder.scvi(&args).ok()
    };
    train(&folder, &["--encode-covariates"]).ok();
    let plain = latent();
    let covariates = ["--encode-covariates", "--continuous-covariate-key", "percent"];
    train(&folder, &covariates).ok();
    assert_ne!(plain, latent());
}

#[test]
fn wrong_options_are_named_and_nothing_is_written() {
    let folder = folder();
    for (args, parts) in [
        ("--dispersion gene-label", &["gene-label needs labels", "hint: ", "--labels-key"][..]),
        ("--use-layer-norm all", &["use_layer_norm", "\"all\"", "both, encoder, decoder, none"]),
        ("--latent-distribution lognormal", &["latent_distribution", "normal, ln"]),
        ("--batch-representation vector", &["batch_representation", "one-hot, embedding"]),
        ("--var-activation relu", &["var_activation", "exp, softplus"]),
        (
            "--batch-representation embedding --batch-embedding-dim 0",
            &["embedding_dim is 0", "1 or more"],
        ),
        (
            "--continuous-covariate-key type",
            &["'type'", "no numbers", "--categorical-covariate-key"],
        ),
        ("--continuous-covariate-key weight", &["weight", "age"]),
        ("--categorical-covariate-key donors", &["donors", "donor"]),
        ("--size-factor-key zero", &["column 'zero'", "it is 0", "above 0"]),
    ] {
        let args: Vec<&str> = args.split(' ').collect();
        let ran = train(&folder, &args);
        ran.fails_with(parts);
        assert_eq!(folder.names(), ["data.h5ad"], "{args:?}");
    }
}

#[test]
fn a_covariate_that_new_data_lacks_is_named() {
    let folder = folder();
    train(&folder, &["--continuous-covariate-key", "age"]).ok();
    write(&folder.path("other.h5ad"), &counts(5, 30), vec![]);
    folder
        .scvi(&["latent", "--model", "m", "other.h5ad", "--output", "l.csv"])
        .fails_with(&["'age'"]);
}
