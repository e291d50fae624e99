//! Numbers from the engine to numpy: memory is handed over, not copied.

use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scvi_io::model_dir::HistoryTable;

/// A list as a matrix of so many columns: `(rows, columns)`.
pub fn matrix<T: numpy::Element>(
    py: Python<'_>,
    values: Vec<T>,
    columns: usize,
) -> PyResult<Bound<'_, PyArray2<T>>> {
    let rows = values.len() / columns.max(1);
    PyArray1::from_vec(py, values).reshape([rows, columns])
}

/// The history as a dictionary of columns.
pub fn history<'py>(py: Python<'py>, table: &HistoryTable) -> PyResult<Bound<'py, PyDict>> {
    let columns = PyDict::new(py);
    for (i, name) in table.columns.iter().enumerate() {
        let values = table.rows.iter().map(|row| row.get(i).copied().unwrap_or(f64::NAN));
        columns.set_item(name, PyArray1::from_iter(py, values))?;
    }
    Ok(columns)
}

/// Adds later epochs to a history: they are counted on, and columns that one of the two lacks are
/// empty there.
pub fn add_history(table: &mut HistoryTable, later: HistoryTable) {
    if table.rows.is_empty() {
        *table = later;
        return;
    }
    let n_before = table.rows.len();
    for name in &later.columns {
        if !table.columns.contains(name) {
            table.columns.push(name.clone());
            table.rows.iter_mut().for_each(|row| row.push(f64::NAN));
        }
    }
    for (epoch, row) in later.rows.iter().enumerate() {
        let of = |name: &String| match later.columns.iter().position(|column| column == name) {
            _ if name == "epoch" => (n_before + epoch) as f64,
            Some(i) => row[i],
            None => f64::NAN,
        };
        table.rows.push(table.columns.iter().map(of).collect());
    }
}
