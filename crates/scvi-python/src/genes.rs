//! Genes chosen by their counts, for `scvi_rs.pp`.

use std::path::PathBuf;

use numpy::{PyArray1, PyReadonlyArray1, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scvi::data::{CountSource, CsrMatrix, MatrixKey};
use scvi::preprocess::{Batches, Flavor, GeneColumn, GeneSelection, SelectedGenes};
use scvi_io::choose_genes as choose_genes_of;
use scvi_io::inputs::{OpenedInput, SampleOptions};
use scvi_kernels::CsrRows;

use crate::categories::{checked, column, raised};
use crate::counts::Counts;
use crate::error::{EngineError, py_error, value_error};
use crate::supervise::run;

/// Cells that are read together.
const CHUNK: usize = 1024;

/// What genes are chosen by, as a dictionary.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Selection {
    flavor: String,
    n_top_genes: usize,
    min_cells: Option<usize>,
    span: f64,
    theta: f64,
    clip: Option<f64>,
}

impl Selection {
    fn resolve(&self) -> PyResult<GeneSelection> {
        let flavor = match Flavor::from_name(&self.flavor) {
            Some(Flavor::SeuratV3 { .. }) => Flavor::SeuratV3 { span: self.span },
            Some(Flavor::PearsonResiduals { .. }) => {
                Flavor::PearsonResiduals { theta: self.theta, clip: self.clip }
            }
            Some(flavor) => flavor,
            None => {
                let known = scvi::listed(Flavor::NAMES);
                return Err(value_error(format!("flavor is '{}'; expected {known}", self.flavor)));
            }
        };
        if self.n_top_genes == 0 {
            return Err(value_error("n_top_genes is 0; expected a number of genes"));
        }
        Ok(GeneSelection { min_cells: self.min_cells, top: Some((self.n_top_genes, flavor)) })
    }
}

/// Chooses genes by counts that Python holds; `batch` is a column with the code of each cell. Gives
/// what is known of each gene, in columns.
#[pyfunction]
pub fn choose_genes<'py>(
    py: Python<'py>,
    counts: &Counts,
    names: Vec<String>,
    batch: Option<(Bound<'py, PyDict>, PyReadonlyArray1<'py, u32>)>,
    selection: Selection,
) -> PyResult<Bound<'py, PyDict>> {
    let selection = selection.resolve()?;
    let guard = counts.guard(py)?;
    let source = counts.source(&guard);
    if names.len() != source.n_genes() {
        let (found, expected) = (names.len(), source.n_genes());
        return Err(value_error(format!("{found} names for {expected} genes")));
    }
    let batches = match batch {
        None => Batches::default(),
        Some((field, codes)) => {
            let field = column(&field)?;
            let codes = checked(&field, &codes)?;
            if codes.len() != source.n_cells() {
                let (found, expected) = (codes.len(), source.n_cells());
                return Err(value_error(format!("{found} batches for {expected} cells")));
            }
            Batches::new(&field, &codes).map_err(raised)?
        }
    };
    let mut pass = |f: &mut dyn FnMut(usize, &CsrMatrix)| read_all(&source, f);
    let selected = run(py, || selection.choose(&names, &batches, &mut pass))?.map_err(py_error)?;
    columns(py, &selected)
}

/// Chooses genes by the counts in a file. Gives the `names` of all genes, what is known of each in
/// `columns`, and whether all counts are whole numbers (`is_integral`).
#[pyfunction]
pub fn choose_genes_of_file<'py>(
    py: Python<'py>,
    path: PathBuf,
    layer: Option<String>,
    batch_key: Option<String>,
    selection: Selection,
) -> PyResult<Bound<'py, PyDict>> {
    let selection = selection.resolve()?;
    let work = || -> Result<_, EngineError> {
        let input = OpenedInput::open(&path, &SampleOptions::default())?;
        let file = input.file();
        let key = layer.map_or(Ok(MatrixKey::X), |layer| file.matrix_named(&layer))?;
        let batches = match batch_key {
            None => Batches::default(),
            Some(key) => {
                let (field, codes) = file.categories(&key)?;
                Batches::new(&field, &codes).map_err(|error| {
                    EngineError::with_message("CategoryError", &error.to_string())
                })?
            }
        };
        let names = file.genes_of(&key)?.into_owned();
        let (selected, survey) = choose_genes_of(file, &key, None, &batches, &selection)?;
        Ok((names, selected, survey.first_fraction.is_none()))
    };
    let (names, selected, is_integral) = run(py, work)?.map_err(PyErr::from)?;
    let found = PyDict::new(py);
    found.set_item("names", names)?;
    found.set_item("columns", columns(py, &selected)?)?;
    found.set_item("is_integral", is_integral)?;
    Ok(found)
}

/// Hands over all counts, some cells at a time.
fn read_all(
    source: &dyn CountSource,
    f: &mut dyn FnMut(usize, &CsrMatrix),
) -> Result<(), EngineError> {
    let cells: Vec<u32> = (0..source.n_cells() as u32).collect();
    let mut rows = CsrRows::default();
    for cells in cells.chunks(CHUNK) {
        rows.clear();
        source.read(cells, &mut rows)?;
        let indptr = rows.indptr.iter().map(|&start| start as u64).collect();
        let (genes, counts) = (rows.genes.clone(), rows.counts.clone());
        f(cells[0] as usize, &CsrMatrix::new(source.n_genes(), indptr, genes, counts)?);
    }
    Ok(())
}

/// What is known of each gene, as arrays by name.
fn columns<'py>(py: Python<'py>, selected: &SelectedGenes) -> PyResult<Bound<'py, PyDict>> {
    let columns = PyDict::new(py);
    for (name, column) in selected.columns() {
        match column {
            GeneColumn::Numbers(numbers) => columns.set_item(name, numbers.to_pyarray(py))?,
            GeneColumn::Counts(counts) => {
                let counts = counts.into_iter().map(|n| n as i64);
                columns.set_item(name, PyArray1::from_iter(py, counts))?;
            }
            GeneColumn::Flags(flags) => columns.set_item(name, flags.to_pyarray(py))?,
        }
    }
    Ok(columns)
}
