//! `scvi normalize` that writes every draw, and that draws rows by importance weights.

mod common;

use std::fs;
use std::path::Path;

use common::Folder;
use common::saves::{CELLS, columns, folder, python_agrees, save};
use scvi_io::anndata::{AnnDataFile, MatrixKey};

const GENES: usize = 20;

fn normalize(folder: &Folder, more: &str) -> common::Ran {
    let model = save("default");
    let fixed = ["normalize", "--model", model.to_str().unwrap(), "data.h5ad"];
    folder.scvi(&fixed.into_iter().chain(more.split_whitespace()).collect::<Vec<_>>())
}

/// Shape, as NumPy writes it, and values of an array.
fn npy(path: &Path) -> (String, Vec<f32>) {
    let bytes = fs::read(path).unwrap();
    let start = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = String::from_utf8(bytes[10..start].to_vec()).unwrap();
    let shape = header.split("'shape': (").nth(1).unwrap().split(')').next().unwrap().to_owned();
    (shape, bytes[start..].as_chunks().0.iter().map(|v| f32::from_le_bytes(*v)).collect())
}

#[test]
fn every_draw_is_written_and_their_mean_is_the_mean() {
    let folder = folder();
    let seven = "--n-samples 7 --return-samples --batch-size 16 --threads 2";
    normalize(&folder, &format!("{seven} --output draws.npy")).ok();
    normalize(&folder, "--n-samples 7 --output mean.npy").ok();
    normalize(&folder, "--output one.npy").ok();
    let (shape, draws) = npy(&folder.path("draws.npy"));
    assert_eq!(shape, "7, 60, 20");
    let (_, mean) = npy(&folder.path("mean.npy"));
    let n = CELLS * GENES;
    for (i, mean) in mean.iter().enumerate() {
        let found = (0..7).map(|draw| f64::from(draws[draw * n + i])).sum::<f64>() / 7.0;
        assert!((found - f64::from(*mean)).abs() <= 1e-6 * found, "{i}: {found} {mean}");
    }
    assert_ne!(draws[..n], draws[n..2 * n]);
    // One draw is the first of many, and has no number.
    normalize(&folder, "--return-samples --output single.npy").ok();
    let (shape, single) = npy(&folder.path("single.npy"));
    assert_eq!((&*shape, &single), ("60, 20", &npy(&folder.path("one.npy")).1));

    normalize(&folder, &format!("{seven} --output draws.h5ad")).ok();
    normalize(&folder, &format!("{seven} --output draws.zarr")).ok();
    let file = AnnDataFile::open(folder.path("draws.h5ad")).unwrap();
    for draw in [0, 6] {
        let layer = file.counts(&MatrixKey::Layer(format!("scvi_normalized_{draw}"))).unwrap();
        for cell in 0..CELLS {
            let row = &draws[draw * n + cell * GENES..][..GENES];
            assert_eq!(layer.row(cell).1, row, "draw {draw}, cell {cell}");
        }
    }
    fs::write(folder.path("genes.txt"), "gene 7\n").unwrap();
    let two = "--n-samples 2 --return-samples --gene-list genes.txt --output genes.h5ad";
    normalize(&folder, two).ok();
    let file = AnnDataFile::open(folder.path("genes.h5ad")).unwrap();
    assert_eq!(file.obsm_keys(), ["X_normalized_scVI_0", "X_normalized_scVI_1"]);
    python_agrees(&folder, "check_normalized.py");
}

#[test]
fn rows_are_drawn_by_importance_weights() {
    let folder = folder();
    let rows = |more: &str| {
        let more = format!("--n-samples-overall 150 --output - {more}");
        columns(&normalize(&folder, &more).ok())
    };
    let weights = "--weights importance --importance-n-mc-samples 20 --importance-max-cells 10";
    let (uniform, weighed) = (rows(""), rows(weights));
    assert_eq!(weighed[0].1.len(), 150);
    assert_ne!(uniform, weighed);
    assert_eq!(weighed, rows(&format!("{weights} --threads 1 --batch-size 17")));
    assert_ne!(weighed, rows(&format!("{weights} --importance-truncation")));
    let different = |table: &[(String, Vec<f64>)]| {
        let mut values: Vec<u64> = table[0].1.iter().map(|v| v.to_bits()).collect();
        values.sort_unstable();
        values.dedup();
        values.len()
    };
    assert_eq!(different(&uniform), 150);
    assert!(different(&weighed) < 150, "no sample was preferred");
}

#[test]
fn refuses_what_has_no_meaning() {
    let folder = folder();
    let fails = |more: &str, parts: &[&str]| normalize(&folder, more).fails_with(parts);
    fails("--weights importance --output a.csv", &["weights", "--n-samples-overall"]);
    fails("--n-samples 3 --return-samples --output a.csv", &["a.csv", ".npy", "--return-samples"]);
    fails("--n-samples 3 --return-samples --output -", &["'-'", ".zarr"]);
    let none = "--weights importance --importance-max-cells 0 --n-samples-overall 5 --output a.csv";
    fails(none, &["max_cells of importance weights is 0"]);
    assert_eq!(folder.names(), ["data.h5ad"]);
}
