//! Categories of columns of obs, compared as the command compares them.

use numpy::{PyArray1, PyReadonlyArray1, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use pythonize::depythonize;
use scvi::data::{
    CategoricalField, CategoryError, CategoryKind, NameIndex, datetime_str, timedelta_str,
};

use crate::config::to_python;
use crate::error::{EngineError, value_error};

/// Checks that the categories of a column are values of their kind, each once, and, given the number
/// of cells, that they are no names of cells.
#[pyfunction]
#[pyo3(signature = (field, n_cells=None))]
pub fn check_categories(field: &Bound<PyDict>, n_cells: Option<usize>) -> PyResult<()> {
    let field = column(field)?;
    field.check().and_then(|()| n_cells.map_or(Ok(()), |n| field.check_number(n))).map_err(raised)
}

/// Codes by the known categories, of cells that have codes by those found.
#[pyfunction]
pub fn transfer_categories<'py>(
    py: Python<'py>,
    known: &Bound<PyDict>,
    found: &Bound<PyDict>,
    codes: PyReadonlyArray1<u32>,
) -> PyResult<Bound<'py, PyArray1<u32>>> {
    let (known, found) = (column(known)?, column(found)?);
    let codes = checked(&found, &codes)?;
    Ok(known.transfer(&found, &codes).map_err(raised)?.to_pyarray(py))
}

/// The known categories and after them, sorted, those of cells that are new.
#[pyfunction]
pub fn extend_categories<'py>(
    py: Python<'py>,
    known: &Bound<PyDict>,
    found: &Bound<PyDict>,
    codes: PyReadonlyArray1<u32>,
    allow_many_categories: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let (mut known, found) = (column(known)?, column(found)?);
    let codes = checked(&found, &codes)?;
    let n_known = known.categories.len();
    known.extend(&found, &codes).map_err(raised)?;
    if !allow_many_categories {
        known.check_number_from(n_known, codes.len()).map_err(raised)?;
    }
    to_python(py, &known)
}

/// Categories that are times, counted in the unit of their kind.
#[pyfunction]
pub fn category_times<'py>(
    py: Python<'py>,
    field: &Bound<PyDict>,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let field = column(field)?;
    let times = field.times().ok_or_else(|| value_error(format!("'{}': no times", field.key)))?;
    Ok(times.to_pyarray(py))
}

/// The texts of times that are counted in the unit of a kind.
#[pyfunction]
pub fn time_texts(kind: String, times: PyReadonlyArray1<i64>) -> PyResult<Vec<String>> {
    let kind = CategoryKind::try_from(kind).map_err(|error| value_error(error.to_string()))?;
    let times = times.as_array();
    let text = |&time: &i64| match kind {
        CategoryKind::Datetime(unit) => Ok(datetime_str(unit.of(time))),
        CategoryKind::Timedelta(unit) => Ok(timedelta_str(unit.of(time))),
        _ => Err(value_error(format!("categories of kind {kind} are no times"))),
    };
    times.iter().map(text).collect()
}

/// What a user should know of names that stand more than once; `what` they name, in the singular.
#[pyfunction]
pub fn repeated_names(what: &str, names: Vec<String>) -> Option<String> {
    NameIndex::new(&names).warning(what)
}

/// Names for a message: the first ten, and how many more there are.
#[pyfunction]
pub fn listed(names: Vec<String>) -> String {
    scvi::listed(names)
}

/// The engine's form of a column.
pub fn column(field: &Bound<PyDict>) -> PyResult<CategoricalField> {
    depythonize(field).map_err(|error| value_error(format!("a column: {error}")))
}

/// Codes, each of a category.
pub fn checked(found: &CategoricalField, codes: &PyReadonlyArray1<u32>) -> PyResult<Vec<u32>> {
    let codes: Vec<u32> = codes.as_array().iter().copied().collect();
    match codes.iter().find(|&&code| code as usize >= found.categories.len()) {
        None => Ok(codes),
        Some(code) => Err(value_error(format!("code {code} of no category of '{}'", found.key))),
    }
}

/// The error as scvi-tools words it, with what helps in Python.
pub fn raised(error: CategoryError) -> PyErr {
    let told = match &error {
        CategoryError::Unknown { unknown, .. } => format!(
            "Category {} not found in source registry. Cannot transfer setup without \
             `extend_categories = True`. In adata.obs, {error}. ",
            unknown.first().map_or("", |category| category.trim_matches('\''))
        ),
        _ => format!("In adata.obs, {error}. "),
    };
    let advice = match (&error, error.key(), error.conversion()) {
        (_, Some(key), Some(call)) => {
            format!("Convert it: adata.obs[{key:?}] = adata.obs[{key:?}]{call}")
        }
        (CategoryError::Unknown { .. }, ..) => {
            "load_query_data() teaches a model new categories; or leave these cells out.".to_owned()
        }
        (CategoryError::TooMany { is_new, .. }, ..) => {
            let method = if *is_new { "load_query_data" } else { "setup_anndata" };
            format!(
                "A category is a group of cells, such as a batch or a donor; \
                 {method}(..., allow_many_categories=True) takes the column as it is."
            )
        }
        _ => String::new(),
    };
    EngineError::with_message("CategoryError", format!("{told}{advice}").trim_end()).into()
}
