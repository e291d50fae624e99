//! A minibatch: on the host, refilled in place, and on the device.

use std::ops::Range;

use scvi_kernels::{Backend, CsrRows, Real};

use super::covariates::OneHotPlan;
use super::noise::{Cells, Noise, NoiseAhead, NoisePlan};
use super::options::Dispersion;
use super::posterior_rows::{PosteriorRows, StoredInputs};
use super::spec::{Library, VaeSpec};
use crate::nn::Covariates;

/// The host's side of a minibatch, refilled in place.
///
/// Lists that no option of the model needs may stay empty.
#[derive(Debug, Clone, Default)]
pub struct Minibatch {
    /// Counts of each cell.
    pub rows: CsrRows,
    /// Number of each cell in its data set: its noise belongs to it.
    pub cells: Vec<u32>,
    /// Batch of each cell.
    pub batch: Vec<u32>,
    /// Label of each cell.
    pub labels: Vec<u32>,
    /// Continuous covariates: `(cells, n_continuous_cov)`.
    pub continuous: Vec<f32>,
    /// Categorical covariates: `(cells, n_cats_per_cov.len())`.
    pub categories: Vec<u32>,
    /// Size factor of each cell, a factor of its expected counts.
    pub size_factor: Vec<f32>,
    /// Posteriors of minified data.
    pub posterior: PosteriorRows<f32>,
}

impl Minibatch {
    /// Puts some of the cells into `to`.
    ///
    /// # Panics
    /// If there are no such cells.
    pub(crate) fn copy_cells(&self, cells: Range<usize>, to: &mut Self) {
        let n = self.cells.len();
        to.rows.clear();
        for cell in cells.clone() {
            let (genes, counts) = self.rows.row(cell);
            to.rows.push(genes, counts);
        }
        copy_rows(&self.cells, n, &cells, &mut to.cells);
        copy_rows(&self.batch, n, &cells, &mut to.batch);
        copy_rows(&self.labels, n, &cells, &mut to.labels);
        copy_rows(&self.continuous, n, &cells, &mut to.continuous);
        copy_rows(&self.categories, n, &cells, &mut to.categories);
        copy_rows(&self.size_factor, n, &cells, &mut to.size_factor);
        let (from, to) = (&self.posterior, &mut to.posterior);
        copy_rows(&from.qz_m, n, &cells, &mut to.qz_m);
        copy_rows(&from.qz_v, n, &cells, &mut to.qz_v);
        copy_rows(&from.observed_lib_size, n, &cells, &mut to.observed_lib_size);
    }
}

/// Some rows of a list of `n` rows; none of an empty list.
fn copy_rows<T: Copy>(from: &[T], n: usize, rows: &Range<usize>, to: &mut Vec<T>) {
    let width = from.len() / n;
    to.clear();
    to.extend_from_slice(&from[rows.start * width..rows.end * width]);
}

/// A minibatch on the device. Another can be loaded while a step runs on the first.
pub struct Inputs<B: Backend> {
    pub(super) n_cells: usize,
    pub(super) max_cells: usize,
    pub(super) counts: B::Counts,
    pub(super) cells: B::Ids,
    pub(super) batch: B::Ids,
    pub(super) labels: B::Ids,
    pub(super) covariates: Covariates<B>,
    pub(super) size_factor: B::Buf, // (cells), logarithms
    /// Prior mean and variance of an inferred library.
    pub(super) prior: Option<[B::Buf; 2]>, // (cells) each
    /// Posteriors of minified data.
    pub(super) stored: Option<StoredInputs<B>>,
    pub(super) noise_plans: [Option<NoisePlan>; 2],
    pub(super) noise_ahead: Option<NoiseAhead<B>>,
    host: Host<B::Elem>,
}

/// What the host remembers of a minibatch: another batch can be put in its place.
struct Host<F> {
    own_batch: Vec<u32>,
    labels: Vec<u32>,
    /// the batch that cells are put into, and which one that is where it is not their own
    batch: Vec<u32>,
    transform: Option<u32>,
    categories: Vec<u32>,
    columns: Vec<u32>,
    numbers: Vec<F>,
    one_hot: OneHotPlan,
    /// Prior mean and variance of each batch's library.
    prior: Option<[Vec<f64>; 2]>,
    log_variational: bool,
    uses: Uses,
}

