//! Counts as Python holds them: borrowed from scipy or numpy, or read by a function of Python's.

mod numbers;
mod source;

use std::sync::Arc;

use numpy::PyArray1;
use numpy::ToPyArray;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scvi::data::CsrError;
use scvi_kernels::CsrRows;

use crate::error::{py_error, value_error};
use crate::supervise::run;
use numbers::{List, ListGuard, Matrix, MatrixGuard};
use source::{Rows, Source};

/// Cells that are looked at together when all of them are.
const CHUNK: usize = 1024;

/// Counts of cells, one row a cell; nothing is copied.
///
/// Rows are checked as they are read, for nothing keeps Python from changing them in between.
#[pyclass(frozen, module = "scvi_rs._core")]
pub struct Counts {
    held: Held,
    n_cells: usize,
    /// Genes of the model.
    n_genes: usize,
    /// The model's gene of each column, where they differ; `u32::MAX` where it has none.
    places: Option<Arc<[u32]>>,
    max_nnz: usize,
}

/// What Python holds.
enum Held {
    Csr {
        indptr: List,
        indices: List,
        data: List,
    },
    Dense(Matrix),
    /// A function that takes cell numbers and gives indptr, indices and data of these rows.
    Callback(Py<PyAny>),
}

/// Counts protected while they are read.
pub enum Guard<'py> {
    Csr { indptr: ListGuard<'py>, indices: ListGuard<'py>, data: ListGuard<'py> },
    Dense(MatrixGuard<'py>),
    Callback(Py<PyAny>),
}

#[pymethods]
impl Counts {
    /// From the three arrays of a CSR matrix, which stay where they are.
    #[staticmethod]
    #[pyo3(signature = (indptr, indices, data, n_genes, places=None))]
    fn csr(
        py: Python,
        indptr: &Bound<PyAny>,
        indices: &Bound<PyAny>,
        data: &Bound<PyAny>,
        n_genes: usize,
        places: Option<Vec<u32>>,
    ) -> PyResult<Self> {
        let indptr = List::new("indptr", indptr)?;
        let (indices, data) = (List::new("indices", indices)?, List::new("data", data)?);
        let n_values = data.len(py)?;
        if indices.len(py)? != n_values {
            let found = indices.len(py)?;
            return Err(value_error(format!("{found} indices for {n_values} values")));
        }
        let guard = indptr.guard(py)?;
        let view = guard.view();
        let fault = |at: usize| {
            value_error(format!(
                "indptr is not a rising sequence from 0 to {n_values} (wrong at position {at})"
            ))
        };
        let (mut last, mut max_nnz) = (0, 0);
        for at in 0..view.len() {
            let place = view.place(at).filter(|&p| p >= last && p <= n_values);
            let place = place.filter(|&p| at > 0 || p == 0).ok_or_else(|| fault(at))?;
            max_nnz = max_nnz.max(place - last);
            last = place;
        }
        let n_cells = view.len().checked_sub(1).ok_or_else(|| fault(0))?;
        drop(guard);
        Self::new(Held::Csr { indptr, indices, data }, n_cells, n_genes, places, max_nnz)
    }

    /// From a matrix with a value for every cell and gene, which stays where it is.
    #[staticmethod]
    #[pyo3(signature = (matrix, places=None))]
    fn dense(py: Python, matrix: &Bound<PyAny>, places: Option<Vec<u32>>) -> PyResult<Self> {
        let held = Matrix::new("the matrix of counts", matrix)?;
        let guard = held.guard(py)?;
        let (n_cells, n_genes) = guard.view().dim();
        drop(guard);
        Self::new(Held::Dense(held), n_cells, n_genes, places, n_genes)
    }

    /// From a function that takes an array of cell numbers and returns `indptr`, `indices` and
    /// `data` of these rows, in their order; `max_nnz` is the largest number of values in a row,
    /// or more.
    #[staticmethod]
    #[pyo3(signature = (read, n_cells, n_genes, max_nnz, places=None))]
    fn callback(
        read: Py<PyAny>,
        n_cells: usize,
        n_genes: usize,
        max_nnz: usize,
        places: Option<Vec<u32>>,
    ) -> PyResult<Self> {
        Self::new(Held::Callback(read), n_cells, n_genes, places, max_nnz)
    }

    fn __repr__(&self) -> String {
        format!("Counts({} cells, {} genes)", self.n_cells, self.n_genes)
    }

    /// Number of cells.
    #[getter]
    fn n_cells(&self) -> usize {
        self.n_cells
    }

    /// Number of the model's genes.
    #[getter]
    fn n_genes(&self) -> usize {
        self.n_genes
    }

    /// Looks at every count: numbers of the cells without any (`empty_cells`), whether all counts
    /// are whole numbers (`is_integral`), the most that a cell has (`max_nnz`).
    ///
    /// Where a count is negative or not finite, only the first such is told: `invalid`, its cell,
    /// gene and value.
    fn check<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let guard = self.guard(py)?;
        let source = self.source(&guard);
        let found = PyDict::new(py);
        let seen = match run(py, || look(&source))? {
            Ok(seen) => seen,
            Err(error) => {
                found.set_item("invalid", invalid(&error).ok_or_else(|| py_error(error))?)?;
                return Ok(found);
            }
        };
        found.set_item("empty_cells", seen.empty_cells.to_pyarray(py))?;
        found.set_item("is_integral", seen.is_integral)?;
        found.set_item("max_nnz", seen.max_nnz)?;
        Ok(found)
    }

    /// Σ_g x of every cell: `(cells)`.
    fn totals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let guard = self.guard(py)?;
        let source = self.source(&guard);
        let work = || {
            let mut totals = Vec::with_capacity(self.n_cells);
            for_each_row(&source, &mut |_, counts| {
                totals.push(counts.iter().map(|&x| f64::from(x)).sum::<f64>());
            })?;
            Ok::<_, std::io::Error>(totals)
        };
        let totals = run(py, work)?.map_err(py_error)?;
        Ok(totals.to_pyarray(py))
    }
}

