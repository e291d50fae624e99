//! Minified mode: cells are known by their stored posterior instead of their counts.

use scvi_kernels::{Backend, Real, StoredPosteriorIo};
use thiserror::Error;

use super::minibatch::StoredInputs;
use super::noise::Noise;
use super::vae::{Vae, pass};
use super::workspace::Workspace;

/// What a minified data set still holds (scvi-tools 1.4.2, `data/_constants.py`,
/// `ADATA_MINIFY_TYPE`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MinifiedDataType {
    /// Mean and variance of each cell's posterior, and its library size.
    LatentPosteriorParameters,
    /// The same, and the counts.
    LatentPosteriorParametersWithCounts,
}

impl MinifiedDataType {
    /// Both.
    pub const ALL: [Self; 2] =
        [Self::LatentPosteriorParameters, Self::LatentPosteriorParametersWithCounts];

    /// The kind that scvi-tools calls so.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// scvi-tools' word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::LatentPosteriorParameters => "latent_posterior_parameters",
            Self::LatentPosteriorParametersWithCounts => "latent_posterior_parameters_with_counts",
        }
    }
}

/// Stored posteriors of some cells.
#[derive(Debug, Clone, Copy)]
pub struct StoredPosterior<'a, F> {
    /// Means: `(cells, n_latent)`.
    pub qz_m: &'a [F],
    /// Variances: `(cells, n_latent)`.
    pub qz_v: &'a [F],
    /// Library sizes Σ_g x, in counts: `(cells)`.
    pub observed_lib_size: &'a [F],
}

/// Stored posteriors, refilled in place.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PosteriorRows<F> {
    /// Means: `(cells, n_latent)`.
    pub qz_m: Vec<F>,
    /// Variances: `(cells, n_latent)`.
    pub qz_v: Vec<F>,
    /// Library sizes Σ_g x, in counts: `(cells)`.
    pub observed_lib_size: Vec<F>,
}

impl<F: Copy> PosteriorRows<F> {
    /// Those of the given cells, in their order.
    ///
    /// # Panics
    /// If a cell is none of these.
    pub fn select(&self, cells: &[usize]) -> Self {
        let width = self.qz_m.len() / self.observed_lib_size.len().max(1);
        let rows = |values: &[F], width: usize| {
            cells.iter().flat_map(|&cell| values[cell * width..][..width].to_vec()).collect()
        };
        Self {
            qz_m: rows(&self.qz_m, width),
            qz_v: rows(&self.qz_v, width),
            observed_lib_size: rows(&self.observed_lib_size, 1),
        }
    }
}

impl<F> PosteriorRows<F> {
    /// The lists, where there are any.
    pub fn borrow(&self) -> Option<StoredPosterior<'_, F>> {
        let Self { qz_m, qz_v, observed_lib_size } = self;
        (!observed_lib_size.is_empty()).then_some(StoredPosterior { qz_m, qz_v, observed_lib_size })
    }
}

impl StoredPosterior<'_, f32> {
    /// Takes the lists to the device, through `numbers` on the host.
    ///
    /// # Panics
    /// If they do not fit the minibatch.
    pub(super) fn load<B: Backend>(
        &self,
        backend: &B,
        to: &mut StoredInputs<B>,
        [cells, n_latent]: [usize; 2],
        numbers: &mut Vec<B::Elem>,
    ) {
        let Self { qz_m, qz_v, observed_lib_size } = self;
        assert_eq!((qz_m.len(), qz_v.len()), (cells * n_latent, cells * n_latent), "posteriors");
        assert_eq!(observed_lib_size.len(), cells, "one library size a cell");
        let mut upload = |buf: &mut B::Buf, values: &[f32], of: fn(B::Elem) -> B::Elem| {
            numbers.clear();
            numbers.extend(values.iter().map(|&v| of(B::Elem::of(f64::from(v)))));
            backend.upload(buf, numbers);
        };
        upload(&mut to.mean, qz_m, |v| v);
        upload(&mut to.var, qz_v, |v| v);
        upload(&mut to.library, observed_lib_size, Real::ln);
    }
}

/// A task that minified data does not allow.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MinifiedError {
    /// The task needs counts.
    #[error("{task} needs counts, and the data is minified without them")]
    NeedsCounts {
        /// The task.
        task: &'static str,
    },
    /// The model infers libraries from counts.
    #[error(
        "a model with use_observed_lib_size off infers libraries from counts: it cannot take minified data"
    )]
    InferredLibrary,
}

impl<B: Backend> Vae<B> {
    /// What kind of minified data the model works on; `None` for counts.
    pub fn minified_data_type(&self) -> Option<MinifiedDataType> {
        self.minified
    }

    /// Tells the model that its data is minified, or no longer is.
    ///
    /// # Errors
    /// [`MinifiedError::InferredLibrary`] where the model infers libraries.
    pub fn set_minified_data_type(
        &mut self,
        minified: Option<MinifiedDataType>,
    ) -> Result<(), MinifiedError> {
        if minified.is_some() && self.library_encoder.is_some() {
            return Err(MinifiedError::InferredLibrary);
        }
        self.minified = minified;
        Ok(())
    }

    /// Whether a task that needs counts has them.
    ///
    /// # Errors
    /// [`MinifiedError::NeedsCounts`] names the task.
    pub fn require_counts(&self, task: &'static str) -> Result<(), MinifiedError> {
        match self.minified {
            Some(MinifiedDataType::LatentPosteriorParameters) => {
                Err(MinifiedError::NeedsCounts { task })
            }
            Some(MinifiedDataType::LatentPosteriorParametersWithCounts) | None => Ok(()),
        }
    }

    /// The posterior of the minibatch in `ws` as it was stored, in place of [`Vae::inference`].
    ///
    /// z = q_m + √q_v ε, with ε from `noise`, and at the mean without; library = ln of the stored
    /// size; and KL(q ‖ N(0, 1)), in nats.
    ///
    /// Source: scvi-tools 1.4.2, `module/_vae.py`, `_cached_inference`.
    ///
    /// # Panics
    /// If the minibatch in `ws` was loaded without posteriors.
    pub fn cached_inference(&self, ws: &mut Workspace<B>, noise: Option<Noise<B::Elem>>) {
        if let Some(noise) = noise {
            ws.set_noise(&self.backend, noise, false);
        }
        let Workspace { inputs, encoder, given_library, .. } = ws;
        let stored = inputs.stored.as_ref().expect("posteriors were loaded");
        let (cells, n_latent) = (inputs.n_cells, self.spec.config().n_latent);
        let backend = &self.backend;
        backend.copy(&stored.mean, &mut encoder.mean, cells * n_latent);
        backend.copy(&stored.var, &mut encoder.var, cells * n_latent);
        backend.copy(&stored.library, given_library, cells);
        let io = StoredPosteriorIo {
            mean: &stored.mean,
            var: &stored.var,
            noise: noise.is_some().then_some(&encoder.noise),
            z: &mut encoder.draw,
            kl: &mut encoder.kl,
        };
        backend.stored_posterior(io, [cells, n_latent]);
        ws.library_is_given = true;
        self.encoder.transform(pass(backend, &ws.inputs), &mut ws.encoder);
    }
}