/// Lists of a minibatch that the model reads.
struct Uses {
    labels: bool,
    size_factor: bool,
    n_latent: usize,
    n_continuous: usize,
    n_covariates: usize,
}

impl Uses {
    fn new(spec: &VaeSpec) -> Self {
        let config = spec.config();
        Self {
            labels: spec.uses_labels(),
            size_factor: spec.library() == Library::SizeFactor,
            n_latent: config.n_latent,
            n_continuous: config.n_continuous_cov,
            n_covariates: config.n_cats_per_cov.len(),
        }
    }
}

impl<B: Backend> Inputs<B> {
    /// Buffers for a minibatch of up to `max_cells` cells that hold up to `max_nnz` counts; without
    /// its counts by gene for passes that end before the likelihood.
    pub(super) fn new(
        b: &B,
        spec: &VaeSpec,
        [max_cells, max_nnz]: [usize; 2],
        by_gene: bool,
    ) -> Self {
        let config = spec.config();
        let uses = Uses::new(spec);
        let prior = match spec.library() {
            Library::Latent { means, vars } => Some([means.to_vec(), vars.to_vec()]),
            Library::Observed | Library::SizeFactor => None,
        };
        let n_embedded = spec.embedding().map_or(0, |e| e.dim);
        Inputs {
            n_cells: 0,
            max_cells,
            counts: b.counts([max_cells, max_nnz, config.n_input], by_gene),
            cells: b.ids(max_cells),
            batch: b.ids(max_cells),
            labels: b.ids(if uses.labels { max_cells } else { 0 }),
            covariates: Covariates {
                columns: b.ids(max_cells * spec.one_hot().per_cell()),
                continuous: b.zeros(max_cells * uses.n_continuous),
                embedded: b.zeros(max_cells * n_embedded),
            },
            size_factor: b.zeros(if uses.size_factor { max_cells } else { 0 }),
            prior: prior.is_some().then(|| [b.zeros(max_cells), b.zeros(max_cells)]),
            stored: None,
            noise_plans: NoisePlan::both(spec, prior.is_some()),
            noise_ahead: None,
            host: Host {
                own_batch: Vec::with_capacity(max_cells),
                labels: Vec::with_capacity(max_cells),
                batch: Vec::with_capacity(max_cells),
                transform: None,
                categories: Vec::with_capacity(max_cells * uses.n_covariates),
                columns: Vec::with_capacity(max_cells * spec.one_hot().per_cell()),
                numbers: Vec::with_capacity(max_cells * uses.n_continuous.max(1)),
                one_hot: spec.one_hot().clone(),
                prior,
                log_variational: config.log_variational,
                uses,
            },
        }
    }

    /// Takes a minibatch in.
    ///
    /// # Panics
    /// If it has more cells than the buffers hold, or lists of other lengths than the model needs.
    pub fn load(&mut self, backend: &B, batch: &Minibatch) {
        let n = batch.rows.n_cells();
        let uses = &self.host.uses;
        assert!(n <= self.max_cells, "{n} cells where {} fit", self.max_cells);
        assert_eq!((batch.cells.len(), batch.batch.len()), (n, n), "one number a cell");
        assert_eq!(batch.continuous.len(), n * uses.n_continuous, "continuous covariates");
        assert_eq!(batch.categories.len(), n * uses.n_covariates, "categorical covariates");
        self.n_cells = n;
        if let Some(noise) = &mut self.noise_ahead {
            noise.drawn = None;
        }
        backend.load_counts(&mut self.counts, &batch.rows, self.host.log_variational);
        backend.upload_ids(&mut self.cells, &batch.cells);
        if uses.labels {
            assert_eq!(batch.labels.len(), n, "one label a cell");
            backend.upload_ids(&mut self.labels, &batch.labels);
        }
        let numbers = &mut self.host.numbers;
        if uses.size_factor {
            assert_eq!(batch.size_factor.len(), n, "one size factor a cell");
            numbers.clear();
            numbers.extend(batch.size_factor.iter().map(|&v| B::Elem::of(f64::from(v).ln())));
            backend.upload(&mut self.size_factor, numbers);
        }
        match batch.posterior.borrow() {
            None => self.stored = None,
            Some(posterior) => {
                let n_latent = uses.n_latent;
                let stored = self.stored.get_or_insert_with(|| {
                    let latent = || backend.zeros(self.max_cells * n_latent);
                    let library = backend.zeros(self.max_cells);
                    StoredInputs { mean: latent(), var: latent(), library }
                });
                posterior.load(backend, stored, [n, n_latent], numbers);
            }
        }
        numbers.clear();
        numbers.extend(batch.continuous.iter().map(|&v| B::Elem::of(f64::from(v))));
        backend.upload(&mut self.covariates.continuous, numbers);
        self.host.categories.clone_from(&batch.categories);
        self.host.own_batch.clone_from(&batch.batch);
        self.host.labels.clone_from(&batch.labels);
        self.put_into_batch(backend, None);
    }

