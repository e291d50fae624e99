//! Reads files that anndata and h5py wrote.

mod common;

use std::fs;

use common::{COUNTS, fixture, fixture_bytes, readable_fixtures, rows};
use scvi::data::{CategoryKind, RowBlocks, Survey};
use scvi_io::anndata::{AnnDataFile, Categorical, Column, MatrixKey, Storage, ValueKind};
use scvi_io::{CompactWriter, IoError};
use tempfile::tempdir;

fn layer(name: &str) -> MatrixKey {
    MatrixKey::Layer(name.into())
}

#[test]
fn counts_of_every_form_type_and_compression() {
    let dir = tempdir().unwrap();
    let names = readable_fixtures();
    assert!(names.len() > 25, "fixtures are missing: {names:?}");
    for name in names {
        let file = AnnDataFile::open(fixture(&dir, &name)).unwrap();
        assert_eq!((file.n_obs(), file.n_vars()), (7, 5), "{name}");
        assert_eq!(file.obs_names()[6], "cell6");
        assert_eq!(file.var_names()[4], "gene4");
        let counts = file.counts(&MatrixKey::X).unwrap();
        assert_eq!(rows(&counts), COUNTS, "{name}");
        assert_eq!(counts.nnz(), 12, "{name}");
    }
}

#[test]
fn rows_of_a_file_are_those_of_the_matrix() {
    let dir = tempdir().unwrap();
    // Genes turned around, one left out, one column that no gene is put in.
    let places = [Some(4), None, Some(2), Some(1), Some(0)];
    for name in readable_fixtures() {
        let file = AnnDataFile::open(fixture(&dir, &name)).unwrap();
        for placed in [false, true] {
            let stored = || {
                let stored = file.stored_counts(&MatrixKey::X).unwrap();
                if placed { stored.place_genes(&places, 6) } else { stored }
            };
            let (counts, survey) = stored().load().unwrap();
            assert_eq!(survey, Survey::of(&counts), "{name}");
            assert_eq!(counts.n_genes(), if placed { 6 } else { 5 }, "{name}");

            let mut copy = CompactWriter::create(dir.path(), counts.n_genes()).unwrap();
            let told = stored().for_each_block(3, &mut |block| copy.append(block)).unwrap();
            assert_eq!(told, survey);
            let copy = copy.finish().unwrap();
            let is_by_gene = stored().is_by_gene();
            let rows = stored().rows().unwrap();
            assert_eq!(rows.is_none(), is_by_gene, "{name}");
            for range in [0..7, 2..3, 3..7, 5..5] {
                let expected = counts.select_cells(&range.clone().collect::<Vec<_>>());
                assert_eq!(copy.read(range.clone()).unwrap(), expected, "{name} {range:?}");
                if let Some((rows, told)) = &rows {
                    assert_eq!(*told, survey, "{name}");
                    assert_eq!(rows.read(range.clone()).unwrap(), expected, "{name} {range:?}");
                }
            }
        }
    }
}

