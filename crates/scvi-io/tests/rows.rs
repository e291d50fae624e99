//! Matrices that are written row by row, read back; asks anndata and NumPy where there are any.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::{fixture, readable_fixtures};
use scvi_io::IoError;
use scvi_io::anndata::{AnnDataFile, Extras, NewRows, Slot, UnsValue};
use scvi_io::h5ad::H5adRows;
use scvi_io::rows::{MatrixWriter, Names, NpyRows, NpzRows, RowSink, TextRows, ZarrRows};
use tempfile::tempdir;

/// Cells and genes of the fixtures.
const SHAPE: (usize, usize) = (7, 5);
/// The third cell is left out.
const KEPT: [usize; 6] = [0, 1, 3, 4, 5, 6];

/// Runs `check_rows.py` with the Python of `SCVI_REFERENCE_PYTHON`, if there is one.
fn python(kind: &str, paths: &[&Path]) {
    let Ok(python) = std::env::var("SCVI_REFERENCE_PYTHON") else {
        eprintln!("skipped: what anndata says (set SCVI_REFERENCE_PYTHON)");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check_rows.py");
    let output = Command::new(python).arg(script).arg(kind).args(paths).output().unwrap();
    assert!(output.status.success(), "{kind}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Rows of the kept cells: 100 matrix + 10 cell + column.
fn row(matrix: usize, cell: usize, columns: usize) -> Vec<f32> {
    (0..columns).map(|column| (100 * matrix + 10 * cell + column) as f32).collect()
}

/// Writes every matrix, one or two rows at a time and matrices in turn.
fn fill(sink: impl RowSink) -> Result<(), IoError> {
    let columns = sink.columns().to_vec();
    let mut writer = MatrixWriter::new(sink, SHAPE.0, Some(&KEPT));
    for cells in [&KEPT[..1], &KEPT[1..3], &KEPT[3..5], &KEPT[5..]] {
        for (matrix, &columns) in columns.iter().enumerate() {
            let rows: Vec<f32> = cells.iter().flat_map(|&c| row(matrix, c, columns)).collect();
            writer.append(matrix, &rows)?;
        }
    }
    writer.finish()
}

fn matrices() -> [NewRows<'static>; 3] {
    let layer = |key| NewRows { slot: Slot::Layers, key, columns: SHAPE.1 };
    [layer("scvi_a"), NewRows { slot: Slot::Obsm, key: "X_b", columns: 2 }, layer("scvi_c")]
}

#[test]
fn adds_to_every_kind_of_h5ad() {
    let dir = tempdir().unwrap();
    let obs: Vec<f32> = (0..7).map(|k| k as f32).collect();
    let uns = [("genes_b", UnsValue::Texts(vec!["x".into(), "ü".into()]))];
    let extras = Extras {
        uns: &uns,
        obs: &[("scvi_size", &obs)],
        labels: &[],
        var: &[("scvi_theta", &obs[..5])],
    };
    let mut pairs = Vec::new();
    for name in readable_fixtures() {
        let input = fixture(&dir, &name);
        let output = dir.path().join(format!("out_{name}"));
        fill(H5adRows::create(&input, &output, &matrices(), extras, false).unwrap()).unwrap();
        // Once more, in place: everything is replaced by its like.
        fill(H5adRows::create(&output, &output, &matrices(), extras, true).unwrap()).unwrap();
        let (old, new) = (AnnDataFile::open(&input).unwrap(), AnnDataFile::open(&output).unwrap());
        let names = [old.obs_columns(), &["scvi_size".to_owned()]].concat();
        assert_eq!(new.obs_columns(), names, "{name}");
        pairs.extend([input, output]);
    }
    python("h5ad", &pairs.iter().map(|p| p.as_path()).collect::<Vec<_>>());
}

#[test]
fn an_unfinished_h5ad_leaves_nothing() {
    let dir = tempdir().unwrap();
    let input = fixture(&dir, "csr_float32.h5ad");
    let output = dir.path().join("out.h5ad");
    let create =
        |matrices: &[NewRows], extras| H5adRows::create(&input, &output, matrices, extras, false);
    let file = create(&matrices(), Extras::default()).unwrap();
    let mut writer = MatrixWriter::new(file, SHAPE.0, None);
    writer.append(0, &[0.0; 35]).unwrap();
    assert!(matches!(writer.finish(), Err(IoError::BadInput { .. })));
    let [a, b, _] = matrices();
    let short = [1.0];
    for (matrices, extras) in [
        (vec![a, a], Extras::default()),
        (vec![NewRows { columns: 4, ..a }], Extras::default()),
        (vec![NewRows { key: "a/b", ..b }], Extras::default()),
        (vec![b], Extras { obs: &[("x", &short)], ..Extras::default() }),
        (vec![b], Extras { var: &[("x", &short)], ..Extras::default() }),
        (vec![b], Extras { uns: &[("", UnsValue::Integer(1))], ..Extras::default() }),
    ] {
        let error = create(&matrices, extras).unwrap_err();
        assert!(matches!(error, IoError::BadInput { .. }), "{error}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn other_formats() {
    let dir = tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let cells: Vec<String> = (0..SHAPE.0).map(|k| format!("cell \"{k}\", ü")).collect();
    let genes: Vec<String> = (0..SHAPE.1).map(|k| format!("gene{k}")).collect();
    let names = Names { corner: "cell", rows: &cells, columns: &genes };
    let (rows, columns) = SHAPE;
    for overwrite in [false, true] {
        fill(NpyRows::create(path("a.npy"), rows, columns, overwrite).unwrap()).unwrap();
        let members = [("mean", columns), ("dropout", columns), ("two", 2)];
        fill(NpzRows::create(path("a.npz"), rows, &members, overwrite).unwrap()).unwrap();
        fill(TextRows::create(path("a.csv"), b',', names, overwrite).unwrap()).unwrap();
        fill(TextRows::create(path("a.tsv"), b'\t', names, overwrite).unwrap()).unwrap();
        fill(ZarrRows::create(path("a.zarr"), names, overwrite).unwrap()).unwrap();
    }
    assert!(matches!(ZarrRows::create(path("a.zarr"), names, false), Err(IoError::Exists { .. })));
    let mut text = Vec::new();
    fill(TextRows::stream(&mut text, names).unwrap()).unwrap();
    assert_eq!(fs::read(path("a.csv")).unwrap(), text);
    assert!(String::from_utf8(text).unwrap().contains("\"cell \"\"2\"\", ü\",NaN,NaN,"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 5);
    python("formats", &[dir.path()]);
}

#[test]
fn a_zarr_of_several_chunks() {
    let dir = tempdir().unwrap();
    let path = dir.path().join("a.zarr");
    let name = |n: usize| (0..n).map(|k| k.to_string()).collect::<Vec<_>>();
    let (cells, genes) = (name(10), name(300_000));
    let names = Names { corner: "", rows: &cells, columns: &genes };
    let sink = ZarrRows::create(&path, names, false).unwrap();
    let mut writer = MatrixWriter::new(sink, cells.len(), None);
    let rows = |range: std::ops::Range<u32>| -> Vec<f32> {
        range.flat_map(|cell| (0..300_000).map(move |gene| (gene * 10 + cell) as f32)).collect()
    };
    [0..2, 2..9, 9..10].into_iter().for_each(|range| writer.append(0, &rows(range)).unwrap());
    writer.finish().unwrap();
    python("chunks", &[&path]);
}
