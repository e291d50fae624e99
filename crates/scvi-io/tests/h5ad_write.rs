//! Writes files and reads them back; asks anndata where there is one.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{COUNTS, fixture, fixture_bytes, readable_fixtures, rows};
use proptest::prelude::*;
use scvi::data::CsrMatrix;
use scvi_io::IoError;
use scvi_io::anndata::{AnnDataFile, Categorical, Column, MatrixKey, Slot, UnsValue};
use scvi_io::h5ad::{CsrRows, NewAnnData, NewArray, SparseMatrix, write_h5ad, write_with_arrays};
use tempfile::tempdir;

/// Runs `check_written.py` with the Python of `SCVI_REFERENCE_PYTHON`; `None` where that is unset.
fn python(args: &[&str]) -> Option<String> {
    let Ok(python) = std::env::var("SCVI_REFERENCE_PYTHON") else {
        eprintln!(
            "skipped: what anndata says (set SCVI_REFERENCE_PYTHON to a Python with anndata)"
        );
        return None;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check_written.py");
    let output = Command::new(python).arg(script).args(args).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {stderr}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// 7 x 3 values, NaN for the third cell, which has no counts.
fn latent() -> Vec<f32> {
    (0..21).map(|k| if k / 3 == 2 { f32::NAN } else { k as f32 }).collect()
}

fn obsm<'a>(key: &'a str, values: &'a [f32]) -> NewArray<'a> {
    NewArray { slot: Slot::Obsm, key, values, columns: 3 }
}

#[test]
fn a_copy_holds_everything_and_the_result() {
    let dir = tempdir().unwrap();
    let latent = latent();
    let mut pairs = Vec::new();
    let fixtures = readable_fixtures().into_iter().map(|name| fixture(&dir, &name));
    // A user block that was put before the file, whose superblock says nothing of it.
    let behind_block = ["csr_float32.h5ad", "everything_latest.h5ad"].map(|name| {
        let path = dir.path().join(format!("behind_block_{name}"));
        fs::write(&path, [&[0x23; 512], &fixture_bytes(name)[..]].concat()).unwrap();
        path
    });
    for input in fixtures.chain(behind_block) {
        let name = input.file_name().unwrap().to_str().unwrap();
        let before = fs::read(&input).unwrap();
        let output = dir.path().join(format!("out_{name}"));
        write_with_arrays(&input, &output, &[obsm("X_scVI", &latent)], false).unwrap();
        assert_eq!(fs::read(&input).unwrap(), before, "{name}: the input was changed");

        let (old, new) = (AnnDataFile::open(&input).unwrap(), AnnDataFile::open(&output).unwrap());
        assert_eq!(rows(&new.counts(&MatrixKey::X).unwrap()), COUNTS, "{name}");
        assert_eq!(new.obs_names(), old.obs_names());
        assert_eq!(new.obs_columns(), old.obs_columns());
        for key in old.obs_columns() {
            match (old.obs_column(key), new.obs_column(key)) {
                (Ok(old), Ok(new)) => {
                    assert_eq!(old.to_categorical(), new.to_categorical(), "{name} {key}");
                }
                (old, new) => assert!(old.is_err() && new.is_err(), "{name} {key}"),
            }
        }
        assert!(new.obsm_keys().contains(&"X_scVI".into()));
        pairs.extend([input, output].map(|p| p.to_str().unwrap().to_string()));
    }
    let pairs = pairs.iter().map(String::as_str);
    python(&["copy", "X_scVI"].into_iter().chain(pairs).collect::<Vec<_>>());
}

#[test]
fn replaces_results_in_place_and_adds_layers() {
    let dir = tempdir().unwrap();
    let input = fixture(&dir, "everything.h5ad");
    let (latent, layer) = (latent(), vec![0.5; 35]);
    let add = |key| {
        let layers = NewArray { slot: Slot::Layers, key: "normalized", values: &layer, columns: 5 };
        write_with_arrays(&input, &input, &[obsm(key, &latent), layers], true)
    };
    // An array, a data frame and a sparse matrix of that name are replaced alike; twice is fine.
    for key in ["X_pca", "frame", "sparse", "X_pca"] {
        add(key).unwrap();
        python(&["copy", key, input.to_str().unwrap(), input.to_str().unwrap()]);
    }
    let file = AnnDataFile::open(&input).unwrap();
    assert_eq!(file.obsm_keys(), ["X_pca", "frame", "sparse"]);
    let normalized = file.counts(&MatrixKey::Layer("normalized".into())).unwrap();
    assert_eq!(normalized.values(), layer);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn refuses_what_does_not_fit() {
    let dir = tempdir().unwrap();
    let input = fixture(&dir, "csr_float32.h5ad");
    let output = dir.path().join("out.h5ad");
    let latent = latent();
    let good = obsm("X_scVI", &latent);
    let add = |arrays: &[NewArray<'_>]| write_with_arrays(&input, &output, arrays, false);
    for bad in [
        NewArray { columns: 4, ..good },
        NewArray { key: "", ..good },
        NewArray { key: "a/b", ..good },
        NewArray { slot: Slot::Layers, ..good },
    ] {
        assert!(matches!(add(&[bad]), Err(IoError::BadInput { .. })), "{bad:?}");
    }
    assert!(matches!(add(&[good, good]), Err(IoError::BadInput { .. })));
    assert!(!output.exists());
    add(&[good]).unwrap();
    assert!(matches!(add(&[good]), Err(IoError::Exists { .. })));
    let text = dir.path().join("text.h5ad");
    fs::write(&text, "no").unwrap();
    let error = write_with_arrays(&text, dir.path().join("x"), &[good], false).unwrap_err();
    assert!(matches!(error, IoError::NotHdf5 { .. }));
}

fn new_anndata(x: &CsrMatrix) -> NewAnnData<'_> {
    let names = |what: &str, n: usize| (0..n).map(|k| format!("{what}{k}")).collect();
    NewAnnData::new(x, names("cell", x.n_cells()), names("gene", x.n_genes()))
}

#[test]
fn a_new_file_with_all_kinds_of_columns() {
    let x = CsrMatrix::new(3, vec![0, 2, 2, 3], vec![0, 2, 1], vec![1.0, 2.5, 4.0]).unwrap();
    let mut data = new_anndata(&x);
    let strings = |v: [&str; 3]| v.map(|s| Some(s.to_string())).to_vec();
    data.obs = vec![
        ("batch".into(), Column::Strings(strings(["b", "a", "b"])).to_categorical()),
        ("plate".into(), Column::Integers(vec![Some(30), Some(4), None]).to_categorical()),
        (
            "stage".into(),
            Categorical {
                codes: vec![Some(1), None, Some(0)],
                categories: vec!["z".into(), "a".into(), "unused".into()],
                ordered: true,
                ..Categorical::default()
            },
        ),
    ]
    .into_iter()
    .map(|(k, v): (String, _)| (k, Column::Categorical(v)))
    .collect();
    data.obs.extend([
        ("text".into(), Column::Strings(strings(["é", "", "x"]))),
        ("text_na".into(), Column::Strings(vec![Some("p".into()), None, Some("q".into())])),
        ("flag".into(), Column::Bools(vec![Some(true), Some(false), Some(true)])),
        ("flag_na".into(), Column::Bools(vec![Some(true), None, Some(false)])),
        ("n".into(), Column::Integers(vec![Some(-1), Some(2), Some(3)])),
        ("n_na".into(), Column::Integers(vec![Some(1), None, Some(3)])),
        ("size".into(), Column::Floats(vec![0.5, f64::NAN, 2.0])),
        ("small".into(), Column::Singles(vec![0.5, 1.5, 2.5])),
    ]);
    data.obsm.push(("X_true".into(), vec![1.0; 6], 2));
    data.uns.insert("seed".into(), UnsValue::Integer(3));
    data.uns.insert("rate".into(), UnsValue::Float(0.25));
    data.uns.insert("made by".into(), UnsValue::Text("scvi".into()));
    data.uns.insert("list".into(), UnsValue::Texts(vec!["a".into(), "b".into()]));
    data.uns.insert("floats".into(), UnsValue::Floats(vec![1.0, 2.0]));

    let dir = tempdir().unwrap();
    let path = dir.path().join("new.h5ad");
    write_h5ad(&path, &data, false).unwrap();
    let file = AnnDataFile::open(&path).unwrap();
    assert_eq!(file.counts(&MatrixKey::X).unwrap(), x);
    for (key, column) in &data.obs {
        let read = file.obs_column(key).unwrap();
        assert_eq!(read.to_categorical(), column.to_categorical(), "{key}");
        assert_eq!(read.missing(), column.missing(), "{key}");
    }
    if let Some(seen) = python(&["new", path.to_str().unwrap()]) {
        let expected = "\
csr float32 (3, 3) 7.5
batch category ['b', 'a', 'b']
plate category [30, 4, None]
stage category ['a', None, 'z']
text object ['é', '', 'x']
text_na string ['p', None, 'q']
flag bool [True, False, True]
flag_na boolean [True, None, False]
n int64 [-1, 2, 3]
n_na Int64 [1, None, 3]
size float64 [0.5, None, 2.0]
small float32 [0.5, 1.5, 2.5]
{'floats': [1.0, 2.0], 'list': ['a', 'b'], 'made by': 'scvi', 'rate': 0.25, 'seed': 3}
{'X_true': (3, 2)} ['cell0', 'cell1', 'cell2'] []
";
        assert_eq!(seen, expected);
    }
}

#[test]
fn a_new_file_without_anything() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("new.h5ad");
    let x = CsrMatrix::new(0, vec![0], vec![], vec![]).unwrap();
    write_h5ad(&path, &new_anndata(&x), false).unwrap();
    assert_eq!(AnnDataFile::open(&path).unwrap().counts(&MatrixKey::X).unwrap(), x);
    python(&["new", path.to_str().unwrap()]);
}

#[test]
fn many_categories_and_large_arrays() {
    let n = 70_000;
    let x =
        CsrMatrix::new(2, (0..=n).collect(), vec![1; n as usize], vec![1.0; n as usize]).unwrap();
    let mut data = new_anndata(&x);
    let labels = |every: usize| {
        Column::Categorical(Categorical {
            codes: (0..n as u32).map(|k| Some(k / every as u32)).collect(),
            categories: (0..n as usize / every).map(|k| format!("c{k}")).collect(),
            ..Categorical::default()
        })
    };
    data.obs = vec![("i32".into(), labels(1)), ("i16".into(), labels(100))];
    let dir = tempdir().unwrap();
    let path = dir.path().join("new.h5ad");
    write_h5ad(&path, &data, false).unwrap();
    let file = AnnDataFile::open(&path).unwrap();
    assert_eq!(file.counts(&MatrixKey::X).unwrap(), x);
    for (key, column) in &data.obs {
        assert_eq!(&file.obs_column(key).unwrap(), column);
    }
    python(&["new", path.to_str().unwrap()]);
}

#[test]
fn refuses_contradictions() {
    let dir = tempdir().unwrap();
    let x = CsrMatrix::new(2, vec![0, 1], vec![1], vec![1.0]).unwrap();
    let refused = |change: &dyn Fn(&mut NewAnnData<'_>)| {
        let mut data = new_anndata(&x);
        change(&mut data);
        let result = write_h5ad(dir.path().join("new.h5ad"), &data, false);
        assert!(matches!(result, Err(IoError::BadInput { .. })), "{result:?}");
    };
    refused(&|d| d.obs_names.clear());
    refused(&|d| d.gzip_level = 10);
    refused(&|d| d.obs.push(("a".into(), Column::Floats(vec![]))));
    refused(&|d| d.obs.push(("a/b".into(), Column::Floats(vec![1.0]))));
    refused(&|d| d.obs.push(("_index".into(), Column::Floats(vec![1.0]))));
    refused(&|d| d.obs = vec![("a".into(), Column::Floats(vec![1.0])); 2]);
    let beyond = Categorical { codes: vec![Some(0)], ..Categorical::default() };
    refused(&|d| d.obs.push(("a".into(), Column::Categorical(beyond.clone()))));
    refused(&|d| d.obsm.push(("a".into(), vec![1.0], 2)));
    refused(&|d| drop(d.uns.insert("..".into(), UnsValue::Integer(1))));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

/// 3,000 cells with a third of 90 genes: values for several chunks.
fn several_chunks(first: f32) -> CsrMatrix {
    let indptr = (0..=3000).map(|cell| 30 * cell).collect();
    let indices = (0..90_000).map(|k| (k % 30) * 3 + k / 30 % 3).collect();
    let values = (0..90_000_u32).map(|k| first + (k % 7) as f32).collect();
    CsrMatrix::new(90, indptr, indices, values).unwrap()
}

/// The cells of a range.
fn some(x: &CsrMatrix, cells: std::ops::Range<usize>) -> CsrMatrix {
    x.select_cells(&cells.collect::<Vec<_>>())
}

#[test]
fn rows_that_come_in_blocks_make_the_same_matrices() {
    let dir = tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let (x, layer) = (several_chunks(1.0), several_chunks(5.0));
    for gzip_level in [0, 4] {
        let mut whole = new_anndata(&x);
        whole.gzip_level = gzip_level;
        whole.layers.push(("l".into(), (&layer).into()));
        write_h5ad(path("whole.h5ad"), &whole, true).unwrap();

        // X has its first rows from the beginning, the layer none.
        let first = some(&x, 0..5);
        let mut data = whole.clone();
        data.x = (&first).into();
        data.layers[0].1 = SparseMatrix::empty(90);
        let mut file = CsrRows::create(path("rows.h5ad"), &data, true).unwrap();
        for (start, end) in [(5, 5), (5, 6), (6, 1700), (1700, 3000)] {
            file.append(0, (&some(&x, start..end)).into()).unwrap();
        }
        for start in (0..3000).step_by(100) {
            file.append(1, (&some(&layer, start..start + 100)).into()).unwrap();
        }
        assert!(!path("rows.h5ad").exists() || gzip_level > 0);
        file.finish().unwrap();

        let file = AnnDataFile::open(path("rows.h5ad")).unwrap();
        assert_eq!(file.counts(&MatrixKey::X).unwrap(), x);
        assert_eq!(file.counts(&MatrixKey::Layer("l".into())).unwrap(), layer);
        let says = |name: &str| python(&["new", path(name).to_str().unwrap()]);
        assert_eq!(says("rows.h5ad"), says("whole.h5ad"));
        // It can be edited as any other.
        let latent = vec![0.5; 3000];
        let array = NewArray { slot: Slot::Obsm, key: "z", values: &latent, columns: 1 };
        write_with_arrays(path("rows.h5ad"), path("z.h5ad"), &[array], true).unwrap();
        assert_eq!(AnnDataFile::open(path("z.h5ad")).unwrap().counts(&MatrixKey::X).unwrap(), x);
    }
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("new.h5ad");
    let x = CsrMatrix::new(2, vec![0, 1, 2], vec![1, 0], vec![1.0, 2.0]).unwrap();
    let mut data = new_anndata(&x);
    data.x = SparseMatrix::empty(2);
    let create = || CsrRows::create(&path, &data, false).unwrap();
    let told = |result: Result<(), IoError>| result.unwrap_err().to_string();
    let rows = SparseMatrix::from(&x);
    for (bad, part) in [
        (SparseMatrix { n_columns: 3, ..rows }, "shape (2, 2)"),
        (SparseMatrix { indices: &[1], ..rows }, "2 indices"),
        (SparseMatrix { indices: &[1, 2], ..rows }, "indices below 2"),
        (SparseMatrix { indptr: &[0, 1, 1], ..rows }, "from 0 to 2"),
        (SparseMatrix { indptr: &[0, 2, 1, 2], ..rows }, "from 0 to 2"),
        (SparseMatrix { indptr: &[], ..rows }, "from 0 to 2"),
    ] {
        let told = told(create().append(0, bad));
        assert!(told.contains(part), "{told}");
    }
    let mut file = create();
    file.append(0, rows).unwrap();
    assert!(told(file.append(0, rows)).contains("(4, 2)"));
    assert!(told(create().finish()).contains("(0, 2)"));
    drop(file);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

/// A random sparse matrix: its width, and for each cell its genes with their counts.
fn matrix() -> impl Strategy<Value = CsrMatrix> {
    (1_usize..40).prop_flat_map(|genes| {
        let row = prop::collection::btree_map(0..genes as u32, 0.001_f32..1e6, 0..genes.min(12));
        prop::collection::vec(row, 0..40).prop_map(move |rows| {
            let mut indptr = vec![0];
            let (mut indices, mut values) = (Vec::new(), Vec::new());
            for (gene, value) in rows.into_iter().flat_map(|row| {
                indptr.push(indptr[indptr.len() - 1] + row.len() as u64);
                row
            }) {
                indices.push(gene);
                values.push(value);
            }
            CsrMatrix::new(genes, indptr, indices, values).unwrap()
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(x in matrix(), gzip_level in 0_u32..=9) {
        let dir = tempdir().unwrap();
        let path = dir.path().join("new.h5ad");
        let mut data = new_anndata(&x);
        data.gzip_level = gzip_level;
        write_h5ad(&path, &data, false).unwrap();
        let file = AnnDataFile::open(&path).unwrap();
        prop_assert_eq!(file.obs_names(), &data.obs_names);
        prop_assert_eq!(file.var_names(), &data.var_names);
        prop_assert_eq!(file.counts(&MatrixKey::X).unwrap(), x);
    }
}
