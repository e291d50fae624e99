//! `get_likelihood_parameters`.

use numpy::{PyArray1, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use scvi::model::{ParameterKinds, Parameters, likelihood_parameters};

use super::filling::Filling;
use super::{Selection, posterior};
use crate::model::Model;

#[pymethods]
impl Model {
    /// `mean`, `dispersions` and `dropout` of every cell, those that the likelihood has, each
    /// `(cells, genes)`, with several draws that are not averaged `(n_samples, cells, genes)`.
    #[pyo3(signature = (cells, *, n_samples, seed, give_mean))]
    fn likelihood_parameters<'py>(
        &self,
        py: Python<'py>,
        cells: Selection,
        n_samples: Option<u32>,
        seed: u64,
        give_mean: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let state = self.state();
        let (n_cells, n_genes) = (cells.len(), state.saved.meta.config.n_input);
        let n_draws = if give_mean { 1 } else { n_samples.unwrap_or(1) as usize };
        let kinds = ParameterKinds::of(&state.saved.vae);
        let filled = cells.run(py, self, |vae, cells, watch| {
            let new = || Filling::new(n_draws, n_cells * n_genes);
            let mut mean = new();
            let mut dispersions = kinds.dispersions.then(new);
            let mut dropout = kinds.dropout.then(new);
            let mut rows = |p: Parameters| {
                mean.add(p.draw, p.mean);
                if let (Some(filling), Some(theta)) = (&mut dispersions, p.dispersions) {
                    // One of a gene is every cell's.
                    let cells =
                        if kinds.dispersion_is_of_gene { p.mean.len() / n_genes } else { 1 };
                    (0..cells).for_each(|_| filling.add(p.draw, theta));
                }
                if let (Some(filling), Some(rows)) = (&mut dropout, p.dropout) {
                    filling.add(p.draw, rows);
                }
                Ok(())
            };
            let posterior = posterior(n_samples, seed);
            likelihood_parameters(vae, cells, posterior, give_mean, watch, &mut rows)?;
            Ok([Some(mean), dispersions, dropout])
        })?;
        let parameters = PyDict::new(py);
        for (name, filling) in ["mean", "dispersions", "dropout"].into_iter().zip(filled) {
            let Some(filling) = filling else { continue };
            let array = PyArray1::from_vec(py, filling.values());
            let array = match n_draws {
                1 => array.reshape([n_cells, n_genes])?.into_any(),
                _ => array.reshape([n_draws, n_cells, n_genes])?.into_any(),
            };
            parameters.set_item(name, array)?;
        }
        Ok(parameters)
    }
}
