//! Counts with their covariates.

use std::io;

use thiserror::Error;

use super::CountSource;
use crate::module::{Minibatch, PosteriorRows, VaeSpec};

/// Counts with what is known of every cell.
#[derive(Clone)]
pub struct Dataset<'a> {
    counts: &'a dyn CountSource,
    batch: Vec<u32>,
    labels: Vec<u32>,
    /// `(cells, n)`
    continuous: Table<f32>,
    /// `(cells, n)`
    categories: Table<u32>,
    size_factor: Vec<f32>,
    posterior: Option<PosteriorRows<f32>>,
}

/// A row of `width` values a cell.
#[derive(Clone, Default)]
struct Table<T> {
    values: Vec<T>,
    width: usize,
}

/// Covariates do not fit the counts.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// A value a cell is needed.
    #[error("{found} values of {what} for {cells} cells")]
    Length {
        /// Which covariate.
        what: &'static str,
        /// Values that came.
        found: usize,
        /// Cells there are.
        cells: usize,
    },
    /// A value that no model can take.
    #[error("{what} of cell {cell} is {found}; it must be {allowed}")]
    Value {
        /// Which covariate.
        what: &'static str,
        /// The first such cell.
        cell: usize,
        /// What came.
        found: f32,
        /// What is allowed.
        allowed: &'static str,
    },
    /// More cells than row numbers can count.
    #[error("{cells} cells; at most {} are supported", u32::MAX)]
    TooManyCells {
        /// Cells there are.
        cells: usize,
    },
}

/// A data set that a model cannot take.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Misfit {
    /// The model and the data differ in number.
    #[error("the model has {model} {what}, the data {data}")]
    Number {
        /// Of what.
        what: &'static str,
        /// The model's.
        model: usize,
        /// The data's.
        data: usize,
    },
    /// The model needs a covariate that the data has not.
    #[error("the model needs {what}, and the data has none")]
    Missing {
        /// Which.
        what: &'static str,
    },
}

impl<'a> Dataset<'a> {
    /// Counts with the batch code of each cell: `(cells)`.
    ///
    /// # Errors
    /// [`DatasetError`] where codes and cells differ in number.
    pub fn new(counts: &'a dyn CountSource, batch: Vec<u32>) -> Result<Self, DatasetError> {
        let cells = counts.n_cells();
        if u32::try_from(cells).is_err() {
            return Err(DatasetError::TooManyCells { cells });
        }
        check_length("batch", batch.len(), cells)?;
        Ok(Self {
            counts,
            batch,
            labels: Vec::new(),
            continuous: Table::default(),
            categories: Table::default(),
            size_factor: Vec::new(),
            posterior: None,
        })
    }

    /// Adds the label code of each cell: `(cells)`.
    ///
    /// # Errors
    /// [`DatasetError`] where codes and cells differ in number.
    pub fn with_labels(mut self, labels: Vec<u32>) -> Result<Self, DatasetError> {
        check_length("labels", labels.len(), self.n_cells())?;
        self.labels = labels;
        Ok(self)
    }

    /// Adds `width` continuous covariates: `(cells, width)`.
    ///
    /// # Errors
    /// [`DatasetError`] where values are too few, too many, or not finite.
    pub fn with_continuous(mut self, values: Vec<f32>, width: usize) -> Result<Self, DatasetError> {
        check_length("continuous covariates", values.len(), self.n_cells() * width)?;
        let finite = |v: f32| v.is_finite();
        check_values("a continuous covariate", &values, width, finite, "finite")?;
        self.continuous = Table { values, width };
        Ok(self)
    }

    /// Adds codes of `width` categorical covariates: `(cells, width)`.
    ///
    /// # Errors
    /// [`DatasetError`] where codes are too few or too many.
    pub fn with_categories(mut self, codes: Vec<u32>, width: usize) -> Result<Self, DatasetError> {
        check_length("categorical covariates", codes.len(), self.n_cells() * width)?;
        self.categories = Table { values: codes, width };
        Ok(self)
    }

    /// Adds the size factor of each cell, on the scale of counts: `(cells)`.
    ///
    /// # Errors
    /// [`DatasetError`] where factors are too few, too many, or not above 0.
    pub fn with_size_factor(mut self, factors: Vec<f32>) -> Result<Self, DatasetError> {
        check_length("size factors", factors.len(), self.n_cells())?;
        let legal = |v: f32| v > 0.0 && v.is_finite();
        check_values("the size factor", &factors, 1, legal, "above 0 and finite")?;
        self.size_factor = factors;
        Ok(self)
    }

    /// Adds stored posteriors, which a model of minified data reads instead of the counts.
    ///
    /// # Errors
    /// [`DatasetError`] where lists differ in cells, a variance is not above 0 or a size below 0.
    pub fn with_posterior(mut self, posterior: PosteriorRows<f32>) -> Result<Self, DatasetError> {
        let PosteriorRows { qz_m, qz_v, observed_lib_size } = &posterior;
        let cells = self.n_cells();
        check_length("observed library sizes", observed_lib_size.len(), cells)?;
        check_length("posterior variances", qz_v.len(), qz_m.len())?;
        let width = qz_m.len() / cells.max(1);
        check_length("posterior means", qz_m.len(), width * cells)?;
        check_values("a posterior mean", qz_m, width, f32::is_finite, "finite")?;
        let positive = |v: f32| v > 0.0 && v.is_finite();
        check_values("a posterior variance", qz_v, width, positive, "above 0 and finite")?;
        // A cell of size 0 has expected counts of 0, which scvi-tools' own minified data may hold.
        let size = |v: f32| v >= 0.0 && v.is_finite();
        let sizes = observed_lib_size;
        check_values("the observed library size", sizes, 1, size, "0 or more and finite")?;
        self.posterior = Some(posterior);
        Ok(self)
    }

