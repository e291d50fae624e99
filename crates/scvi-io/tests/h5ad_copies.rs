//! Copies of files with features that the HDF5 library does not edit: they hold everything, or are
//! refused before the work begins.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{COUNTS, fixture, fixture_bytes, readable_fixtures, rows, with_tails};
use scvi::module::{MinifiedDataType, PosteriorRows};
use scvi_io::IoError;
use scvi_io::anndata::{
    AnnDataFile, Categorical, Column, Extras, MatrixKey, NewRows, PosteriorKeys, Slot, UnsValue,
    check_copy, check_minified, write_minified,
};
use scvi_io::h5ad::H5adRows;
use scvi_io::rows::RowSink;
use tempfile::{TempDir, tempdir};

const CELLS: usize = 7;
const GENES: usize = 5;

/// Labels of all cells but one.
fn labels() -> Categorical {
    let codes = (0..CELLS as u32).map(|cell| (cell != 3).then_some(cell % 2)).collect();
    let categories = ["é", "b"].map(str::to_owned).to_vec();
    Categorical { codes, categories, ..Categorical::default() }
}

/// Adds something to every group that results go to.
fn add_everywhere(input: &Path, output: &Path) -> Result<(), IoError> {
    let matrices = [
        NewRows { slot: Slot::Obsm, key: "X_scVI", columns: 2 },
        NewRows { slot: Slot::Layers, key: "scvi_normalized", columns: GENES },
    ];
    let extras = Extras {
        uns: &[("scvi", UnsValue::Integer(3))],
        obs: &[("scvi_size", &[1.0; CELLS])],
        labels: &[("scvi_label", &labels())],
        var: &[("scvi_theta", &[2.0; GENES])],
    };
    let mut rows = Box::new(H5adRows::create(input, output, &matrices, extras, true)?);
    rows.append(0, &[3.0; 2 * CELLS])?;
    rows.append(1, &[4.0; CELLS * GENES])?;
    rows.finish()
}

/// A copy of a fixture with something added everywhere, which was tried before.
fn copy_of(dir: &TempDir, name: &str) -> (PathBuf, PathBuf) {
    let (input, output) = (fixture(dir, name), dir.path().join(format!("copy_of_{name}")));
    let n_files = || fs::read_dir(dir.path()).unwrap().count();
    let before = n_files();
    check_copy(&input, &output, false).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(n_files(), before, "{name}: trying it leaves something behind");
    add_everywhere(&input, &output).unwrap_or_else(|e| panic!("{name}: {e}"));
    (input, output)
}

#[test]
fn something_can_be_added_to_every_group_of_every_file() {
    let dir = tempdir().unwrap();
    for name in readable_fixtures() {
        let (input, output) = copy_of(&dir, &name);
        let (old, new) = (AnnDataFile::open(&input).unwrap(), AnnDataFile::open(&output).unwrap());
        assert_eq!(rows(&new.counts(&MatrixKey::X).unwrap()), COUNTS, "{name}");
        let columns = [old.obs_columns(), &["scvi_size", "scvi_label"].map(str::to_owned)].concat();
        assert_eq!(new.obs_columns(), columns, "{name}");
        let numbers = |key: &str| new.obs_column(key).unwrap().to_numbers().unwrap();
        assert_eq!(numbers("scvi_size"), [1.0; CELLS], "{name}");
        let label = new.obs_column("scvi_label").unwrap();
        assert_eq!(label, Column::Categorical(labels()), "{name}");
        let theta = new.var_column("scvi_theta").unwrap();
        assert_eq!(theta.to_numbers().unwrap(), [2.0; GENES], "{name}");
        let normalized = MatrixKey::Layer("scvi_normalized".into());
        assert_eq!(new.counts(&normalized).unwrap().values(), [4.0; CELLS * GENES], "{name}");
        for key in old.layers() {
            let key = MatrixKey::Layer(key.clone());
            match (old.counts(&key), new.counts(&key)) {
                (Ok(old), Ok(new)) => assert_eq!(old, new, "{name} {key:?}"),
                (old, new) => assert!(old.is_err() && new.is_err(), "{name} {key:?}"),
            }
        }
        // Once more, into the copy itself.
        add_everywhere(&output, &output).unwrap_or_else(|e| panic!("{name}, again: {e}"));
    }
}

