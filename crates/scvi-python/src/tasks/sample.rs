//! `posterior_predictive_sample`.

use numpy::PyArray1;
use pyo3::prelude::*;
use scvi::model::{SampleOptions, sparse_samples};

use super::Selection;
use crate::model::Model;

/// The arrays of a CSR matrix: indptr, indices, data.
type Csr<'py> = (Bound<'py, PyArray1<u64>>, Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<f32>>);

#[pymethods]
impl Model {
    /// Draws of counts of every cell: one CSR matrix a draw, `(cells, genes)`.
    #[pyo3(signature = (cells, *, n_samples, transform_batch, genes, seed))]
    fn posterior_predictive_sample<'py>(
        &self,
        py: Python<'py>,
        cells: Selection,
        n_samples: u32,
        transform_batch: Vec<u32>,
        genes: Option<Vec<u32>>,
        seed: u64,
    ) -> PyResult<Vec<Csr<'py>>> {
        let options =
            SampleOptions { n_samples, transform_batch, genes, seed, ..SampleOptions::default() };
        let draws =
            cells.run(py, self, |vae, cells, watch| sparse_samples(vae, cells, &options, watch))?;
        let arrays = draws.into_iter().map(|draw| {
            let (indptr, indices) =
                (PyArray1::from_vec(py, draw.indptr), PyArray1::from_vec(py, draw.indices));
            (indptr, indices, PyArray1::from_vec(py, draw.values))
        });
        Ok(arrays.collect())
    }
}