    /// Draws the noise of a training step on this minibatch, which is then there when the step asks
    /// for it: the same numbers, for they belong to seed, draw and cell. Given noise stays with its
    /// owner.
    pub fn draw_ahead(&mut self, backend: &B, noise: Noise<B::Elem>) {
        let Noise::Seeded { seed, draw } = noise else { return };
        let Self { noise_ahead, noise_plans, cells, n_cells, max_cells, .. } = self;
        noise_ahead.get_or_insert_with(|| NoiseAhead::new(backend, noise_plans, *max_cells)).draw(
            backend,
            noise_plans,
            Cells { ids: cells, n: *n_cells },
            (seed, draw),
        );
    }

    /// Puts other counts in the place of those of the minibatch, as many cells.
    ///
    /// # Panics
    /// If there are more or fewer.
    pub(super) fn replace_counts(&mut self, backend: &B, rows: &CsrRows) {
        assert_eq!(rows.n_cells(), self.n_cells, "as many cells as before");
        backend.load_counts(&mut self.counts, rows, self.host.log_variational);
    }

    /// Puts every cell into one batch (`transform_batch`), or back into its own.
    pub(super) fn set_batch(&mut self, backend: &B, transform: Option<u32>) {
        if self.host.transform != transform {
            self.put_into_batch(backend, transform);
        }
    }

    fn put_into_batch(&mut self, backend: &B, transform: Option<u32>) {
        self.host.transform = transform;
        let Host { own_batch, batch, categories, columns, numbers, one_hot, prior, .. } =
            &mut self.host;
        batch.clear();
        batch.extend(own_batch.iter().map(|&own| transform.unwrap_or(own)));
        backend.upload_ids(&mut self.batch, batch);
        one_hot.fill(batch, categories, columns);
        backend.upload_ids(&mut self.covariates.columns, columns);
        if let (Some(bufs), Some(by_batch)) = (&mut self.prior, prior) {
            for (buf, by_batch) in bufs.iter_mut().zip(by_batch) {
                numbers.clear();
                numbers.extend(batch.iter().map(|&b| B::Elem::of(by_batch[b as usize])));
                backend.upload(buf, numbers);
            }
        }
    }

    /// Whether posteriors of minified data were loaded.
    pub(crate) fn has_posterior(&self) -> bool {
        self.stored.is_some()
    }

    /// The column of the dispersion table that each cell uses, where there are several.
    pub(super) fn groups(&self, dispersion: Dispersion) -> Option<&[u32]> {
        match dispersion {
            Dispersion::GeneBatch => Some(&self.host.batch),
            Dispersion::GeneLabel => Some(&self.host.labels),
            Dispersion::Gene | Dispersion::GeneCell => None,
        }
    }

    /// Batch and label of each cell, as they were loaded; no labels where none came.
    pub(super) fn batch_and_labels(&self) -> (&[u32], &[u32]) {
        (&self.host.own_batch, &self.host.labels)
    }
}
