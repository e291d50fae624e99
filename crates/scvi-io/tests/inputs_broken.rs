//! What is wrong with a 10x matrix is said with its place.

mod common;

use std::fs;
use std::path::Path;

use common::samples::{BARCODES, CELLS, Folder, IDS, SYMBOLS, TYPES, written};
use hdf5_pure::FileBuilder;
use scvi_io::inputs::SampleOptions;

/// What a file holds in place of what it should.
#[derive(Clone)]
struct Tenx {
    barcodes: Vec<&'static str>,
    types: Vec<&'static str>,
    data: Vec<f64>,
    indices: Vec<i64>,
    indptr: Vec<i64>,
    shape: Vec<i32>,
}

impl Tenx {
    fn intact() -> Self {
        let entries = || CELLS.iter().flat_map(|cell| cell.iter());
        Self {
            barcodes: BARCODES.to_vec(),
            types: TYPES.to_vec(),
            data: entries().map(|(_, n)| f64::from(*n)).collect(),
            indices: entries().map(|(feature, _)| i64::from(*feature)).collect(),
            indptr: vec![0, 2, 2, 4],
            shape: vec![4, 3],
        }
    }

    fn write(&self, path: &Path) {
        let mut file = FileBuilder::new();
        let mut group = file.create_group("matrix");
        group.create_dataset("barcodes").with_vlen_strings(&self.barcodes);
        group.create_dataset("data").with_f64_data(&self.data);
        group.create_dataset("indices").with_i64_data(&self.indices);
        group.create_dataset("indptr").with_i64_data(&self.indptr);
        group.create_dataset("shape").with_i32_data(&self.shape);
        let mut features = group.create_group("features");
        features.create_dataset("id").with_vlen_strings(&IDS);
        features.create_dataset("name").with_vlen_strings(&SYMBOLS);
        features.create_dataset("feature_type").with_vlen_strings(&self.types);
        let features = features.finish();
        group.add_group(features);
        let group = group.finish();
        file.add_group(group);
        file.write(path).unwrap();
    }
}

#[track_caller]
fn refused(path: &Path, parts: &[&str]) {
    let error = written(path, &SampleOptions::default()).map(drop).unwrap_err().to_string();
    for part in parts {
        assert!(error.contains(part), "no {part:?} in: {error}");
    }
    assert!(error.contains(path.file_name().unwrap().to_str().unwrap()), "{error}");
}

#[test]
fn a_10x_file_that_contradicts_itself() {
    type Change = fn(&mut Tenx);
    let cases: [(Change, &[&str]); 10] = [
        (|t| t.shape = vec![3, 4], &["matrix/shape", "[4, 3]", "[3, 4]"]),
        (|t| t.shape = vec![4], &["matrix/shape"]),
        (|t| t.indices[0] = 4, &["matrix/indices", "below 4", "4 at position 0"]),
        (|t| t.indices[3] = -1, &["matrix/indices", "-1 at position 3"]),
        (|t| t.data[1] = -3.0, &["-3", "AAAC-1", "CD19_TotalSeq"]),
        (|t| t.data[2] = f64::NAN, &["NaN", "AAAT-1", "MT-CO1"]),
        (|t| t.indptr = vec![0, 2, 1, 4], &["matrix/indptr"]),
        (|t| t.indptr = vec![0, 2, 4], &["matrix/indptr", "4 numbers"]),
        (|t| t.barcodes[2] = "AAAC-1", &["barcode 'AAAC-1' occurs 2 times"]),
        (|t| t.types.truncate(3), &["matrix", "4 entries", "3"]),
    ];
    let folder = Folder::new();
    let path = folder.path("x.h5");
    for (change, parts) in cases {
        let mut tenx = Tenx::intact();
        change(&mut tenx);
        tenx.write(&path);
        refused(&path, parts);
    }
    let mut only_antibodies = Tenx::intact();
    only_antibodies.types = vec!["Antibody Capture"; 4];
    only_antibodies.write(&path);
    refused(&path, &["no genes", "4 x Antibody Capture"]);
    Tenx::intact().write(&path);
    assert!(written(&path, &SampleOptions::default()).is_ok());
    // Cut off anywhere it is an error, and none that says it is another kind of file than it is.
    let whole = fs::read(&path).unwrap();
    for part in 1..8 {
        fs::write(&path, &whole[..part * whole.len() / 8]).unwrap();
        refused(&path, &[]);
    }
    fs::write(&path, b"").unwrap();
    refused(&path, &[]);
}

#[test]
fn tables_of_another_matrix_are_refused() {
    let folder = Folder::new();
    for name in ["features.tsv.gz", "barcodes.tsv.gz"] {
        let path = folder.mtx("m", false, "\n");
        let lines: String = (0..7).map(|i| format!("X{i}\tx{i}\tGene Expression\n")).collect();
        folder.write(&format!("m/{name}"), &lines);
        let error = written(&path, &SampleOptions::default()).map(drop).unwrap_err().to_string();
        assert!(error.contains("matrix.mtx.gz, line 3") && error.contains(name), "{error}");
        assert!(error.contains("expected 7 rows") || error.contains("7 columns"), "{error}");
    }
}
