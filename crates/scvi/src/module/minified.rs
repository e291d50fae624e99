//! Minified mode: cells are known by their stored posterior instead of their counts.

use scvi_kernels::{Backend, NoiseKey, Real, Stream};
use thiserror::Error;

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
    /// size. The divergence is not evaluated.
    ///
    /// Source: scvi-tools 1.4.2, `module/_vae.py`, `_cached_inference`.
    ///
    /// # Panics
    /// If the lists do not fit the minibatch in `ws`.
    pub fn cached_inference(
        &self,
        ws: &mut Workspace<B>,
        stored: StoredPosterior<B::Elem>,
        noise: Option<Noise<B::Elem>>,
    ) {
        let (cells, n_latent) = (ws.inputs.n_cells, self.spec.config().n_latent);
        let StoredPosterior { qz_m, qz_v, observed_lib_size } = stored;
        assert_eq!((qz_m.len(), qz_v.len()), (cells * n_latent, cells * n_latent), "posteriors");
        let library: Vec<B::Elem> = observed_lib_size.iter().map(|size| size.ln()).collect();
        assert_eq!(library.len(), cells, "one library size a cell");
        let backend = &self.backend;
        let z = match noise {
            None => qz_m.to_vec(),
            Some(noise) => {
                let noise = match noise {
                    Noise::Given(given) => given.z.clone(),
                    Noise::Seeded { seed, draw } => {
                        let key = NoiseKey { seed, stream: Stream::Latent as u32, draw };
                        let (dims, out) = ([cells, n_latent], &mut ws.encoder.noise);
                        backend.normal_noise(key, &ws.inputs.cells, dims, out);
                        backend.download(out, cells * n_latent)
                    }
                };
                let posterior = qz_m.iter().zip(qz_v).zip(noise);
                posterior.map(|((&m, &v), e)| v.sqrt().mul_add(e, m)).collect()
            }
        };
        backend.upload(&mut ws.encoder.mean, qz_m);
        backend.upload(&mut ws.encoder.var, qz_v);
        backend.upload(&mut ws.encoder.draw, &z);
        backend.upload(&mut ws.given_library, &library);
        ws.library_is_given = true;
        self.encoder.transform(pass(backend, &ws.inputs), &mut ws.encoder);
    }
}
