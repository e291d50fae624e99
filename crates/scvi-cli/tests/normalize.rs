//! `scvi normalize` and `scvi parameters` with models that scvi-tools saved.

mod common;

use std::collections::BTreeMap;
use std::fs;

use common::Folder;
use common::saves::{CELLS, columns, folder, python_agrees, save, tensor};

const GENES: usize = 20;

/// What scvi-tools gave of the first cells (`reference/expression.py`).
fn expected(name: &str) -> Vec<f64> {
    tensor(&save("expression.safetensors"), name).unwrap()
}

fn args<'a>(verb: &'a str, model: &'a str, more: &'a str) -> Vec<&'a str> {
    let fixed = [verb, "--model", model, "data.h5ad"];
    fixed.into_iter().chain(more.split(' ').filter(|arg| !arg.is_empty())).collect()
}

/// The columns of a table on stdout.
fn printed(folder: &Folder, model: &str, more: &str) -> Vec<(String, Vec<f64>)> {
    let path = save(model);
    let more = format!("{more} --output -");
    columns(&folder.scvi(&args("normalize", path.to_str().unwrap(), &more)).ok())
}

#[track_caller]
fn assert_near(table: &[(String, Vec<f64>)], expected: &[f64]) {
    for (i, &wanted) in expected.iter().enumerate() {
        let (cell, gene) = (i / table.len(), i % table.len());
        let found = table[gene].1[cell];
        assert!((found - wanted).abs() <= 1e-5 * wanted.abs(), "{cell} {gene}: {found} {wanted}");
    }
}

#[test]
fn options_mean_what_they_mean_in_scvi_tools() {
    let folder = folder();
    fs::write(folder.path("genes.txt"), "gene 7\n\ngene 2\r\n").unwrap();
    for model in ["default", "covariates", "size_factor", "latent_library"] {
        let near = |more: &str, key: &str| {
            let table = printed(&folder, model, &format!("{more} --posterior-mean"));
            assert_near(&table, &expected(&format!("{model}/{key}")));
        };
        near("", "one");
        near("--library-size 1e4", "number");
        near("--library-size latent", "latent");
        let mut genes = printed(&folder, model, "--gene-list genes.txt --posterior-mean");
        assert_eq!((&*genes[0].0, &*genes[1].0), ("gene 7", "gene 2"));
        genes.reverse();
        assert_near(&genes, &expected(&format!("{model}/genes")));
    }
    // Names of batches have a space.
    let path = save("covariates");
    let fixed = args("normalize", path.to_str().unwrap(), "--posterior-mean --output -");
    for (batches, key) in
        [(&["batch b"][..], "covariates/batch"), (&["batch a", "batch b"], "covariates/batches")]
    {
        let ran = folder.scvi(&[&fixed, &["--transform-batch"][..], batches].concat());
        assert_near(&columns(&ran.ok()), &expected(key));
    }
}

