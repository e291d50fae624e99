//! Counts with what is known of every cell.

use numpy::{Element, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use scvi::data::{CountSource, Dataset, LibraryPrior};
use scvi::module::{MinifiedDataType, PosteriorRows};

use crate::counts::Counts;
use crate::error::{py_error, value_error};
use crate::supervise::run;

/// Cells for a model: counts, and codes or values of every covariate it was set up with.
#[pyclass(frozen, module = "scvi_rs._core")]
pub struct Data {
    counts: Py<Counts>,
    batch: Vec<u32>,
    labels: Vec<u32>,
    /// `(cells, width)`
    categories: (Vec<u32>, usize),
    /// `(cells, width)`
    continuous: (Vec<f32>, usize),
    size_factor: Vec<f32>,
    posterior: Option<PosteriorRows<f32>>,
    minified: Option<MinifiedDataType>,
}

/// What is known of every cell beside its counts, as a dictionary of arrays; None for what the model
/// was not set up with.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct Known<'py> {
    /// `(cells)`
    batch: PyReadonlyArray1<'py, u32>,
    /// `(cells)`
    labels: Option<PyReadonlyArray1<'py, u32>>,
    /// `(cells, covariates)`
    categories: Option<PyReadonlyArray2<'py, u32>>,
    /// `(cells, covariates)`
    continuous: Option<PyReadonlyArray2<'py, f32>>,
    /// `(cells)`
    size_factor: Option<PyReadonlyArray1<'py, f32>>,
    posterior: Option<StoredPosterior<'py>>,
}

/// Posteriors of minified data.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct StoredPosterior<'py> {
    minified_data_type: String,
    /// `(cells, n_latent)`
    qz_m: PyReadonlyArray2<'py, f32>,
    /// `(cells, n_latent)`
    qz_v: PyReadonlyArray2<'py, f32>,
    /// `(cells)`
    observed_lib_size: PyReadonlyArray1<'py, f32>,
}

impl StoredPosterior<'_> {
    fn kind(&self) -> PyResult<MinifiedDataType> {
        let found = &self.minified_data_type;
        MinifiedDataType::from_name(found).ok_or_else(|| {
            let names = MinifiedDataType::ALL.map(MinifiedDataType::name).join(", ");
            value_error(format!("minified_data_type is {found:?}; choose one of {names}"))
        })
    }

    fn rows(&self) -> PosteriorRows<f32> {
        PosteriorRows {
            qz_m: self.qz_m.as_array().iter().copied().collect(),
            qz_v: self.qz_v.as_array().iter().copied().collect(),
            observed_lib_size: list(&self.observed_lib_size),
        }
    }
}

fn list<T: Element + Copy>(array: &PyReadonlyArray1<T>) -> Vec<T> {
    array.as_array().iter().copied().collect()
}

/// A row a cell, and how long the rows are.
fn table<T: Element + Copy>(array: &PyReadonlyArray2<T>) -> (Vec<T>, usize) {
    (array.as_array().iter().copied().collect(), array.shape()[1])
}

#[pymethods]
impl Data {
    /// `known` has arrays `batch`, `labels`, `categories`, `continuous`, `size_factor`, and
    /// `posterior`, a dictionary of its own.
    #[new]
    fn new(py: Python, counts: Py<Counts>, known: Known) -> PyResult<Self> {
        let posterior = known.posterior.as_ref();
        let data = Self {
            counts,
            batch: list(&known.batch),
            labels: known.labels.as_ref().map_or(Vec::new(), list),
            categories: known.categories.as_ref().map_or((Vec::new(), 0), table),
            continuous: known.continuous.as_ref().map_or((Vec::new(), 0), table),
            size_factor: known.size_factor.as_ref().map_or(Vec::new(), list),
            minified: posterior.map(StoredPosterior::kind).transpose()?,
            posterior: posterior.map(StoredPosterior::rows),
        };
        // Whatever is wrong with it is told now.
        data.with(py, |_| ())?;
        Ok(data)
    }

    fn __repr__(&self) -> String {
        format!("Data({} cells)", self.n_cells())
    }

    /// Number of cells.
    #[getter]
    pub fn n_cells(&self) -> usize {
        self.batch.len()
    }
}

impl Data {
    /// What kind of minified data this is.
    pub fn minified(&self) -> Option<MinifiedDataType> {
        self.minified
    }

    /// Calls `work` with the engine's view of it, arrays borrowed meanwhile.
    pub fn with<T>(&self, py: Python, work: impl FnOnce(&Dataset) -> T) -> PyResult<T> {
        let counts = self.counts.get();
        let guard = counts.guard(py)?;
        let source = counts.source(&guard);
        Ok(work(&self.dataset(&source)?))
    }

    fn dataset<'a>(&self, source: &'a dyn CountSource) -> PyResult<Dataset<'a>> {
        let mut data = Dataset::new(source, self.batch.clone()).map_err(py_error)?;
        if !self.labels.is_empty() {
            data = data.with_labels(self.labels.clone()).map_err(py_error)?;
        }
        if !self.size_factor.is_empty() {
            data = data.with_size_factor(self.size_factor.clone()).map_err(py_error)?;
        }
        if let Some(posterior) = &self.posterior {
            data = data.with_posterior(posterior.clone()).map_err(py_error)?;
        }
        let (codes, width) = &self.categories;
        let data = data.with_categories(codes.clone(), *width).map_err(py_error)?;
        let (values, width) = &self.continuous;
        data.with_continuous(values.clone(), *width).map_err(py_error)
    }
}

/// Mean and variance of the log library size in each of `n_batch` batches: the prior of an inferred
/// library.
#[pyfunction]
pub fn library_prior(py: Python, data: &Data, n_batch: usize) -> PyResult<(Vec<f64>, Vec<f64>)> {
    if let Some(code) = data.batch.iter().find(|&&code| code as usize >= n_batch) {
        return Err(value_error(format!("batch code {code} with {n_batch} batches")));
    }
    let counts = data.counts.get();
    let guard = counts.guard(py)?;
    let source = counts.source(&guard);
    let prior = run(py, || LibraryPrior::of(&source, &data.batch, n_batch))?.map_err(py_error)?;
    Ok((prior.log_means, prior.log_vars))
}