#[test]
fn a_user_block_stays_where_it_is() {
    let dir = tempdir().unwrap();
    for name in ["user_block_earliest.h5ad", "user_block_latest.h5ad"] {
        let (input, output) = copy_of(&dir, name);
        let block = |path: &Path| fs::read(path).unwrap()[..1024].to_vec();
        assert!(block(&input).starts_with(b"#!/bin/sh"), "{name}");
        assert_eq!(block(&input), block(&output), "{name}");
    }
}

#[test]
fn a_user_block_may_be_put_before_a_file_and_taken_away() {
    let dir = tempdir().unwrap();
    let (input, output) = (dir.path().join("in.h5ad"), dir.path().join("out.h5ad"));
    let put = |name: &str| [&[0x23; 512], &fixture_bytes(name)[..]].concat();
    let taken = |name: &str| fixture_bytes(name).split_off(1024);
    for (name, bytes) in [
        ("csr_float32.h5ad", put("csr_float32.h5ad")),
        ("everything_latest.h5ad", put("everything_latest.h5ad")),
        ("user_block_earliest.h5ad", taken("user_block_earliest.h5ad")),
        ("user_block_latest.h5ad", taken("user_block_latest.h5ad")),
    ] {
        fs::write(&input, &bytes).unwrap();
        check_copy(&input, &output, true).unwrap_or_else(|e| panic!("{name}: {e}"));
        add_everywhere(&input, &output).unwrap_or_else(|e| panic!("{name}: {e}"));
        let file = AnnDataFile::open(&output).unwrap();
        assert_eq!(rows(&file.counts(&MatrixKey::X).unwrap()), COUNTS, "{name}");
        let theta = file.var_column("scvi_theta").unwrap();
        assert_eq!(theta.to_numbers().unwrap(), [2.0; GENES], "{name}");
    }
}

#[test]
fn paths_of_more_bytes_than_the_file_are_refused() {
    let dir = tempdir().unwrap();
    let input = fixture(&dir, "csr_float32.h5ad");
    let file = hdf5_pure::File::open_rw(&input).unwrap();
    let (name, mut path) = ("g".repeat(250), String::new());
    for _ in 0..250 {
        path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        file.root().create_group_with(&path, |_| ()).unwrap();
    }
    file.commit().unwrap();
    file.close().unwrap();
    let error = check_copy(&input, dir.path().join("out.h5ad"), false).unwrap_err().to_string();
    assert!(error.contains("the groups: they take more bytes than the file has"), "{error}");
}

#[test]
fn ends_of_heaps_do_not_hinder_copies() {
    let dir = tempdir().unwrap();
    let (input, output) = (dir.path().join("in.h5ad"), dir.path().join("out.h5ad"));
    for name in ["everything.h5ad", "everything_latest.h5ad"] {
        for left in [1, 8, 15] {
            fs::write(&input, with_tails(&fixture_bytes(name), left)).unwrap();
            check_copy(&input, &output, true).unwrap();
            add_everywhere(&input, &output).unwrap();
            let file = AnnDataFile::open(&output).unwrap();
            assert_eq!(rows(&file.counts(&MatrixKey::X).unwrap()), COUNTS, "{name} {left}");
            assert!(file.obs_columns().len() > 10, "{name} {left}");
        }
    }
}

#[test]
fn minified_copies_are_tried_before() {
    let dir = tempdir().unwrap();
    let output = dir.path().join("mini.h5ad");
    let values = vec![1.0; CELLS];
    let posterior =
        PosteriorRows { qz_m: values.clone(), qz_v: values.clone(), observed_lib_size: values };
    let (mut n_written, mut refused) = (0, Vec::new());
    for name in readable_fixtures() {
        let input = fixture(&dir, &name);
        for kind in MinifiedDataType::ALL {
            let tried = check_minified(&input, &output, kind, true);
            let written =
                write_minified(&input, &output, (&posterior, PosteriorKeys::Scvi), kind, true);
            assert_eq!(tried.is_ok(), written.is_ok(), "{name}: {tried:?} {written:?}");
            n_written += usize::from(written.is_ok());
            let Err(error) = tried else { continue };
            assert!(matches!(error, IoError::CannotCopy { .. }), "{name}: {error}");
            assert!(error.hint().unwrap().contains("_rewritten.h5ad` writes one"), "{name}");
            refused.push(name.clone());
        }
    }
    assert!(n_written > 80, "{n_written}");
    refused.dedup();
    // Links to other paths, and a data set in other files, have no place in a copy made anew.
    for name in ["soft_links.h5ad", "soft_links_latest.h5ad"] {
        assert!(refused.iter().any(|other| other == name), "{refused:?}");
    }
    println!("refused: {refused:?}");
}
