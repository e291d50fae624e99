//! Features of HDF5 that files of other programs have: what is read, and what is refused by name.

mod common;

use std::fs;

use common::{COUNTS, fixture, fixture_bytes, heaps, rows, with_tails};
use scvi_io::IoError;
use scvi_io::anndata::{AnnDataFile, Column, MatrixKey};
use tempfile::tempdir;

fn layer(key: &str) -> MatrixKey {
    MatrixKey::Layer(key.into())
}

#[test]
fn layouts_and_indices_of_chunks() {
    let dir = tempdir().unwrap();
    for name in ["layouts_earliest.h5ad", "layouts_v110.h5ad", "layouts_latest.h5ad"] {
        let file = AnnDataFile::open(fixture(&dir, name)).unwrap();
        assert_eq!(file.layers().len(), 24, "{name}");
        for key in file.layers() {
            let counts = file.counts(&layer(key)).unwrap();
            let expected: Vec<Vec<f32>> = match key.starts_with("fill") {
                false => COUNTS.map(Vec::from).into(),
                // The lower left corner was never written.
                true => (0..7)
                    .map(|row| {
                        let written = |column| row < 4 || column >= 2;
                        (0..5).map(|c| if written(c) { COUNTS[row][c] } else { 0.0 }).collect()
                    })
                    .collect(),
            };
            assert_eq!(rows(&counts), expected, "{name} {key}");
        }
    }
}

#[test]
fn every_codec_gives_the_same_numbers() {
    let dir = tempdir().unwrap();
    let file = AnnDataFile::open(fixture(&dir, "codecs.hdf5")).unwrap();
    let expected = file.counts(&MatrixKey::X).unwrap();
    assert_eq!((expected.n_cells(), expected.n_genes()), (90, 24));
    assert_eq!(file.layers().len(), 28);
    for key in file.layers() {
        assert_eq!(file.counts(&layer(key)).unwrap(), expected, "{key}");
    }
}

#[test]
fn a_flipped_bit_of_a_checked_chunk_is_found() {
    let dir = tempdir().unwrap();
    let path = fixture(&dir, "codecs.hdf5");
    let intact = AnnDataFile::open(&path).unwrap().counts(&layer("zstd_shuffle")).unwrap();
    let whole = fs::read(&path).unwrap();
    // The chunks begin as zstd frames do, and end in a checksum.
    let frames = whole.windows(4).enumerate().filter(|(_, w)| *w == [0x28, 0xb5, 0x2f, 0xfd]);
    let mut n_found = 0;
    for (at, _) in frames {
        let mut broken = whole.clone();
        broken[at + 60] ^= 4;
        fs::write(&path, broken).unwrap();
        match AnnDataFile::open(&path).unwrap().counts(&layer("zstd_shuffle")) {
            Ok(counts) => assert_eq!(counts, intact, "byte {at}"),
            Err(error) => {
                n_found += 1;
                assert!(error.to_string().contains("cannot read layers/zstd_shuffle"), "{error}");
            }
        }
    }
    assert!(n_found >= 4, "{n_found}");
}

#[test]
fn soft_links_lead_to_groups_and_data_sets() {
    let dir = tempdir().unwrap();
    for name in ["soft_links.h5ad", "soft_links_latest.h5ad"] {
        let file = AnnDataFile::open(fixture(&dir, name)).unwrap();
        assert_eq!(file.layers(), ["again", "gone", "round", "same"]);
        for key in [MatrixKey::X, layer("again"), layer("same")] {
            assert_eq!(rows(&file.counts(&key).unwrap()), COUNTS, "{name} {key:?}");
        }
        assert_eq!(file.obs_column("batch").unwrap().label(5).as_deref(), Some("a"));
        let error = file.counts(&layer("gone")).unwrap_err().to_string();
        let expected = "layers/gone: expected an object at /nowhere, where this soft link leads";
        assert!(error.contains(expected), "{error}");
        let error = file.counts(&layer("round")).unwrap_err().to_string();
        assert!(error.contains("layers/round: expected at most 16 soft links"), "{error}");
    }
}

