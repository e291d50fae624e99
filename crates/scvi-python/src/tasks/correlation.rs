//! `get_feature_correlation_matrix`.

use numpy::PyArray2;
use pyo3::prelude::*;
use scvi::model::{CorrelationOptions, CorrelationType, feature_correlation_matrix};

use super::Selection;
use crate::error::value_error;
use crate::model::Model;
use crate::tables::matrix;

#[pymethods]
impl Model {
    /// Correlation of every two genes over denoised draws: `(genes, genes)`.
    #[pyo3(signature = (cells, *, n_samples, rna_size_factor, transform_batch, correlation_type, seed))]
    #[expect(clippy::too_many_arguments, reason = "scvi-tools' own, all named")]
    fn feature_correlation_matrix<'py>(
        &self,
        py: Python<'py>,
        cells: Selection,
        n_samples: u32,
        rna_size_factor: f64,
        transform_batch: Vec<u32>,
        correlation_type: &str,
        seed: u64,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let correlation_type = match correlation_type {
            "spearman" => CorrelationType::Spearman,
            "pearson" => CorrelationType::Pearson,
            other => {
                return Err(value_error(format!(
                    "correlation_type: unknown value {other:?}; choose one of spearman, pearson"
                )));
            }
        };
        let options = CorrelationOptions {
            correlation_type,
            n_samples,
            rna_size_factor,
            transform_batch,
            genes: None,
            seed,
        };
        let values = cells.run(py, self, |vae, cells, watch| {
            feature_correlation_matrix(vae, cells, &options, watch)
        })?;
        matrix(py, values, self.n_genes(None))
    }
}
