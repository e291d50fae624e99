//! Which cells of a file are in use.

use std::borrow::Cow;

use scvi::listed;
use scvi::preprocess::{MITO_PREFIXES, QcMetrics, mitochondrial};
use scvi_io::DroppedCells;

use super::matrix::Matrix;
use crate::args::{CellArgs, ReadArgs};
use crate::error::CliError;

/// Names of the filter of cells without counts.
const EMPTY: &str = "drop_empty_cells";

/// The rows of a file that are in use, and what left the others out.
#[derive(Debug, Clone, Default)]
pub(super) struct CellSelection {
    /// All where `None`.
    pub(super) rows: Option<Vec<usize>>,
    pub(super) dropped: Vec<DroppedCells>,
}

/// A filter, its threshold, and the cells that fail it.
struct Filter {
    name: &'static str,
    threshold: f64,
    fails: Vec<bool>,
}

impl CellSelection {
    /// The cells that pass all filters. All counts are read once, if there are any filters.
    pub(super) fn new(
        matrix: &Matrix<'_>,
        args: &CellArgs,
        reading: &ReadArgs,
    ) -> Result<Self, CliError> {
        check(args)?;
        if !args.are_filtered() {
            return Ok(Self::default());
        }
        matrix.check_first(reading)?;
        let is_mito = mitochondrial(&matrix.genes, args.mito_prefix.as_deref());
        if args.max_pct_mito.is_some() && !is_mito.contains(&true) {
            return Err(no_mito_genes(matrix, args.mito_prefix.as_deref()));
        }
        let mut metrics = QcMetrics::new(is_mito, &[]);
        matrix.each_block(&mut |counts| metrics.add(counts))?;
        let mut selection = Self::default();
        for filter in filters(args, &metrics) {
            selection.drop(metrics.n_cells(), filter);
        }
        Ok(selection)
    }

    fn drop(&mut self, n_cells: usize, filter: Filter) {
        let Filter { name, threshold, fails } = filter;
        let rows = self.rows.take().unwrap_or_else(|| (0..n_cells).collect());
        let (dropped, kept): (Vec<usize>, Vec<usize>) =
            rows.into_iter().partition(|&row| fails[row]);
        self.rows = Some(kept);
        let filter = name.to_owned();
        self.dropped.push(DroppedCells {
            filter,
            threshold: Some(threshold),
            n_cells: dropped.len(),
        });
    }

    /// The given cells, of those in use.
    pub(super) fn among(&self, cells: Vec<usize>) -> Vec<usize> {
        match &self.rows {
            None => cells,
            Some(rows) => {
                cells.into_iter().filter(|cell| rows.binary_search(cell).is_ok()).collect()
            }
        }
    }

    /// Leaves out cells without counts, too.
    pub(super) fn drop_empty(&mut self, n_cells: usize, empty: &[usize]) {
        let mut rows = self.rows.take().unwrap_or_else(|| (0..n_cells).collect());
        rows.retain(|row| empty.binary_search(row).is_err());
        self.rows = Some(rows);
        let filter = EMPTY.to_owned();
        self.dropped.push(DroppedCells { filter, threshold: None, n_cells: empty.len() });
    }

    /// Whether a cell of the file is not in use.
    pub(super) fn has_dropped(&self) -> bool {
        self.dropped.iter().any(|dropped| dropped.n_cells > 0)
    }

    /// What the given codes of all cells are for those in use.
    pub(super) fn codes<'a>(&self, codes: &'a [u32]) -> Cow<'a, [u32]> {
        match &self.rows {
            None => codes.into(),
            Some(rows) => rows.iter().map(|&row| codes[row]).collect(),
        }
    }

    /// How many of all cells were left out, and by which filter.
    pub(super) fn told(&self, n_cells: usize) -> String {
        let told = |dropped: &DroppedCells| {
            let DroppedCells { filter, threshold, n_cells } = dropped;
            let option = filter.replace('_', "-");
            let value = threshold.map_or(String::new(), |value| format!(" {value}"));
            format!("{n_cells} by --{option}{value}")
        };
        let n_dropped: usize = self.dropped.iter().map(|dropped| dropped.n_cells).sum();
        let by = listed(self.dropped.iter().map(told));
        format!("left out {n_dropped} of {n_cells} cells: {by}")
    }
}

fn filters(args: &CellArgs, metrics: &QcMetrics) -> Vec<Filter> {
    let mut filters = Vec::new();
    if let Some(min) = args.min_genes {
        let fails = metrics.n_genes_by_counts.iter().map(|&n| n < min).collect();
        filters.push(Filter { name: "min_genes", threshold: min.into(), fails });
    }
    if let Some(min) = args.min_counts {
        let fails = metrics.total_counts.iter().map(|&total| total < min).collect();
        filters.push(Filter { name: "min_counts", threshold: min, fails });
    }
    if let Some(max) = args.max_pct_mito {
        // A cell without counts has no percentage that could be too large.
        let fails = metrics.pct_counts_mt().map(|pct| pct > max).collect();
        filters.push(Filter { name: "max_pct_mito", threshold: max, fails });
    }
    filters
}

fn check(args: &CellArgs) -> Result<(), CliError> {
    let wrong = |option, found: f64, range| {
        Err(CliError::Option { option, found: found.to_string(), range })
    };
    match (args.min_counts, args.max_pct_mito) {
        (Some(min), _) if !(min > 0.0 && min.is_finite()) => {
            wrong("min-counts", min, "a number above 0")
        }
        (_, Some(max)) if !(0.0..=100.0).contains(&max) => {
            wrong("max-pct-mito", max, "a percentage, 0 to 100")
        }
        _ => Ok(()),
    }
}

/// The error that no gene is mitochondrial by its name.
pub(super) fn no_mito_genes(matrix: &Matrix<'_>, prefix: Option<&str>) -> CliError {
    let prefix = prefix.map_or_else(|| MITO_PREFIXES.join(" or "), str::to_owned);
    CliError::NoMitoGenes {
        path: matrix.path.display().to_string(),
        prefix,
        first: listed(matrix.genes.iter().take(3).map(|gene| format!("'{gene}'"))),
    }
}