#[test]
fn other_files_and_unknown_filters_are_named() {
    let dir = tempdir().unwrap();
    let path = fixture(&dir, "refused.h5ad");
    let file = AnnDataFile::open(&path).unwrap();
    assert_eq!(rows(&file.counts(&MatrixKey::X).unwrap()), COUNTS);
    for (key, part) in [
        ("other_file", "layers/other_file is a link to /X in the file counts.h5: other files are"),
        ("external", "layers/external is stored in other files (external storage): other files"),
        ("virtual", "layers/virtual is put together from other data sets (virtual): other files"),
    ] {
        let error = file.counts(&layer(key)).unwrap_err();
        assert!(matches!(error, IoError::OtherFile { .. }), "{key}: {error}");
        assert!(error.to_string().contains(part), "{key}: {error}");
        let hint = error.hint().unwrap();
        assert!(hint.starts_with("`python3 -c \"import anndata, sys; "), "{hint}");
        assert!(hint.contains("refused_rewritten.h5ad` writes all of it into one file"), "{hint}");
    }
    for (key, filter, is_plugin) in [
        ("szip", "szip (4)", false),
        ("bzip2", "bzip2 (307)", true),
        ("blosc2", "blosc2 (32026)", true),
        ("zfp", "zfp (32013)", true),
    ] {
        let error = file.counts(&layer(key)).unwrap_err();
        let message =
            format!("layers/{key} is compressed by the filter {filter}, which is not read");
        assert!(error.to_string().contains(&message), "{key}: {error}");
        let hint = error.hint().unwrap();
        assert_eq!(hint.contains("import anndata, hdf5plugin, sys"), is_plugin, "{hint}");
        assert_eq!(hint.contains("pip install hdf5plugin"), is_plugin, "{hint}");
    }
}

#[test]
fn columns_of_unusual_types() {
    let dir = tempdir().unwrap();
    let file = AnnDataFile::open(fixture(&dir, "columns.h5ad")).unwrap();
    let numbers = |key: &str| file.obs_column(key).unwrap().to_numbers().unwrap();
    let expected = |f: fn(f64) -> f64| (0..7).map(|k| f(k.into())).collect::<Vec<f64>>();
    assert_eq!(numbers("half"), expected(|k| k / 2.0));
    assert_eq!(numbers("longdouble"), expected(|k| k / 4.0));
    assert_eq!(numbers("big_endian"), expected(|k| k));
    assert_eq!(numbers("big_endian_int"), expected(|k| -k));
    assert_eq!(numbers("enum"), expected(|k| k % 3.0));
    for (key, last) in [("ascii", "b"), ("spaces", "c")] {
        let column = file.obs_column(key).unwrap();
        assert!(matches!(column, Column::Strings(_)), "{key}");
        assert_eq!(column.label(6).as_deref(), Some(last), "{key}");
    }
    for key in ["complex", "compound"] {
        let error = file.obs_column(key).unwrap_err().to_string();
        assert!(error.contains(&format!("obs/{key}: expected strings, numbers")), "{error}");
    }
    let error = file.obs_column("latin").unwrap_err().to_string();
    assert!(error.contains("cannot read obs/latin: a text is not UTF-8"), "{error}");
}

#[test]
fn heaps_may_end_in_bytes_that_are_too_few_for_a_string() {
    let dir = tempdir().unwrap();
    for name in ["everything.h5ad", "everything_latest.h5ad", "legacy_0_7.h5ad", "plugin_zstd.h5ad"]
    {
        let path = dir.path().join(name);
        let bytes = fixture_bytes(name);
        assert!(!heaps(&bytes).is_empty(), "{name}");
        fs::write(&path, &bytes).unwrap();
        let read = || {
            let file = AnnDataFile::open(&path).unwrap();
            let columns = file.obs_columns().iter().map(|key| file.obs_column(key).unwrap());
            let columns: Vec<String> = columns.map(|column| format!("{column:?}")).collect();
            let counts = file.counts(&MatrixKey::X).unwrap();
            (file.obs_names().to_vec(), file.var_names().to_vec(), columns, counts)
        };
        let intact = read();
        for left in 0..16 {
            fs::write(&path, with_tails(&bytes, left)).unwrap();
            assert_eq!(read(), intact, "{name}, {left} bytes");
        }
    }
}

/// A case for the authors of hdf5-pure (0.47): a heap of strings whose last bytes are too few for the
/// head of an object, as h5py leaves it where strings are written again in place. Its end is
///
/// ```text
/// 05 00 01 00 00 00 00 00  05 00 00 00 00 00 00 00   object 5: one reference, 5 bytes
/// 67 65 6e 65 34 00 00 00                            gene4
/// 41 41 41 41 41 41 41 41                            what stood there once; the heap ends
/// ```
///
/// The C library passes over these bytes (`H5HGcache.c`, `H5HG__cache_heap_deserialize`: "the last
/// bit of space is too tiny for an object header, so we assume that it's free space"), and hdf5-pure
/// takes them for object 0x4141. Once this fails, `WastedTails` has no use any more.
#[test]
fn the_hdf5_library_takes_the_end_of_a_heap_for_an_object() {
    let names = |bytes: Vec<u8>| {
        let file = hdf5_pure::File::from_bytes(bytes).unwrap();
        file.dataset("var/_index").unwrap().read_string()
    };
    let bytes = fixture_bytes("csr_float32.h5ad");
    assert_eq!(names(bytes.clone()).unwrap()[4], "gene4");
    assert!(names(with_tails(&bytes, 0)).is_ok());
    assert!(names(with_tails(&bytes, 8)).is_err());
}
