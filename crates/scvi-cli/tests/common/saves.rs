//! The saves of scvi-tools that the tests share, and their data.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use safetensors::SafeTensors;
use scvi::data::CsrMatrix;
use scvi_io::anndata::Column;
use scvi_io::h5ad::{NewAnnData, write_h5ad};

use super::{Folder, names};

/// Cells of the data.
pub const CELLS: usize = 60;

/// A model that scvi-tools saved.
pub fn save(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../reference/saves").join(name)
}

/// Values of a tensor, all types widened.
pub fn tensor(path: &Path, name: &str) -> Option<Vec<f64>> {
    let bytes = fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let view = file.tensor(name).ok()?;
    let data = view.data();
    Some(match view.dtype() {
        safetensors::Dtype::F32 => {
            data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b).into()).collect()
        }
        safetensors::Dtype::F64 => {
            data.as_chunks().0.iter().map(|b| f64::from_le_bytes(*b)).collect()
        }
        _ => data.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b) as f64).collect(),
    })
}

/// Runs a check of `tests/` on a folder, if there is a Python for it.
pub fn python_agrees(folder: &Folder, script: &str) {
    let Ok(python) = std::env::var("SCVI_REFERENCE_PYTHON") else {
        eprintln!("skipped: what anndata says (set SCVI_REFERENCE_PYTHON)");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(script);
    let output = Command::new(python).arg(script).arg(folder.path("")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A folder with the data of all saves as `data.h5ad`.
pub fn folder() -> Folder {
    let folder = Folder::new();
    write_data(&folder.path("data.h5ad"), |_, _| ());
    folder
}

/// Writes the data of all saves, once `change` has had the counts of each cell and the genes' names.
/// Cells that it adds in front have the first cell's columns.
pub fn write_data(path: &Path, change: impl FnOnce(&mut Vec<Vec<f32>>, &mut Vec<String>)) {
    let input = |name: &str| tensor(&save("input.safetensors"), name).unwrap();
    let x: Vec<f32> = input("x").into_iter().map(|count| count as f32).collect();
    let mut cells: Vec<Vec<f32>> = x.chunks(20).map(<[f32]>::to_vec).collect();
    let mut genes = (0..20).map(|g| format!("gene {g}")).collect();
    change(&mut cells, &mut genes);
    let added = cells.len() - CELLS;
    let input = |name: &str| {
        let values = input(name);
        [vec![values[0]; added], values].concat()
    };
    let (mut indptr, mut indices, mut values) = (vec![0], Vec::new(), Vec::new());
    for row in &cells {
        for (gene, &count) in row.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            indices.push(gene as u32);
            values.push(count);
        }
        indptr.push(values.len() as u64);
    }
    let x = CsrMatrix::new(20, indptr, indices, values).unwrap();
    let mut data = NewAnnData::new(&x, names("cell", cells.len()), genes);
    for key in ["batch", "label", "donor"] {
        let name = |code: f64| format!("{key} {}", char::from(b'a' + code as u8));
        let column = input(key).into_iter().map(|code| Some(name(code))).collect();
        data.obs.push((key.to_owned(), Column::Strings(column)));
    }
    let plates = input("plate").into_iter().map(|code| Some(11 + code as i64)).collect();
    data.obs.push(("plate".to_owned(), Column::Integers(plates)));
    for key in ["age", "score", "size"] {
        let column = input(key).into_iter().map(|x| x as f32).collect();
        data.obs.push((key.to_owned(), Column::Singles(column)));
    }
    write_h5ad(path, &data, false).unwrap();
}

/// Rows of numbers in a csv with names, by column.
pub fn columns(text: &str) -> Vec<(String, Vec<f64>)> {
    let mut lines = text.lines();
    let header = lines.next().unwrap().split(',').skip(1);
    let mut columns: Vec<_> = header.map(|name| (name.to_owned(), Vec::new())).collect();
    for line in lines {
        for ((_, column), value) in columns.iter_mut().zip(line.split(',').skip(1)) {
            column.push(value.parse().unwrap());
        }
    }
    columns
}
