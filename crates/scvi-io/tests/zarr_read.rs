//! Reads zarr stores that anndata wrote: the very same comes of them as of the `.h5ad` file.

mod common;

use std::fs;

use common::stores::{store, store_files, write_store};
use common::{COUNTS, fixture, rows};
use scvi_io::IoError;
use scvi_io::anndata::{AnnDataFile, MatrixKey};
use tempfile::tempdir;

#[test]
fn everything_is_as_in_the_h5ad() {
    let dir = tempdir().unwrap();
    let h5ad = AnnDataFile::open(fixture(&dir, "everything.h5ad")).unwrap();
    for name in ["everything_v2.zarr", "everything_v3.zarr"] {
        let zarr = AnnDataFile::open(store(dir.path(), name)).unwrap();
        assert_eq!(zarr.obs_names(), h5ad.obs_names(), "{name}");
        assert_eq!(zarr.var_names(), h5ad.var_names(), "{name}");
        assert_eq!(zarr.layers(), h5ad.layers(), "{name}");
        assert_eq!(zarr.obsm_keys(), h5ad.obsm_keys(), "{name}");
        assert_eq!(zarr.obs_columns(), h5ad.obs_columns(), "{name}");
        for key in h5ad.obs_columns() {
            let [a, b] = [&zarr, &h5ad].map(|file| file.obs_column(key).unwrap());
            // NaN is not itself: as text it is.
            assert_eq!(format!("{a:?}"), format!("{b:?}"), "{name} {key}");
        }
        let highly = zarr.var_column("highly_variable").unwrap();
        assert_eq!(highly, h5ad.var_column("highly_variable").unwrap(), "{name}");
        assert_eq!(zarr.minified_data_type().unwrap(), None);
        assert_eq!(zarr.matrices(), h5ad.matrices(), "{name}");
        for key in [MatrixKey::X, MatrixKey::Raw]
            .into_iter()
            .chain(["counts", "dense", "csc"].map(|layer| MatrixKey::Layer(layer.into())))
        {
            assert_eq!(rows(&zarr.counts(&key).unwrap()), COUNTS, "{name} {key:?}");
        }
        for layer in ["bad_negative", "bad_nan", "bad_inf", "bad_huge"] {
            let key = MatrixKey::Layer(layer.into());
            let [a, b] = [&zarr, &h5ad].map(|file| match file.counts(&key).unwrap_err() {
                IoError::BadCount { row, column, .. } => (row, column),
                other => panic!("{other}"),
            });
            assert_eq!(a, b, "{name} {layer}");
        }
    }
}

#[test]
fn counts_under_every_codec() {
    let dir = tempdir().unwrap();
    for (name, n_layers) in [("codecs_v2.zarr", 21), ("codecs_v3.zarr", 8)] {
        let file = AnnDataFile::open(store(dir.path(), name)).unwrap();
        let counts = file.counts(&MatrixKey::X).unwrap();
        assert!(counts.nnz() > 500);
        assert_eq!(file.layers().len(), n_layers);
        for layer in file.layers() {
            let of_layer = file.counts(&MatrixKey::Layer(layer.clone()));
            assert_eq!(of_layer.unwrap(), counts, "{name} {layer}");
        }
    }
}

#[test]
fn says_what_is_not_read() {
    let dir = tempdir().unwrap();
    let refusal = |file: &str, from: &str, to: &str| {
        let root = dir.path().join("changed.zarr");
        let mut files = store_files("codecs_v3.zarr");
        let text = String::from_utf8(files[file].clone()).unwrap();
        assert!(text.contains(from), "{text}");
        files.insert(file.into(), text.replace(from, to).into());
        write_store(&root, &files);
        let file = AnnDataFile::open(&root).unwrap();
        file.counts(&MatrixKey::Layer("gzip".into())).unwrap_err().to_string()
    };
    let meta = "layers/gzip/zarr.json";
    for (from, to, says) in [
        ("\"gzip\"", "\"sharding_indexed\"", "the codec 'sharding_indexed' is not read"),
        ("\"regular\"", "\"rectangular\"", "its chunk grid is 'rectangular'"),
        ("\"float32\"", "\"complex64\"", "expected numbers, found values of type \"complex64\""),
    ] {
        let error = refusal(meta, from, to);
        assert!(error.contains("layers/gzip") && error.contains(says), "{error}");
    }
}

#[test]
fn a_folder_that_is_no_store() {
    let dir = tempdir().unwrap();
    let error = AnnDataFile::open(dir.path()).unwrap_err();
    assert!(matches!(error, IoError::NotZarr { .. }), "{error}");
    assert!(error.hint().unwrap().contains("write_zarr"));
    fs::write(dir.path().join(".zgroup"), "{\"zarr_format\": 2}").unwrap();
    let error = AnnDataFile::open(dir.path()).unwrap_err();
    assert!(error.to_string().contains("does not hold an AnnData: it has no 'obs'"), "{error}");
}
