//! Minified mode: cells are known by their stored posterior instead of their counts.

use scvi_kernels::{Backend, StoredPosteriorIo};

use super::minified_data::{MinifiedDataType, MinifiedError};
use super::noise::Noise;
use super::vae::{Vae, pass};
use super::workspace::Workspace;

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