#[test]
fn everything_an_anndata_may_hold() {
    let dir = tempdir().unwrap();
    for name in ["everything.h5ad", "everything_gzip.h5ad", "everything_latest.h5ad"] {
        let file = AnnDataFile::open(fixture(&dir, name)).unwrap();
        for key in ["counts", "dense", "csc"] {
            assert_eq!(rows(&file.counts(&layer(key)).unwrap()), COUNTS, "{name} {key}");
        }
        assert_eq!(file.obsm_keys(), ["X_pca", "frame", "sparse"]);
        assert_eq!(file.obs_columns()[0], "cat");
        assert_eq!(file.obs_columns().len(), 15);

        let categorical = |key: &str| file.obs_column(key).unwrap().to_categorical();
        let names = |key: &str| categorical(key).categories;
        let cat = categorical("cat");
        assert_eq!(cat.categories, ["c", "b", "a", "unused"]);
        assert_eq!(cat.codes[..4], [Some(1), Some(2), Some(1), None]);
        assert!(!cat.ordered && categorical("cat_ordered").ordered);
        assert_eq!(names("cat_int"), ["2", "10"]);
        assert_eq!(names("cat_float"), ["0.5", "2.0"]);
        assert_eq!(names("cat_bool"), ["False", "True"]);
        assert_eq!(names("string"), ["", "B", "a", "x", "zebra", "é"]);
        assert_eq!(names("fixed"), ["", "t1", "t10", "t2"]);
        assert_eq!(names("bool"), ["False", "True"]);
        assert_eq!(names("int"), ["-1", "2", "3", "10"]);
        assert_eq!(names("uint8"), ["1", "2", "3", "10"]);
        assert_eq!(names("float"), ["1e-07", "0.1", "0.5", "1.0", "2.0", "1e+16"]);
        assert_eq!(names("float32")[0], "0.1");
        assert_eq!(names("null_int"), ["1", "2", "3"]);
        assert_eq!(names("null_bool"), ["False", "True"]);
        assert_eq!(names("null_string"), ["p", "q"]);

        let kind = |key: &str| file.obs_column(key).unwrap().kind();
        for (key, expected) in [
            ("cat", CategoryKind::Text),
            ("cat_int", CategoryKind::Integer),
            ("cat_float", CategoryKind::Float),
            ("cat_bool", CategoryKind::Bool),
            ("string", CategoryKind::Text),
            ("uint8", CategoryKind::Integer),
            ("null_int", CategoryKind::Integer),
            ("null_string", CategoryKind::Text),
            ("float32", CategoryKind::Single),
            ("bool", CategoryKind::Bool),
        ] {
            assert_eq!(kind(key), expected, "{name} {key}");
        }

        let numbers = file.obs_column("int").unwrap().to_numbers().unwrap();
        assert_eq!(numbers, [3.0, -1.0, 10.0, 3.0, 3.0, 2.0, 10.0]);
        assert_eq!(file.obs_column("float").unwrap().missing(), [2]);
        for key in ["null_int", "null_bool", "null_string"] {
            assert_eq!(file.obs_column(key).unwrap().missing(), [1], "{key}");
        }
    }
}

