//! Copies of zarr stores with results added: the rest is as it was, and anndata sees both.

mod common;

use std::path::Path;
use std::process::Command;

use common::stores::{read_store, store};
use common::{COUNTS, rows};
use scvi::data::CategoryKind;
use scvi::module::{MinifiedDataType, PosteriorRows};
use scvi_io::IoError;
use scvi_io::anndata::{
    AnnDataFile, Categorical, Column, CopyRows, Extras, MatrixKey, NewRows, PosteriorKeys, Slot,
    UnsValue, check_copy, write_minified,
};
use scvi_io::rows::RowSink;
use tempfile::tempdir;

/// Cells and genes of the stores that hold everything.
const SHAPE: (usize, usize) = (7, 5);

/// Runs `check_zarr.py` with the Python of `SCVI_REFERENCE_PYTHON`, if there is one.
fn anndata_agrees(what: &str, files: &[&Path]) {
    let Ok(python) = std::env::var("SCVI_REFERENCE_PYTHON") else {
        eprintln!(
            "skipped: what anndata says (set SCVI_REFERENCE_PYTHON to a Python with anndata)"
        );
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check_zarr.py");
    let run = Command::new(python).arg(script).arg(what).args(files).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
}

fn add(input: &Path, output: &Path, overwrite: bool) -> Result<(), IoError> {
    let matrices = [
        NewRows { slot: Slot::Obsm, key: "X_scVI", columns: 2 },
        NewRows { slot: Slot::Layers, key: "counts", columns: SHAPE.1 },
    ];
    let codes = (0..SHAPE.0 as u32).map(|cell| (cell != 3).then_some(cell % 2)).collect();
    let categories = ["é", "b"].map(str::to_owned).to_vec();
    let labels = Categorical { codes, categories, ..Categorical::default() };
    let extras = Extras {
        uns: &[
            ("genes", UnsValue::Texts(vec!["a".into(), "é".into()])),
            ("word", UnsValue::Text("text".into())),
            ("size", UnsValue::Float(0.5)),
            ("n", UnsValue::Integer(-3)),
            ("sizes", UnsValue::Floats(vec![1.0, 2.0])),
        ],
        obs: &[("library", &[1.0; SHAPE.0])],
        labels: &[("label", &labels)],
        var: &[("dispersion", &[2.0; SHAPE.1])],
    };
    let mut copy = Box::new(CopyRows::create(input, output, &matrices, extras, overwrite)?);
    let counted = |n: usize| (0..n).map(|k| k as f32).collect::<Vec<_>>();
    copy.append(0, &counted(2 * SHAPE.0))?;
    copy.append(1, &counted(SHAPE.0 * SHAPE.1))?;
    copy.finish()
}

/// Whether a file of the store is one that an addition may change.
fn may_differ(path: &str) -> bool {
    let metadata = [".zmetadata", "zarr.json", "obs/.zattrs", "var/.zattrs", "obs/zarr.json"];
    metadata.contains(&path) || path == "var/zarr.json" || path.starts_with("layers/counts/")
}

#[test]
fn what_is_added_is_beside_what_was_there() {
    let dir = tempdir().unwrap();
    for name in ["everything_v2.zarr", "everything_v3.zarr"] {
        let (input, output) = (store(dir.path(), name), dir.path().join(format!("out_{name}")));
        add(&input, &output, false).unwrap();
        let (before, after) = (read_store(&input), read_store(&output));
        for (path, bytes) in before.iter().filter(|(path, _)| !may_differ(path)) {
            assert_eq!(after.get(path), Some(bytes), "{name}: {path}");
        }
        let (old, new) = (AnnDataFile::open(&input).unwrap(), AnnDataFile::open(&output).unwrap());
        assert!(new.obsm_keys().contains(&"X_scVI".to_owned()));
        assert_eq!(new.obs_columns()[..15], old.obs_columns()[..15]);
        assert_eq!(new.obs_columns()[new.obs_columns().len() - 2..], ["library", "label"]);
        let Column::Categorical(label) = new.obs_column("label").unwrap() else { panic!() };
        assert_eq!((label.codes[2], label.codes[3]), (Some(0), None));
        assert_eq!(label.categories, ["é", "b"]);
        assert_eq!(new.obs_column("library").unwrap(), Column::Singles(vec![1.0; SHAPE.0]));
        let layer = new.counts(&MatrixKey::Layer("counts".into())).unwrap();
        assert_eq!(rows(&layer)[6], [30.0, 31.0, 32.0, 33.0, 34.0]);
        assert_eq!(rows(&new.counts(&MatrixKey::X).unwrap()), COUNTS);
        anndata_agrees("added", &[&input, &output]);

        // Once more, onto itself.
        assert!(matches!(add(&output, &output, false), Err(IoError::Exists { .. })));
        add(&output, &output, true).unwrap();
        assert_eq!(read_store(&output), after, "{name}");
    }
}

#[test]
fn stores_without_consolidated_metadata() {
    let dir = tempdir().unwrap();
    for name in ["codecs_v2.zarr", "codecs_v3.zarr"] {
        let (input, output) = (store(dir.path(), name), dir.path().join(format!("out_{name}")));
        let rows = [NewRows { slot: Slot::Obsm, key: "X_scVI", columns: 1 }];
        let copy = CopyRows::create(&input, &output, &rows, Extras::default(), false).unwrap();
        let mut copy = Box::new(copy);
        copy.append(0, &[0.5; 40]).unwrap();
        copy.finish().unwrap();
        let (before, after) = (read_store(&input), read_store(&output));
        before.iter().for_each(|(path, bytes)| assert_eq!(after.get(path), Some(bytes), "{path}"));
        assert!(!after.contains_key(".zmetadata"));
        anndata_agrees("one", &[&output]);
    }
}

#[test]
fn minified_and_read_again() {
    let dir = tempdir().unwrap();
    let posterior = PosteriorRows {
        qz_m: (0..14).map(|k| k as f32).collect(),
        qz_v: vec![0.25; 14],
        observed_lib_size: vec![3.0; 7],
    };
    for name in ["everything_v2.zarr", "everything_v3.zarr"] {
        let input = store(dir.path(), name);
        for kind in MinifiedDataType::ALL {
            let output = dir.path().join(format!("{}_{name}", kind.name()));
            write_minified(&input, &output, (&posterior, PosteriorKeys::Scvi), kind, false)
                .unwrap();
            let file = AnnDataFile::open(&output).unwrap();
            assert_eq!(file.minified_data_type().unwrap(), Some(kind));
            assert_eq!(file.posterior(PosteriorKeys::Scvi).unwrap(), posterior);
            let counts = file.counts(&MatrixKey::X).unwrap();
            let keeps = kind == MinifiedDataType::LatentPosteriorParametersWithCounts;
            assert_eq!(counts.nnz(), if keeps { 12 } else { 0 });
            anndata_agrees(kind.name(), &[&input, &output]);
        }
    }
}

#[test]
fn a_copy_is_of_its_inputs_kind() {
    let dir = tempdir().unwrap();
    let input = store(dir.path(), "everything_v2.zarr");
    let error = check_copy(&input, dir.path().join("out.h5ad"), false).unwrap_err();
    assert!(matches!(error, IoError::OtherKind { .. }), "{error}");
    assert!(error.to_string().contains("must end in .zarr"), "{error}");
    check_copy(&input, dir.path().join("out.zarr"), false).unwrap();
    let error = check_copy(&input, &input, false).unwrap_err();
    assert!(matches!(error, IoError::Exists { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn links_are_not_copied() {
    let dir = tempdir().unwrap();
    let input = store(dir.path(), "everything_v2.zarr");
    std::os::unix::fs::symlink("/etc/hostname", input.join("uns/link")).unwrap();
    let error = add(&input, &dir.path().join("out.zarr"), false).unwrap_err();
    assert!(matches!(error, IoError::CannotCopy { .. }), "{error}");
    assert!(!dir.path().join("out.zarr").exists());
}

/// Categories of every kind come back as what they are.
#[test]
fn categories_keep_their_kind() {
    let dir = tempdir().unwrap();
    let codes: Vec<Option<u32>> = (0..SHAPE.0 as u32).map(|cell| Some(cell % 2)).collect();
    let kinds = [
        (CategoryKind::Text, ["a", "b"]),
        (CategoryKind::Integer, ["-3", "7"]),
        (CategoryKind::Integer, ["1", "18446744073709551615"]),
        (CategoryKind::Float, ["0.1", "2.5"]),
        (CategoryKind::Bool, ["False", "True"]),
    ];
    for name in ["everything_v2.zarr", "everything_v3.zarr"] {
        let input = store(dir.path(), name);
        for (k, (kind, names)) in kinds.iter().enumerate() {
            let output = dir.path().join(format!("{k}_{name}"));
            let categories = names.map(str::to_owned).to_vec();
            let (codes, kind) = (codes.clone(), *kind);
            let labels = Categorical { codes, categories, kind, ordered: false };
            let extras = Extras { labels: &[("label", &labels)], ..Extras::default() };
            let copy = CopyRows::create(&input, &output, &[], extras, false).unwrap();
            Box::new(copy).finish().unwrap();
            let found = AnnDataFile::open(&output).unwrap().obs_column("label").unwrap();
            assert_eq!(found, Column::Categorical(labels), "{name}: {kind:?}");
        }
    }
}