#[test]
fn every_format_holds_the_same() {
    let folder = folder();
    fs::write(folder.path("genes.txt"), "gene 7\ngene 2\n").unwrap();
    let path = save("default");
    let model = path.to_str().unwrap();
    for output in ["out.npy", "out.csv", "out.tsv", "out.zarr", "out.h5ad"] {
        let more = format!("--output {output} --json");
        let json = folder.scvi(&args("normalize", model, &more)).json();
        assert_eq!((json["rows"].as_u64(), json["genes"].as_u64()), (Some(60), Some(20)));
        folder.scvi(&args("normalize", model, &more)).fails_with(&[output, "--overwrite"]);
        folder.scvi(&args("normalize", model, &format!("{more} --overwrite"))).ok();
    }
    folder.scvi(&args("normalize", model, "--gene-list genes.txt --output genes.h5ad")).ok();
    folder.scvi(&args("parameters", model, "--posterior-mean --output p.npz")).ok();
    let json =
        folder.scvi(&args("parameters", model, "--posterior-mean --output p.h5ad --json")).json();
    assert_eq!(json["parameters"].to_string(), r#"["mean","dropout","dispersions"]"#);
    python_agrees(&folder, "check_normalized.py");
    // Nothing temporary is left.
    assert!(folder.names().iter().all(|name| !name.starts_with('.')), "{:?}", folder.names());
}

#[test]
fn latent_gives_library_sizes_and_points_of_the_simplex() {
    let folder = folder();
    let latent = |model: &str, more: &str| {
        let path = save(model);
        let more = format!("--library-size --output - {more}");
        columns(&folder.scvi(&args("latent", path.to_str().unwrap(), &more)).ok())
    };
    let near = |found: &[f64], wanted: &[f64], relative: f64| {
        let pairs = found.iter().zip(wanted);
        assert!(pairs.clone().count() >= 5);
        pairs.for_each(|(a, b)| assert!((a - b).abs() <= relative * b.abs(), "{a} {b}"));
    };
    let table = latent("latent_library", "");
    assert_eq!((table.len(), &*table[3].0), (4, "library_size"));
    near(&table[3].1, &expected("latent_library/library_size"), 1e-5);
    assert_ne!(table[3].1, latent("latent_library", "--no-give-mean")[3].1);
    let totals = tensor(&save("input.safetensors"), "x").unwrap();
    let totals: Vec<f64> = totals.chunks(GENES).map(|row| row.iter().sum()).collect();
    let table = latent("logistic_normal", "");
    near(&table[3].1, &totals, 1e-5);
    // The mean of 5,000 draws.
    for (cell, z) in expected("logistic_normal/z").chunks(3).enumerate() {
        near(
            &[table[0].1[cell], table[1].1[cell], table[2].1[cell], 1.0, 1.0],
            &[z, &[1.0, 1.0]].concat(),
            0.1,
        );
    }
    let path = save("default");
    let more = "--library-size --output sizes.h5ad";
    folder.scvi(&args("latent", path.to_str().unwrap(), more)).ok();
    let file = scvi_io::anndata::AnnDataFile::open(folder.path("sizes.h5ad")).unwrap();
    assert_eq!(file.obsm_keys(), ["X_scVI"]);
    let sizes = file.obs_column("scvi_library_size").unwrap().to_numbers().unwrap();
    near(&sizes, &totals, 1e-5);
}

#[test]
fn draws_go_by_the_seed_alone() {
    let folder = folder();
    let draw = |more: &str| printed(&folder, "latent_library", more);
    let one = draw("--threads 1");
    assert_eq!(one, draw("--threads 2 --batch-size 17"));
    assert_ne!(one, draw("--seed 1"));
    let mean = draw("--n-samples 200");
    assert_ne!(one, mean);
    assert_eq!(mean, draw("--n-samples 200 --threads 2 --batch-size 7"));

    let overall = draw("--n-samples-overall 100 --threads 1");
    assert_eq!(overall, draw("--n-samples-overall 100 --threads 2 --batch-size 17"));
    assert_eq!((overall.len(), overall[0].1.len()), (GENES, 100));
    let path = save("latent_library");
    let output = "--n-samples-overall 5 --output out.h5ad";
    folder.scvi(&args("normalize", path.to_str().unwrap(), output)).fails_with(&[".h5ad"]);
}

#[test]
fn dropped_cells_are_nan_if_kept_and_genes_keep_the_order_of_the_file() {
    let folder = folder();
    let path = save("default");
    let model = path.to_str().unwrap();
    let whole: BTreeMap<_, _> =
        printed(&folder, "default", "--posterior-mean").into_iter().collect();
    // The same data with genes reversed and an empty cell in front.
    common::saves::write_data(&folder.path("other.h5ad"), |cells, genes| {
        cells.insert(0, vec![0.0; GENES]);
        cells.iter_mut().for_each(|row| row.reverse());
        genes.reverse();
    });
    let run = |verb: &str, more: &[&str]| {
        let fixed =
            [verb, "--model", model, "other.h5ad", "--drop-empty-cells", "--keep-dropped-cells"];
        folder.scvi(&[&fixed[..], more].concat())
    };
    let table = columns(&run("normalize", &["--posterior-mean", "--output", "-"]).ok());
    assert_eq!(table[0].0, "gene 19");
    for (gene, values) in table {
        assert!(values[0].is_nan());
        for (found, wanted) in values[1..].iter().zip(&whole[&gene]) {
            // Sums over genes run in another order.
            assert!((found - wanted).abs() <= 1e-5 * wanted, "{gene}");
        }
        assert_eq!(values.len(), CELLS + 1);
    }
    for verb in ["normalize", "parameters"] {
        let output = format!("other_{verb}.h5ad");
        run(verb, &["--posterior-mean", "--output", &output]).ok();
    }
    python_agrees(&folder, "check_normalized.py");
}

#[test]
fn refuses_what_it_does_not_know() {
    let folder = folder();
    let path = save("covariates");
    let model = path.to_str().unwrap();
    fs::write(folder.path("genes.txt"), "gene 7\ngene 77\nSOX2\n").unwrap();
    fs::write(folder.path("none.txt"), "\n").unwrap();
    let fails = |more: &str, parts: &[&str]| {
        let more = format!("{more} --output out.csv");
        folder.scvi(&args("normalize", model, &more)).fails_with(parts);
    };
    fails("--gene-list genes.txt", &["genes.txt", "2 of 3", "gene 77, SOX2", "one name per line"]);
    fails("--gene-list none.txt", &["none.txt", "no gene"]);
    fails("--gene-list nowhere.txt", &["nowhere.txt", "does not exist"]);
    fails("--transform-batch z", &["'z'", "batch a, batch b"]);
    fails("--library-size 0", &["library-size", "'0'", "latent"]);
    fails("--library-size many", &["'many'"]);
    let refused = |verb: &str, output: &str, parts: &[&str]| {
        folder.scvi(&args(verb, model, &format!("--output {output}"))).fails_with(parts);
    };
    refused("normalize", "out.txt", &["out.txt", ".zarr"]);
    refused("parameters", "out.npy", &["out.npy", ".npz"]);
    refused("normalize", "no/out.npy", &["there is no folder"]);
    let default = save("default");
    let more = "--transform-batch a --output out.csv";
    folder.scvi(&args("normalize", default.to_str().unwrap(), more)).fails_with(&["'a'", "none"]);
    assert_eq!(folder.names(), ["data.h5ad", "genes.txt", "none.txt"]);
}
