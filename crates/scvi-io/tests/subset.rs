//! Copies with some of the cells hold of these what the file holds, in every form that it has.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::stores::{STORES, store};
use common::{fixture, readable_fixtures};
use scvi_io::IoError;
use scvi_io::anndata::{AnnDataFile, Column, write_subset};
use tempfile::TempDir;

const KEPT: [usize; 4] = [0, 2, 3, 6];

/// Whatever can be read of a column, cell by cell: labels, and the categories without a cell.
fn shown(column: &Column, rows: &[usize]) -> String {
    let labels: Vec<Option<String>> = rows.iter().map(|&row| column.label(row)).collect();
    match column {
        Column::Categorical(c) => format!("{labels:?} {:?} {}", c.categories, c.ordered),
        column => format!("{labels:?} {:?}", column.kind()),
    }
}

#[track_caller]
fn assert_subset(all: &AnnDataFile, some: &AnnDataFile, rows: &[usize], what: &str) {
    let names: Vec<&String> = rows.iter().map(|&row| &all.obs_names()[row]).collect();
    assert_eq!(some.obs_names().iter().collect::<Vec<_>>(), names, "{what}");
    assert_eq!(some.var_names(), all.var_names(), "{what}");
    assert_eq!(some.obs_columns(), all.obs_columns(), "{what}");
    assert_eq!(some.obsm_keys(), all.obsm_keys(), "{what}");
    assert_eq!(some.matrices(), all.matrices(), "{what}");
    for key in all.matrices() {
        let Ok(counts) = all.counts(&key) else { continue };
        assert_eq!(some.counts(&key).unwrap(), counts.select_cells(rows), "{what}: {key}");
    }
    let every: Vec<usize> = (0..rows.len()).collect();
    for key in all.obs_columns() {
        let Ok(column) = all.obs_column(key) else { continue };
        let found = some.obs_column(key).unwrap();
        assert_eq!(shown(&found, &every), shown(&column, rows), "{what}: {key}");
    }
}

#[test]
fn subsets_of_every_kind_of_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut inputs: Vec<PathBuf> =
        readable_fixtures().iter().map(|name| fixture(&dir, name)).collect();
    inputs.extend(STORES.map(|name| store(dir.path(), name)));
    let mut copied = 0;
    for input in inputs {
        let what = input.file_name().unwrap().to_str().unwrap().to_owned();
        let output = dir.path().join(format!("some_{what}"));
        let all = AnnDataFile::open(&input).unwrap();
        for rows in [&KEPT[..], &[], &[0, 1, 2, 3, 4, 5, 6]] {
            match write_subset(&input, &output, rows, true) {
                Ok(()) => {
                    copied += 1;
                    assert_subset(&all, &AnnDataFile::open(&output).unwrap(), rows, &what);
                }
                // Whatever is refused is so by name, and nothing is written.
                Err(
                    error @ (IoError::CannotCopy { .. }
                    | IoError::OtherFile { .. }
                    | IoError::Unread { .. }),
                ) => {
                    let told = error.to_string();
                    let is_named = ["obs", "var", "layers", "paged file"]
                        .iter()
                        .any(|place| told.contains(place));
                    assert!(is_named && !output.exists(), "{what}: {told}");
                }
                // Nor does anndata read layers that are nowhere.
                Err(IoError::Structure { place, expected, .. })
                    if what.starts_with("soft_links") =>
                {
                    assert_eq!(place, "layers/gone");
                    assert!(expected.contains("where this soft link leads"), "{expected}");
                    assert!(!output.exists());
                }
                Err(error) => panic!("{what}: {error}"),
            }
        }
    }
    assert!(copied > 90, "{copied}");
}

#[test]
fn rows_that_are_none_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let input = fixture(&dir, "csr_float32.h5ad");
    let output = dir.path().join("some.h5ad");
    for rows in [&[7][..], &[1, 1], &[2, 1]] {
        let refused = write_subset(&input, &output, rows, false);
        assert!(matches!(refused, Err(IoError::BadInput { .. })), "{rows:?}");
    }
    write_subset(&input, &output, &KEPT, false).unwrap();
    let twice = write_subset(&input, &output, &KEPT, false);
    assert!(matches!(twice, Err(IoError::Exists { .. })));
}

/// anndata's own subset of a file with everything an AnnData may hold, `adata[rows]`, is the same.
#[test]
fn subsets_are_those_of_anndata() {
    let Ok(python) = std::env::var("SCVI_REFERENCE_PYTHON") else {
        eprintln!("skipped: what anndata says (set SCVI_REFERENCE_PYTHON)");
        return;
    };
    let run = |dir: &TempDir, what: &str| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check_subset.py");
        let output = Command::new(&python).arg(script).arg(what).arg(dir.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let dir = tempfile::tempdir().unwrap();
    let rows = run(&dir, "write");
    let rows: Vec<usize> = rows.split_whitespace().map(|row| row.parse().unwrap()).collect();
    for name in ["all.h5ad", "all_gzip.h5ad", "all_v2.zarr", "all_v3.zarr"] {
        let output = dir.path().join(name.replace("all", "some"));
        write_subset(dir.path().join(name), output, &rows, false).unwrap();
    }
    run(&dir, "check");
}
