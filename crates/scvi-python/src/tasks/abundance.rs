//! `get_aggregated_posterior` and `differential_abundance`.

use numpy::{PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use scvi::model::{AbundanceOptions, Latent, differential_abundance};

use crate::error::value_error;
use crate::supervise::{run, run_task};
use crate::tables::matrix;

/// Posteriors of some cells as one distribution of z, each cell alike.
#[pyclass(frozen, module = "scvi_rs._core")]
pub struct AggregatedPosterior {
    mixture: scvi::model::AggregatedPosterior,
    n_latent: usize,
}

#[pymethods]
impl AggregatedPosterior {
    /// Of posteriors with these means and variances, `(cells, n_latent)` each; `dof` is None for
    /// normal components.
    #[new]
    fn new(
        qz_m: PyReadonlyArray2<f32>,
        qz_v: PyReadonlyArray2<f32>,
        dof: Option<f64>,
    ) -> PyResult<Self> {
        let latent = latent(&qz_m, &qz_v)?;
        check_dof(dof)?;
        let cells: Vec<u32> = (0..qz_m.shape()[0] as u32).collect();
        let mixture = scvi::model::AggregatedPosterior::new(&latent, &cells, dof);
        Ok(Self { mixture, n_latent: latent.n_latent })
    }

    fn __repr__(&self) -> String {
        format!("AggregatedPosterior({} cells)", self.mixture.n_components())
    }

    /// ln p(z) of each row: `(rows)`.
    fn log_prob<'py>(
        &self,
        py: Python<'py>,
        z: PyReadonlyArray2<f32>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        if z.shape()[1] != self.n_latent {
            let found = z.shape()[1];
            return Err(value_error(format!("z has {found} columns; expected {}", self.n_latent)));
        }
        let z: Vec<f32> = z.as_array().iter().copied().collect();
        let values = run(py, || self.mixture.log_prob(&z))?;
        Ok(PyArray1::from_vec(py, values))
    }

    /// Draws of z: `(n, n_latent)`.
    fn sample<'py>(
        &self,
        py: Python<'py>,
        n: usize,
        seed: u64,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        matrix(py, self.mixture.sample(n, seed), self.n_latent)
    }

    /// Cells it is made of.
    #[getter]
    fn n_components(&self) -> usize {
        self.mixture.n_components()
    }
}

/// ln p(z of cell | sample), `(cells, samples)`; `sample_of` is the number of each cell's sample.
#[pyfunction]
#[pyo3(name = "differential_abundance", signature = (qz_m, qz_v, sample_of, n_samples, *, num_cells_posterior, dof, seed, progress=None))]
#[expect(clippy::too_many_arguments, reason = "scvi-tools' own, all named")]
pub fn compare_samples<'py>(
    py: Python<'py>,
    qz_m: PyReadonlyArray2<f32>,
    qz_v: PyReadonlyArray2<f32>,
    sample_of: PyReadonlyArray1<u32>,
    n_samples: usize,
    num_cells_posterior: Option<usize>,
    dof: Option<f64>,
    seed: u64,
    progress: Option<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let latent = latent(&qz_m, &qz_v)?;
    check_dof(dof)?;
    let sample_of: Vec<u32> = sample_of.as_array().iter().copied().collect();
    if sample_of.len() != qz_m.shape()[0] {
        let (found, cells) = (sample_of.len(), qz_m.shape()[0]);
        return Err(value_error(format!("{found} samples named for {cells} cells")));
    }
    let options = AbundanceOptions { num_cells_posterior, dof, seed };
    let values = run_task(py, progress.as_ref(), |watch| {
        differential_abundance(&latent, &sample_of, n_samples, &options, watch)
    })?;
    matrix(py, values, n_samples)
}

fn latent(qz_m: &PyReadonlyArray2<f32>, qz_v: &PyReadonlyArray2<f32>) -> PyResult<Latent> {
    if qz_m.shape() != qz_v.shape() || qz_m.shape()[1] == 0 {
        let (mean, var) = (qz_m.shape(), qz_v.shape());
        return Err(value_error(format!("means have shape {mean:?}, variances {var:?}")));
    }
    let list = |table: &PyReadonlyArray2<f32>| table.as_array().iter().copied().collect();
    Ok(Latent { n_latent: qz_m.shape()[1], mean: list(qz_m), var: list(qz_v) })
}

fn check_dof(dof: Option<f64>) -> PyResult<()> {
    match dof {
        Some(dof) if dof.is_nan() || dof <= 0.0 => {
            Err(value_error(format!("dof is {dof}; it must be above 0, or None")))
        }
        _ => Ok(()),
    }
}