impl Counts {
    fn new(
        held: Held,
        n_cells: usize,
        n_columns: usize,
        places: Option<Vec<u32>>,
        max_nnz: usize,
    ) -> PyResult<Self> {
        if u32::try_from(n_cells.max(n_columns)).is_err() {
            return Err(value_error(format!("{n_cells} cells and {n_columns} genes are too many")));
        }
        let places: Option<Arc<[u32]>> = places.map(Into::into);
        let n_genes = match &places {
            None => n_columns,
            Some(places) if places.len() == n_columns => {
                let mut named: Vec<u32> =
                    places.iter().copied().filter(|&place| place != u32::MAX).collect();
                named.sort_unstable();
                // The counts of two columns would be summed.
                if let Some(pair) = named.windows(2).find(|pair| pair[0] == pair[1]) {
                    return Err(value_error(format!("two columns have the place {}", pair[0])));
                }
                named.last().map_or(0, |&most| most as usize + 1)
            }
            Some(places) => {
                let found = places.len();
                return Err(value_error(format!("{found} places for {n_columns} genes")));
            }
        };
        // Entries that are stored several times are one value.
        Ok(Self { held, n_cells, n_genes, places, max_nnz: max_nnz.min(n_columns) })
    }

    /// Keeps numpy from lending the arrays for writing while they are read.
    pub fn guard<'py>(&self, py: Python<'py>) -> PyResult<Guard<'py>> {
        Ok(match &self.held {
            Held::Csr { indptr, indices, data } => Guard::Csr {
                indptr: indptr.guard(py)?,
                indices: indices.guard(py)?,
                data: data.guard(py)?,
            },
            Held::Dense(matrix) => Guard::Dense(matrix.guard(py)?),
            Held::Callback(read) => Guard::Callback(read.clone_ref(py)),
        })
    }

    /// What the engine reads from.
    pub fn source<'a>(&self, guard: &'a Guard) -> Source<'a> {
        let rows = match guard {
            Guard::Csr { indptr, indices, data } => {
                Rows::Csr { indptr: indptr.view(), indices: indices.view(), data: data.view() }
            }
            Guard::Dense(matrix) => Rows::Dense(matrix.view()),
            Guard::Callback(read) => Rows::Callback(read),
        };
        let places = self.places.clone();
        Source::new(rows, self.n_cells, self.n_genes, self.max_nnz, places)
    }
}

/// What [`Counts::check`] finds.
struct Seen {
    empty_cells: Vec<u32>,
    is_integral: bool,
    max_nnz: usize,
}

/// The cell, gene and value of what is no count.
fn invalid(error: &std::io::Error) -> Option<(usize, usize, f32)> {
    match error.get_ref()?.downcast_ref()? {
        &CsrError::Value { cell, gene, value } => Some((cell, gene, value)),
        _ => None,
    }
}

fn look(source: &Source) -> std::io::Result<Seen> {
    let mut seen = Seen { empty_cells: Vec::new(), is_integral: true, max_nnz: 0 };
    for_each_row(source, &mut |cell, counts| {
        if counts.is_empty() {
            seen.empty_cells.push(cell);
        }
        seen.max_nnz = seen.max_nnz.max(counts.len());
        seen.is_integral &= counts.iter().all(|x| x.fract() == 0.0);
    })?;
    Ok(seen)
}

/// Calls `row` with the number and the counts of every cell.
fn for_each_row(source: &Source, row: &mut dyn FnMut(u32, &[f32])) -> std::io::Result<()> {
    use scvi::data::CountSource;
    let mut rows = CsrRows::default();
    let cells: Vec<u32> = (0..source.n_cells() as u32).collect();
    for cells in cells.chunks(CHUNK) {
        rows.clear();
        source.read(cells, &mut rows)?;
        for (i, &cell) in cells.iter().enumerate() {
            row(cell, rows.row(i).1);
        }
    }
    Ok(())
}
