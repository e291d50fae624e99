//! What the tests share: the fixtures and what they hold.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod stores;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use scvi::data::CsrMatrix;
use tempfile::TempDir;

/// The counts of every fixture (see `data/make_fixtures.py`).
pub const COUNTS: [[f32; 5]; 7] = [
    [0.0, 3.0, 0.0, 0.0, 1.0],
    [2.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 0.0, 0.0, 0.0, 0.0],
    [0.0, 1.0, 7.0, 0.0, 0.0],
    [5.0, 0.0, 0.0, 0.0, 200.0],
    [0.0, 0.0, 1.0, 0.0, 0.0],
    [1.0, 2.0, 3.0, 0.0, 4.0],
];

/// The bytes of a fixture.
pub fn fixture_bytes(name: &str) -> Vec<u8> {
    let packed =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(format!("{name}.gz"));
    let mut bytes = Vec::new();
    let file = fs::File::open(&packed).unwrap();
    flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    bytes
}

/// A fixture unpacked into a folder.
pub fn fixture(dir: &TempDir, name: &str) -> PathBuf {
    let path = dir.path().join(name);
    fs::write(&path, fixture_bytes(name)).unwrap();
    path
}

/// Names of those of them that can be copied with results.
pub fn copied_fixtures() -> Vec<String> {
    // Files with these features are read and not copied.
    let others = ["layouts_v110", "layouts_latest", "paged", "soft_links", "user_block_earliest"];
    let is_copied = |name: &String| !others.iter().any(|start| name.starts_with(start));
    readable_fixtures().into_iter().filter(is_copied).collect()
}

/// Names of all `.h5ad` fixtures that hold an AnnData which can be read.
pub fn readable_fixtures() -> Vec<String> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut names: Vec<String> = fs::read_dir(data)
        .unwrap()
        .filter_map(|e| e.unwrap().file_name().to_str()?.strip_suffix(".gz").map(String::from))
        .filter(|n| n.ends_with(".h5ad") && n != "legacy_0_6.h5ad")
        .collect();
    names.sort();
    names
}

/// A matrix as rows of numbers.
pub fn rows(matrix: &CsrMatrix) -> Vec<Vec<f32>> {
    (0..matrix.n_cells())
        .map(|cell| {
            let mut row = vec![0.0; matrix.n_genes()];
            let (genes, counts) = matrix.row(cell);
            genes.iter().zip(counts).for_each(|(&g, &v)| row[g as usize] = v);
            row
        })
        .collect()
}
