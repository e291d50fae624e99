//! `differential_expression`.

use numpy::{PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use scvi::model::{
    Batches, Change, Comparison, Contrast, Delta, DifferentialOptions, Group, Hypotheses,
    ImportanceOptions, Test, Values, Weights, differential_expression,
};

use crate::data::Data;
use crate::error::value_error;
use crate::model::Model;
use crate::supervise::run_task;

/// How groups are compared, by attributes with the engine's names.
#[derive(FromPyObject)]
struct Options {
    mode: String,
    delta: Option<f64>,
    pseudocounts: Option<f64>,
    threshold_counts: f64,
    test_mode: String,
    cred_interval_lvls: Vec<f64>,
    fdr_target: f64,
    n_samples_overall: usize,
    batch_correction: bool,
    batchid1: Option<Vec<u32>>,
    batchid2: Option<Vec<u32>>,
    m_permutation: Option<usize>,
    weights: String,
    max_cells: usize,
    truncation: bool,
    n_mc_samples: u32,
    filter_outlier_cells: bool,
    all_stats: bool,
    batch_size: usize,
    seed: u64,
}

impl Options {
    fn resolve(self) -> PyResult<DifferentialOptions> {
        let choice = |option: &str, found: &str, choices: &str| {
            value_error(format!("{option}: unknown value {found:?}; choose one of {choices}"))
        };
        let hypotheses = match &self.test_mode[..] {
            "two" => Hypotheses::Two,
            "three" => Hypotheses::Three,
            other => return Err(choice("test_mode", other, "two, three")),
        };
        let change = Change {
            delta: self.delta.map_or(Delta::Estimated, Delta::Given),
            pseudocount: self.pseudocounts,
            threshold_counts: self.threshold_counts,
            hypotheses,
            cred_interval_lvls: self.cred_interval_lvls,
            fdr_target: self.fdr_target,
        };
        let importance = ImportanceOptions {
            max_cells: self.max_cells,
            truncation: self.truncation,
            n_mc_samples: self.n_mc_samples,
        };
        Ok(DifferentialOptions {
            test: match &self.mode[..] {
                "vanilla" => Test::Vanilla,
                "change" => Test::Change(change),
                other => return Err(choice("mode", other, "vanilla, change")),
            },
            n_samples_overall: self.n_samples_overall,
            batches: match self.batch_correction {
                true => Batches::Corrected([self.batchid1, self.batchid2]),
                false => Batches::Observed,
            },
            m_permutation: self.m_permutation,
            weights: match &self.weights[..] {
                "uniform" => Weights::Uniform,
                "importance" => Weights::Importance(importance),
                other => return Err(choice("weights", other, "uniform, importance")),
            },
            filter_outlier_cells: self.filter_outlier_cells,
            all_stats: self.all_stats,
            batch_size: self.batch_size,
            seed: self.seed,
        })
    }
}

#[pymethods]
impl Model {
    /// Compares groups of cells. `groups` are names with cell numbers, `contrasts` places of two of
    /// them, the second None for all other cells. Returns a dictionary a contrast: `genes` by
    /// falling evidence, `columns` (name and values) in scvi-tools' order, and what was estimated.
    #[pyo3(signature = (data, groups, contrasts, options, progress=None))]
    fn differential_expression<'py>(
        &self,
        py: Python<'py>,
        data: &Data,
        groups: Vec<(String, PyReadonlyArray1<'py, u32>)>,
        contrasts: Vec<(usize, Option<usize>)>,
        options: Options,
        progress: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let options = options.resolve()?;
        let groups: Vec<Group> = groups
            .into_iter()
            .map(|(name, cells)| Group { name, cells: cells.as_array().to_vec() })
            .collect();
        let contrasts: Vec<Contrast> =
            contrasts.into_iter().map(|(group1, group2)| Contrast { group1, group2 }).collect();
        let state = self.state_for(data)?;
        let vae = &state.saved.vae;
        let results = data.with(py, |data| {
            run_task(py, progress.as_ref(), |watch| {
                differential_expression(vae, data, &groups, &contrasts, &options, watch)
            })
        })??;
        let results = results.into_iter().map(|comparison| to_dict(py, comparison));
        PyList::new(py, results.collect::<PyResult<Vec<_>>>()?)
    }
}

fn to_dict(py: Python<'_>, comparison: Comparison) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("group1", comparison.group1)?;
    dict.set_item("group2", comparison.group2)?;
    dict.set_item("n_cells", comparison.n_cells)?;
    dict.set_item("n_outliers", comparison.n_outliers)?;
    dict.set_item("pseudocounts", comparison.pseudocount)?;
    dict.set_item("delta", comparison.delta)?;
    dict.set_item("genes", PyArray1::from_vec(py, comparison.genes))?;
    let columns = PyDict::new(py);
    for column in comparison.columns {
        match column.values {
            Values::Numbers(values) => {
                columns.set_item(column.name, PyArray1::from_vec(py, values))?;
            }
            Values::Flags(flags) => columns.set_item(column.name, PyArray1::from_vec(py, flags))?,
        }
    }
    dict.set_item("columns", columns)?;
    Ok(dict)
}
