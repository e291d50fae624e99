//! What the tests share: the fixtures and what they hold.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod samples;
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

/// Places of the heaps of strings in a file, and where what is left of each begins.
pub fn heaps(file: &[u8]) -> Vec<(usize, usize)> {
    let number = |at: usize| u64::from_le_bytes(file[at..at + 8].try_into().unwrap()) as usize;
    let starts = file.windows(4).enumerate().filter(|(_, w)| *w == b"GCOL").map(|(at, _)| at);
    let end_of_objects = |start: usize| {
        let mut at = start + 16;
        while file[at..at + 2] != [0, 0] {
            at += 16 + number(at + 8).next_multiple_of(8);
        }
        at
    };
    starts.map(|start| (start, end_of_objects(start))).collect()
}

/// A file whose every heap ends `left` bytes behind its last object, with what stood there once.
pub fn with_tails(file: &[u8], left: usize) -> Vec<u8> {
    let mut changed = file.to_vec();
    for (start, end) in heaps(file) {
        let size = (end + left - start) as u64;
        changed[start + 8..start + 16].copy_from_slice(&size.to_le_bytes());
        changed[end..end + left].fill(0x41);
    }
    changed
}

/// What a matrix of counts promises, whatever file it is from.
pub fn assert_valid(matrix: &CsrMatrix, n_obs: usize, n_vars: usize, what: &str) {
    assert_eq!((matrix.n_cells(), matrix.n_genes()), (n_obs, n_vars), "{what}");
    for cell in 0..matrix.n_cells() {
        let (genes, counts) = matrix.row(cell);
        assert_eq!(genes.len(), counts.len(), "{what}");
        assert!(genes.is_sorted_by(|a, b| a < b), "{what}: genes of cell {cell}");
        assert!(genes.iter().all(|&gene| (gene as usize) < n_vars), "{what}: cell {cell}");
        assert!(counts.iter().all(|v| v.is_finite() && *v >= 0.0), "{what}: cell {cell}");
    }
}
