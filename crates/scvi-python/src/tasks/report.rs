//! `scvi_rs.report`: the page of a report.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use scvi::model::{Progress, Watch};
use scvi_io::IoError;
use scvi_io::output::{AtomicFile, check_output};
use scvi_report::charts::Marks;
use scvi_report::report::{Follow, ObsColumn, Origin, ReportInput, Role, report};
use scvi_report::sections::read_expression;

use super::Selection;
use crate::error::{file_error, py_error, value_error};
use crate::model::Model;
use crate::supervise::run_task;

/// What the page shows beside what the model and its cells tell.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Shown<'py> {
    /// Names of the cells.
    names: Vec<String>,
    columns: Vec<ColorColumn<'py>>,
    /// Numbers of genes to color by.
    color_genes: Vec<u32>,
    /// A table of differential expression.
    de: Option<PathBuf>,
    /// Names of the model and of its data.
    model: String,
    input: String,
}

/// A column of obs: codes into categories, or numbers.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct ColorColumn<'py> {
    key: String,
    role: String,
    categories: Option<Vec<String>>,
    /// `(cells)`; -1 where there is no value.
    codes: Option<PyReadonlyArray1<'py, i32>>,
    /// `(cells)`
    numbers: Option<PyReadonlyArray1<'py, f32>>,
}

impl ColorColumn<'_> {
    fn column(self, n_cells: usize) -> PyResult<ObsColumn> {
        let role = match self.role.as_str() {
            "batch" => Role::Batch,
            "labels" => Role::Labels,
            "covariate" => Role::Covariate,
            _ => Role::Color,
        };
        let (n_values, marks) = match (self.categories, self.codes, self.numbers) {
            (Some(names), Some(codes), _) => {
                let codes = codes.as_array();
                let codes: Vec<Option<u32>> =
                    codes.iter().map(|&code| u32::try_from(code).ok()).collect();
                if codes.iter().flatten().any(|&code| code as usize >= names.len()) {
                    return Err(value_error(format!("{}: a code without a category", self.key)));
                }
                (codes.len(), Marks::Categories { names, codes })
            }
            (_, _, Some(numbers)) => {
                let numbers: Vec<f32> = numbers.as_array().iter().copied().collect();
                (numbers.len(), Marks::Numbers(numbers))
            }
            _ => return Err(value_error(format!("{}: no codes and no numbers", self.key))),
        };
        if n_values != n_cells {
            let key = self.key;
            return Err(value_error(format!("{key}: {n_values} values for {n_cells} cells")));
        }
        Ok(ObsColumn { key: self.key, role, marks })
    }
}

/// A watcher as what a report is followed by.
struct Watching<'a, 'w>(&'a mut Watch<'w>);

impl Follow for Watching<'_, '_> {
    fn stage(&mut self, _: &'static str) {}

    fn progress(&mut self, progress: Progress) -> ControlFlow<()> {
        (self.0)(progress)
    }
}

/// Writes a file whole or not at all.
fn write(path: &Path, text: &str, overwrite: bool) -> Result<(), IoError> {
    let mut file = AtomicFile::create(path, overwrite)?;
    let fault = |e: io::Error| IoError::BadOutput { path: path.into(), problem: e.to_string() };
    file.write_all(text.as_bytes()).map_err(fault)?;
    file.finish()
}

#[pymethods]
impl Model {
    /// Writes the page of a report on all cells.
    fn report(
        &self,
        py: Python,
        cells: Selection,
        shown: Shown,
        path: PathBuf,
        overwrite: bool,
        seed: u64,
    ) -> PyResult<()> {
        let cannot =
            |error: IoError| file_error(format!("{} cannot be written: {error}", path.display()));
        check_output(&path, overwrite).map_err(cannot)?;
        let n_cells = cells.data.n_cells();
        if shown.names.len() != n_cells {
            let n_names = shown.names.len();
            return Err(value_error(format!("{n_names} names for {n_cells} cells")));
        }
        let columns = shown.columns.into_iter().map(|column| column.column(n_cells));
        let columns = columns.collect::<PyResult<Vec<_>>>()?;
        let expression = shown.de.as_deref().map(read_expression).transpose().map_err(py_error)?;
        let state = self.state_for(&cells.data)?;
        let (names, origin) =
            (shown.names, Origin { model: shown.model, input: shown.input, ..Origin::default() });
        let page = cells.data.with(py, |data| {
            let input = ReportInput {
                model: &state.saved,
                data,
                cells: &names,
                columns,
                color_genes: shown.color_genes,
                dropped: &[],
                expression,
                origin,
                batch_size: cells.batch_size,
                seed,
            };
            run_task(py, cells.progress.as_ref(), |watch| report(input, &mut Watching(watch)))
        })??;
        write(&path, &page.html(), overwrite).map_err(cannot)
    }
}
