//! Counts and covariates, as they were read.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use scvi::data::{CategoricalField, CategoryKind, Dataset, Registry};
use scvi::module::{MinifiedDataType, PosteriorRows};
use scvi_io::anndata::write_subset;
use scvi_io::{DroppedCells, GeneSelectionMeta, IoError};
use tempfile::TempDir;

use super::columns::Columns;
use super::counts::Counts;
use crate::error::CliError;

/// Counts and covariates of the cells in use.
pub struct Prepared {
    pub path: PathBuf,
    pub counts: Counts,
    pub columns: Columns,
    pub registry: Registry,
    pub var_names: Vec<String>,
    /// Names of all cells of the file.
    pub obs_names: Vec<String>,
    /// Rows of the file that are in use, where cells were left out.
    pub(super) kept: Option<Vec<usize>>,
    /// What the others were left out by.
    pub dropped: Vec<DroppedCells>,
    /// Whether outputs have rows of NaN for the others.
    pub keep_dropped_cells: bool,
    /// The file without the others, once it was needed.
    pub(super) subset: OnceLock<Subset>,
    /// Number in the model of each gene of the matrix, where their orders differ.
    pub(super) places: Option<Vec<u32>>,
    /// The same of each gene of var, where another matrix than raw's would not do.
    pub(super) places_in_var: Option<Vec<u32>>,
    /// What a minified file holds of its cells.
    pub(super) posterior: Option<(MinifiedDataType, PosteriorRows<f32>)>,
    /// How the genes were chosen, where not all are used.
    pub gene_selection: Option<GeneSelectionMeta>,
}

impl Prepared {
    /// Counts with their covariates.
    pub fn dataset(&self) -> Result<Dataset<'_>, CliError> {
        let Columns { batch, labels, categories, continuous, size_factor } = &self.columns;
        let mut data = Dataset::new(self.counts.source(), batch.clone())?;
        if !labels.is_empty() {
            data = data.with_labels(labels.clone())?;
        }
        if !size_factor.is_empty() {
            data = data.with_size_factor(size_factor.clone())?;
        }
        if let Some((_, posterior)) = &self.posterior {
            data = data.with_posterior(posterior.clone())?;
        }
        let data = data.with_categories(by_cell(categories), categories.len())?;
        Ok(data.with_continuous(by_cell(continuous), continuous.len())?)
    }

    /// With or without rows of NaN in outputs for cells that were left out.
    #[must_use]
    pub fn keeping_dropped_cells(self, keep_dropped_cells: bool) -> Self {
        Self { keep_dropped_cells, ..self }
    }

    /// Names of the rows of outputs.
    pub fn output_names(&self) -> Cow<'_, [String]> {
        match self.keep_dropped_cells {
            true => (&self.obs_names).into(),
            false => self.kept_names(),
        }
    }

    /// Which rows of outputs hold results, where others are NaN.
    pub fn output_rows(&self) -> Option<&[usize]> {
        self.kept.as_deref().filter(|_| self.keep_dropped_cells)
    }

    /// The file that outputs are copies of: the input, or one without the cells that were left out,
    /// which is written once, to a folder beside `output`.
    pub fn copied(&self, output: &Path) -> Result<&Path, IoError> {
        let Some(rows) = self.kept.as_ref().filter(|_| !self.keep_dropped_cells) else {
            return Ok(&self.path);
        };
        if let Some(subset) = self.subset.get() {
            return Ok(&subset.path);
        }
        let parent = output.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        let made = tempfile::Builder::new().prefix(".scvi-cells-").tempdir_in(parent);
        let folder = made.map_err(|source| {
            let path = parent.to_owned();
            IoError::Os { action: "create", path, source }
        })?;
        let path = folder.path().join(self.path.file_name().unwrap_or_default());
        write_subset(&self.path, &path, rows, false)?;
        Ok(&self.subset.get_or_init(|| Subset { path, _folder: folder }).path)
    }

    /// Numbers of the model's genes in the order of the matrix that was read.
    pub fn genes_of_file(&self) -> Vec<u32> {
        let in_order = || (0..self.var_names.len() as u32).collect();
        self.places.clone().unwrap_or_else(in_order)
    }

    /// Numbers of the model's genes in the order of var, in which the layers of a copy have them.
    pub fn genes_of_copy(&self) -> Vec<u32> {
        self.places_in_var.clone().unwrap_or_else(|| self.genes_of_file())
    }

    /// Names of the cells in use.
    pub fn kept_names(&self) -> Cow<'_, [String]> {
        match &self.kept {
            None => (&self.obs_names).into(),
            Some(kept) => kept.iter().map(|&row| self.obs_names[row].clone()).collect(),
        }
    }

    /// Row of the file of each cell in use.
    pub fn rows(&self) -> impl Iterator<Item = usize> {
        let n = self.kept.as_ref().map_or(self.obs_names.len(), Vec::len);
        (0..n).map(|cell| self.kept.as_ref().map_or(cell, |kept| kept[cell]))
    }

    /// Rows of the cells in use as rows of outputs.
    pub fn in_output_rows(&self, values: Vec<f32>) -> Vec<f32> {
        let Some(kept) = self.output_rows() else { return values };
        let columns = values.len() / kept.len().max(1);
        let mut all = vec![f32::NAN; self.obs_names.len() * columns];
        for (&row, values) in kept.iter().zip(values.chunks_exact(columns)) {
            all[row * columns..][..columns].copy_from_slice(values);
        }
        all
    }

    /// Takes counts that were made, not read.
    pub fn simulated(path: PathBuf, sim: &scvi::data::simulate::Simulated, names: Names) -> Self {
        let batches = sim.batch.iter().max().map_or(0, |&b| b + 1);
        let categories = (0..batches).map(|b| format!("batch_{b}")).collect();
        let kind = CategoryKind::Text;
        let batch = Some(CategoricalField { key: "batch".to_owned(), categories, kind });
        Self {
            path,
            counts: sim.counts.clone().into(),
            columns: Columns { batch: sim.batch.clone(), ..Columns::default() },
            registry: Registry { batch, ..Registry::default() },
            var_names: names.genes,
            obs_names: names.cells,
            kept: None,
            dropped: Vec::new(),
            keep_dropped_cells: false,
            subset: OnceLock::new(),
            places: None,
            places_in_var: None,
            posterior: None,
            gene_selection: None,
        }
    }
}

/// The input without the cells that were left out.
pub(super) struct Subset {
    path: PathBuf,
    /// Deleted with this.
    _folder: TempDir,
}

/// One list a covariate, as a row a cell.
fn by_cell<T: Copy>(lists: &[Vec<T>]) -> Vec<T> {
    let cells = lists.first().map_or(0, Vec::len);
    (0..cells).flat_map(|cell| lists.iter().map(move |list| list[cell])).collect()
}

/// Names of simulated cells and genes.
pub struct Names {
    pub cells: Vec<String>,
    pub genes: Vec<String>,
}
