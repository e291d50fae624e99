//! Which z the cells of a minibatch are decoded at.

use scvi_kernels::Backend;

use super::error::TaskError;
use super::pass::infer;
use crate::module::{Minibatch, Noise, Vae, Workspace};

/// Where latent variables are put, once a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PointEstimate {
    /// At the mean of their posteriors: deterministic.
    Mean,
    /// At one draw from them, as in scvi-tools.
    Sample {
        /// Seed of the draw.
        seed: u64,
    },
}

impl PointEstimate {
    /// The noise of the draw; none for the mean.
    pub(super) fn noise(self) -> Option<Noise<'static, f32>> {
        match self {
            Self::Mean => None,
            Self::Sample { seed } => Some(Noise::Seeded { seed, draw: 0 }),
        }
    }
}

/// Which z a cell is decoded at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posterior {
    /// The posterior's mean: deterministic. With latent_distribution ln it is the softmax of the
    /// untransformed mean, and an inferred library is at its posterior's mean, too.
    Mean,
    /// Draws from the posterior, as in scvi-tools.
    Samples {
        /// Draws of each cell.
        n_samples: u32,
        /// Seed of the draws.
        seed: u64,
    },
}

impl Default for Posterior {
    fn default() -> Self {
        Self::Samples { n_samples: 1, seed: 0 }
    }
}

impl Posterior {
    /// How many z there are of each cell.
    ///
    /// # Errors
    /// [`TaskError::NoSamples`] where there are none.
    pub(super) fn n_draws(self) -> Result<u32, TaskError> {
        match self {
            Self::Mean => Ok(1),
            Self::Samples { n_samples: 0, .. } => Err(TaskError::NoSamples),
            Self::Samples { n_samples, .. } => Ok(n_samples),
        }
    }

    /// Puts draw number `draw` of the cells of a loaded minibatch into the workspace: the encoder
    /// runs for the first one since it was loaded alone.
    pub(super) fn draw<B: Backend<Elem = f32>>(
        self,
        vae: &Vae<B>,
        ws: &mut Workspace<B>,
        batch: &Minibatch,
        draw: u32,
        is_first: bool,
    ) {
        let noise = match self {
            Self::Mean => None,
            Self::Samples { seed, .. } => Some(Noise::Seeded { seed, draw }),
        };
        match noise {
            Some(noise) if !is_first && vae.minified_data_type().is_none() => vae.redraw(ws, noise),
            noise => infer(vae, ws, batch, noise),
        }
    }
}