    /// Label code of each cell, where labels were added: `(cells)`.
    pub fn labels(&self) -> Option<&[u32]> {
        (!self.labels.is_empty()).then_some(&self.labels)
    }

    /// Whether there are stored posteriors.
    pub fn has_posterior(&self) -> bool {
        self.posterior.is_some()
    }

    /// Number of cells.
    pub fn n_cells(&self) -> usize {
        self.counts.n_cells()
    }

    /// Number of genes.
    pub fn n_genes(&self) -> usize {
        self.counts.n_genes()
    }

    /// Batches that occur, or would: one more than the largest code.
    pub fn n_batch(&self) -> usize {
        categories_of(self.batch.iter())
    }

    /// Whether a model of this specification can take the data.
    ///
    /// # Errors
    /// [`Misfit`] where it has other genes or covariates, or fewer categories.
    pub fn check_fits(&self, spec: &VaeSpec) -> Result<(), Misfit> {
        let config = spec.config();
        let (continuous, categories) = (&self.continuous, &self.categories);
        equal("genes", config.n_input, self.n_genes())?;
        at_most("batches", config.n_batch.max(1), self.n_batch())?;
        equal("continuous covariates", config.n_continuous_cov, continuous.width)?;
        equal("categorical covariates", config.n_cats_per_cov.len(), categories.width)?;
        for (i, &model) in config.n_cats_per_cov.iter().enumerate() {
            let codes = categories.values.iter().skip(i).step_by(categories.width);
            at_most("categories of a covariate", model, categories_of(codes))?;
        }
        if spec.uses_labels() {
            present("labels", &self.labels)?;
            at_most("labels", config.n_labels, categories_of(self.labels.iter()))?;
        }
        if config.use_size_factor_key {
            present("size factors", &self.size_factor)?;
        }
        if let Some(stored) = &self.posterior {
            let width = stored.qz_m.len() / self.n_cells().max(1);
            equal("latent dimensions", config.n_latent, width)?;
        }
        Ok(())
    }

    /// The counts alone.
    pub fn counts(&self) -> &'a dyn CountSource {
        self.counts
    }

    /// Announces the cells that [`Dataset::fill`] will be called with.
    pub(crate) fn expect(&self, cells: impl IntoIterator<Item = u32>) {
        self.counts.expect(&mut cells.into_iter());
    }

    pub(crate) fn max_nnz(&self, cells: usize) -> usize {
        self.counts.max_nnz_per_cell() * cells
    }

    /// Refills a minibatch with the given cells.
    ///
    /// # Errors
    /// Where the counts cannot be read.
    pub fn fill(&self, cells: &[u32], out: &mut Minibatch) -> io::Result<()> {
        out.rows.clear();
        self.counts.read(cells, &mut out.rows)?;
        out.cells.clear();
        out.cells.extend_from_slice(cells);
        pick(&self.batch, cells, &mut out.batch);
        pick(&self.labels, cells, &mut out.labels);
        pick(&self.size_factor, cells, &mut out.size_factor);
        if let Some(stored) = &self.posterior {
            let width = stored.qz_m.len() / self.n_cells().max(1);
            pick_rows(&stored.qz_m, width, cells, &mut out.posterior.qz_m);
            pick_rows(&stored.qz_v, width, cells, &mut out.posterior.qz_v);
            pick(&stored.observed_lib_size, cells, &mut out.posterior.observed_lib_size);
        }
        pick_rows(&self.continuous.values, self.continuous.width, cells, &mut out.continuous);
        pick_rows(&self.categories.values, self.categories.width, cells, &mut out.categories);
        Ok(())
    }
}

/// Values of the given cells; none where there are none at all.
fn pick<T: Copy>(values: &[T], cells: &[u32], out: &mut Vec<T>) {
    out.clear();
    if !values.is_empty() {
        out.extend(cells.iter().map(|&c| values[c as usize]));
    }
}

/// Rows of the given cells.
fn pick_rows<T: Copy>(values: &[T], width: usize, cells: &[u32], out: &mut Vec<T>) {
    out.clear();
    for &cell in cells {
        out.extend_from_slice(&values[cell as usize * width..][..width]);
    }
}

fn categories_of<'a>(codes: impl Iterator<Item = &'a u32>) -> usize {
    codes.max().map_or(0, |&code| code as usize + 1)
}

fn check_length(what: &'static str, found: usize, cells: usize) -> Result<(), DatasetError> {
    if found == cells { Ok(()) } else { Err(DatasetError::Length { what, found, cells }) }
}

fn check_values(
    what: &'static str,
    values: &[f32],
    width: usize,
    legal: impl Fn(f32) -> bool,
    allowed: &'static str,
) -> Result<(), DatasetError> {
    match values.iter().position(|&v| !legal(v)) {
        None => Ok(()),
        Some(i) => Err(DatasetError::Value { what, cell: i / width, found: values[i], allowed }),
    }
}

fn equal(what: &'static str, model: usize, data: usize) -> Result<(), Misfit> {
    if model == data { Ok(()) } else { Err(Misfit::Number { what, model, data }) }
}

fn at_most(what: &'static str, model: usize, data: usize) -> Result<(), Misfit> {
    if data <= model { Ok(()) } else { Err(Misfit::Number { what, model, data }) }
}

fn present<T>(what: &'static str, values: &[T]) -> Result<(), Misfit> {
    if values.is_empty() { Err(Misfit::Missing { what }) } else { Ok(()) }
}
