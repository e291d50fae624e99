//! `scvi sample` and `scvi correlate` with models that scvi-tools saved.

mod common;

use std::fs;

use common::Folder;
use common::saves::{CELLS, columns, folder, save};
use scvi_io::anndata::{AnnDataFile, MatrixKey};

fn scvi(folder: &Folder, verb: &str, model: &str, more: &[&str]) -> common::Ran {
    let path = save(model);
    folder.scvi(&[&[verb, "--model", path.to_str().unwrap(), "data.h5ad"], more].concat())
}

#[test]
fn draws_are_written_sparse_and_again_the_same() {
    let folder = folder();
    let more = ["--output", "draws.h5ad", "--n-samples", "3", "--seed", "4", "--json"];
    let json = scvi(&folder, "sample", "covariates", &more).json();
    assert_eq!((json["cells"].as_u64(), json["n_samples"].as_u64()), (Some(CELLS as u64), Some(3)));
    let file = AnnDataFile::open(folder.path("draws.h5ad")).unwrap();
    let keys = [MatrixKey::X, MatrixKey::Layer("draw_1".into()), MatrixKey::Layer("draw_2".into())];
    let draws = keys.map(|key| file.counts(&key).unwrap());
    assert!(draws.iter().all(|draw| draw.is_integral() && draw.nnz() > 0));
    assert!(draws[0] != draws[1] && draws[1] != draws[2]);
    for threads in ["1", "2"] {
        let more = [&more[..], &["--overwrite", "--threads", threads]].concat();
        scvi(&folder, "sample", "covariates", &more).ok();
        let again = AnnDataFile::open(folder.path("draws.h5ad")).unwrap();
        assert_eq!(again.counts(&MatrixKey::Layer("draw_2".into())).unwrap(), draws[2]);
    }
    fs::write(folder.path("genes.txt"), "gene 7\ngene 2\n").unwrap();
    let more = ["--output", "two.h5ad", "--seed", "4", "--gene-list", "genes.txt"];
    scvi(&folder, "sample", "covariates", &more).ok();
    let two = AnnDataFile::open(folder.path("two.h5ad")).unwrap();
    assert_eq!(two.var_names(), ["gene 7", "gene 2"]);
    let of = |counts: &scvi::data::CsrMatrix, cell: usize, gene: u32| {
        let (genes, values) = counts.row(cell);
        genes.iter().position(|&g| g == gene).map_or(0.0, |i| values[i])
    };
    let some = two.counts(&MatrixKey::X).unwrap();
    for cell in 0..CELLS {
        assert_eq!(of(&some, cell, 0), of(&draws[0], cell, 7));
        assert_eq!(of(&some, cell, 1), of(&draws[0], cell, 2));
    }
}

#[test]
fn correlations_are_symmetric_and_of_the_genes_asked_for() {
    let folder = folder();
    fs::write(folder.path("genes.txt"), "gene 7\ngene 2\ngene 0\n").unwrap();
    for kind in ["spearman", "pearson"] {
        let common = ["--correlation-type", kind, "--gene-list", "genes.txt", "--output"];
        let printed = scvi(&folder, "correlate", "default", &[&common[..], &["-"]].concat()).ok();
        let table = columns(&printed);
        let names: Vec<&str> = table.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["gene 7", "gene 2", "gene 0"]);
        for i in 0..3 {
            assert!((table[i].1[i] - 1.0).abs() < 1e-6);
            for j in 0..3 {
                assert!((table[i].1[j] - table[j].1[i]).abs() < 1e-6);
                assert!(table[i].1[j].abs() <= 1.0);
            }
        }
        let file = format!("{kind}.csv");
        let more = [&common[..], &[&file, "--threads", "1"]].concat();
        scvi(&folder, "correlate", "default", &more).ok();
        assert_eq!(fs::read_to_string(folder.path(&file)).unwrap(), printed);
    }
}

#[test]
fn refusals_name_what_there_is() {
    let folder = folder();
    let refused = |verb: &str, more: &[&str], parts: &[&str]| {
        scvi(&folder, verb, "covariates", more).fails_with(parts);
    };
    refused("sample", &["--output", "draws.csv"], &["draws.csv", ".h5ad"]);
    let of_batch = ["--transform-batch", "batch z", "--output"];
    refused("sample", &[&of_batch[..], &["x.h5ad"]].concat(), &["batch z", "batch a"]);
    refused("correlate", &[&of_batch[..], &["x.csv"]].concat(), &["batch z", "batch a"]);
    let of_kind = ["--correlation-type", "kendall", "--output", "x.csv"];
    refused("correlate", &of_kind, &["kendall", "spearman, pearson"]);
    refused("correlate", &["--output", "x.h5ad"], &["x.h5ad", ".csv"]);
    let of_size = ["--rna-size-factor", "0", "--output", "x.csv"];
    refused("correlate", &of_size, &["rna-size-factor", "above 0"]);
    fs::write(folder.path("genes.txt"), "gene 7\nNOSUCHGENE\n").unwrap();
    let of_genes = ["--gene-list", "genes.txt", "--output"];
    refused("sample", &[&of_genes[..], &["x.h5ad"]].concat(), &["NOSUCHGENE"]);
    refused("correlate", &[&of_genes[..], &["x.csv"]].concat(), &["NOSUCHGENE"]);
    let path = save("poisson");
    if path.exists() {
        scvi(&folder, "correlate", "poisson", &["--output", "x.csv"]).fails_with(&["dispersion"]);
    }
    assert!(folder.names().iter().all(|name| !name.starts_with("x.")));
}
