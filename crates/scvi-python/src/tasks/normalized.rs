//! `get_normalized_expression`.

use numpy::{PyArray1, PyArray2, PyArray3, PyArrayMethods};
use pyo3::prelude::*;
use scvi::model::{
    ExpressionOptions, ImportanceOptions, LibrarySize, Overall, Weights, normalized_expression,
    normalized_expression_overall,
};

use super::filling::Filling;
use super::{Selection, posterior};
use crate::error::value_error;
use crate::model::Model;
use crate::tables::matrix;

/// `library_size`: a number, or "latent".
struct Size(LibrarySize);

impl<'py> FromPyObject<'_, 'py> for Size {
    type Error = PyErr;

    fn extract(given: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(size) = given.extract::<f64>() {
            return Ok(Self(LibrarySize::Fixed(size)));
        }
        match given.extract::<String>().as_deref() {
            Ok("latent") => Ok(Self(LibrarySize::Latent)),
            _ => Err(value_error(format!(
                "library_size is {given:?}; expected a number or 'latent'"
            ))),
        }
    }
}

/// Options of importance weights: any object with their names.
#[derive(FromPyObject)]
struct Importance {
    max_cells: usize,
    truncation: bool,
    n_mc_samples: u32,
}

impl From<Importance> for Weights {
    fn from(of: Importance) -> Self {
        let Importance { max_cells, truncation, n_mc_samples } = of;
        Self::Importance(ImportanceOptions { max_cells, truncation, n_mc_samples })
    }
}

#[pymethods]
impl Model {
    /// Normalised expression: the mean over draws and batches, `(cells, genes)`, or each draw,
    /// `(n_samples, cells, genes)`. `n_samples` is None for the posterior's mean, `transform_batch`
    /// empty for each cell's own batch.
    #[pyo3(signature = (cells, *, library_size, transform_batch, genes, n_samples, seed, return_mean))]
    #[expect(clippy::too_many_arguments, reason = "scvi-tools' own, all named")]
    fn normalized_expression<'py>(
        &self,
        py: Python<'py>,
        cells: Selection,
        library_size: Size,
        transform_batch: Vec<u32>,
        genes: Option<Vec<u32>>,
        n_samples: Option<u32>,
        seed: u64,
        return_mean: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let n_cells = cells.len();
        let n_genes = self.n_genes(genes.as_deref());
        let n_draws = if return_mean { 1 } else { n_samples.unwrap_or(1) as usize };
        let values = cells.run(py, self, |vae, cells, watch| {
            let options = ExpressionOptions {
                library_size: library_size.0,
                transform_batch: &transform_batch,
                genes: genes.as_deref(),
                posterior: posterior(n_samples, seed),
                return_mean,
            };
            let mut filling = Filling::new(n_draws, n_cells * n_genes);
            normalized_expression(vae, cells, &options, watch, &mut |draw, rows| {
                filling.add(draw, rows);
                Ok(())
            })?;
            Ok(filling.values())
        })?;
        if return_mean {
            return Ok(matrix(py, values, n_genes)?.into_any());
        }
        let draws: Bound<PyArray3<f32>> =
            PyArray1::from_vec(py, values).reshape([n_draws, n_cells, n_genes])?;
        Ok(draws.into_any())
    }

    /// Normalised expression of `n_samples_overall` cells drawn with replacement, each at a z of
    /// its own, `(n_samples_overall, genes)`, and which cells were drawn. `importance` is None, or
    /// the options of importance weights.
    #[pyo3(signature = (cells, *, library_size, transform_batch, genes, n_samples_overall, seed, importance=None))]
    #[expect(clippy::too_many_arguments, reason = "scvi-tools' own, all named")]
    #[allow(clippy::type_complexity)]
    fn normalized_expression_overall<'py>(
        &self,
        py: Python<'py>,
        cells: Selection,
        library_size: Size,
        transform_batch: Vec<u32>,
        genes: Option<Vec<u32>>,
        n_samples_overall: usize,
        seed: u64,
        importance: Option<Importance>,
    ) -> PyResult<(Bound<'py, PyArray2<f32>>, Bound<'py, PyArray1<u32>>)> {
        let n_genes = self.n_genes(genes.as_deref());
        let weights = importance.map_or(Weights::Uniform, Weights::from);
        let (values, drawn) = cells.run(py, self, |vae, cells, watch| {
            let options = ExpressionOptions {
                library_size: library_size.0,
                transform_batch: &transform_batch,
                genes: genes.as_deref(),
                ..ExpressionOptions::default()
            };
            let overall = Overall { n_samples: n_samples_overall, seed, weights };
            let mut values = Vec::new(); // (n_samples_overall, genes)
            let mut rows = |_, rows: &[f32]| {
                values.extend_from_slice(rows);
                Ok(())
            };
            let drawn =
                normalized_expression_overall(vae, cells, overall, &options, watch, &mut rows)?;
            Ok((values, drawn))
        })?;
        Ok((matrix(py, values, n_genes)?, PyArray1::from_vec(py, drawn)))
    }
}

impl Model {
    /// How many genes a result has.
    pub(super) fn n_genes(&self, genes: Option<&[u32]>) -> usize {
        genes.map_or_else(|| self.state().saved.meta.config.n_input, <[u32]>::len)
    }
}