#[test]
fn a_summary_tells_form_type_and_the_first_value_that_is_no_count() {
    let dir = tempdir().unwrap();
    let mut seen = 0;
    for name in readable_fixtures() {
        let file = AnnDataFile::open(fixture(&dir, &name)).unwrap();
        let summary = file.stored_counts(&MatrixKey::X).unwrap().summary().unwrap();
        assert_eq!((summary.n_cells, summary.n_genes), (7, 5), "{name}");
        assert_eq!(
            (summary.n_seen, &summary.kind),
            (summary.n_values, &ValueKind::Counts),
            "{name}"
        );
        // Names such as csr_int32.h5ad.
        let Some((form, data_type)) = name.trim_end_matches(".h5ad").split_once('_') else {
            continue;
        };
        let is_form = ["csr", "csc", "dense"].contains(&form);
        if is_form && data_type.ends_with(|c: char| c.is_ascii_digit()) {
            assert_eq!((summary.storage.name(), &summary.data_type[..]), (form, data_type));
            assert_eq!(summary.n_values, if form == "dense" { 35 } else { 12 }, "{name}");
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen}");
    let file = AnnDataFile::open(fixture(&dir, "everything.h5ad")).unwrap();
    for key in ["bad_negative", "bad_nan", "bad_inf", "bad_huge"] {
        let stored = file.stored_counts(&layer(key)).unwrap();
        let ValueKind::Other { value, cell, gene } = stored.summary().unwrap().kind else {
            panic!("{key} has no bad value");
        };
        assert_eq!((&cell[..], &gene[..]), ("cell3", "gene2"), "{key} {value}");
    }
    let csc = file.stored_counts(&layer("csc")).unwrap().summary().unwrap();
    assert_eq!((csc.storage, csc.kind), (Storage::Csc, ValueKind::Counts));
}

#[test]
fn raw_has_genes_of_its_own() {
    let dir = tempdir().unwrap();
    for name in ["everything.h5ad", "everything_gzip.h5ad", "everything_latest.h5ad"] {
        let file = AnnDataFile::open(fixture(&dir, name)).unwrap();
        assert_eq!(rows(&file.counts(&MatrixKey::Raw).unwrap()), COUNTS, "{name}");
        assert_eq!(&file.genes_of(&MatrixKey::Raw).unwrap()[..], file.var_names(), "{name}");
        let all = file.matrices();
        assert_eq!((&all[0], &all[all.len() - 1]), (&MatrixKey::X, &MatrixKey::Raw));
        assert_eq!(all.len(), file.layers().len() + 2);
        let error = file.var_column_of(&MatrixKey::Raw, "nothing").unwrap_err().to_string();
        assert!(error.contains("no raw/var column 'nothing'"), "{error}");
    }
    let file = AnnDataFile::open(fixture(&dir, "csr_float32.h5ad")).unwrap();
    assert_eq!(file.matrices(), [MatrixKey::X]);
    let error = file.counts(&MatrixKey::Raw).unwrap_err().to_string();
    assert!(error.ends_with("has no raw/X (it has: X)"), "{error}");
}

#[test]
fn columns_of_anndata_0_7() {
    let dir = tempdir().unwrap();
    let file = AnnDataFile::open(fixture(&dir, "legacy_0_7.h5ad")).unwrap();
    assert_eq!(file.obs_columns(), ["batch", "n"]);
    let code = [Some(0), Some(1), Some(1), Some(0), None, Some(1), Some(0)];
    let batch = Categorical {
        codes: code.into(),
        categories: ["q", "p"].map(String::from).into(),
        ..Categorical::default()
    };
    let column = file.obs_column("batch").unwrap();
    assert_eq!(column.kind(), CategoryKind::Text);
    assert_eq!(column, Column::Categorical(batch));
}

#[test]
fn errors_say_what_is_there() {
    let dir = tempdir().unwrap();
    let file = AnnDataFile::open(fixture(&dir, "everything.h5ad")).unwrap();
    let error = file.obs_column("btach").unwrap_err().to_string();
    assert!(error.contains("no obs column 'btach' (there are: cat, cat_ordered, "), "{error}");
    for key in ["", ".", "..", "../var/_index", "cat/codes", "__categories"] {
        assert!(matches!(file.obs_column(key), Err(IoError::NoColumn { .. })), "{key}");
    }
    let error = file.counts(&layer("raw")).unwrap_err();
    assert!(
        error.to_string().contains("has no layers/raw (it has: X, layers/bad_huge, "),
        "{error}"
    );
    assert!(matches!(file.counts(&layer("../X")), Err(IoError::NoCounts { .. })));

    let column = file.obs_column("cat").unwrap();
    let error = file.require_complete("cat", &column).unwrap_err().to_string();
    assert_eq!(error, "missing values in column 'cat': 1 of 7 cells: cell3");
    file.require_complete("int", &file.obs_column("int").unwrap()).unwrap();

    for (key, place, value) in [
        ("bad_negative", "layers/bad_negative ", "-7"),
        ("bad_nan", "layers/bad_nan/data ", "NaN"),
        ("bad_inf", "layers/bad_inf/data ", "inf"),
        ("bad_huge", "layers/bad_huge/data ", "1000"),
    ] {
        let error = file.counts(&layer(key)).unwrap_err().to_string();
        for part in [place, value, "cell 'cell3' (row 3), gene 'gene2' (column 2)"] {
            assert!(error.contains(part), "{key}: {error}");
        }
    }
}

#[test]
fn what_is_no_h5ad() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("file");
    let open = || AnnDataFile::open(&path).unwrap_err();
    assert!(matches!(open(), IoError::NotFound { .. }));
    fs::write(&path, "cell,gene\n").unwrap();
    assert!(matches!(open(), IoError::NotHdf5 { .. }));
    fs::write(&path, "").unwrap();
    assert!(matches!(open(), IoError::NotHdf5 { .. }));
    assert!(matches!(AnnDataFile::open(dir.path()).unwrap_err(), IoError::NotZarr { .. }));
    fs::write(&path, fixture_bytes("not_anndata.h5")).unwrap();
    assert!(open().to_string().contains("does not hold an AnnData: it has no 'obs'"));
    fs::write(&path, fixture_bytes("legacy_0_6.h5ad")).unwrap();
    assert!(open().to_string().contains("before 0.7"));
    let whole = fixture_bytes("csr_float32.h5ad");
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = open().to_string();
    assert!(error.contains("cannot read the file: it is cut off, "), "{error}");
}
