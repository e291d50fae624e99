//! What tasks ask of a trained module.

use scvi_kernels::Backend;

use super::noise::Noise;
use super::vae::Vae;
use super::workspace::Workspace;

/// A module whose cells have a latent variable and a likelihood: what the tasks of
/// [`crate::model`] are written for.
///
/// [`Vae`] is one; so is a module that holds a `Vae` and adds to it.
pub trait Inference: Send + Sync {
    /// The device.
    type Backend: Backend<Elem = f32>;

    /// What encodes and decodes cells.
    fn vae(&self) -> &Vae<Self::Backend>;

    /// Terms of each cell's evidence lower bound, in nats, of the minibatch in `ws` in evaluation
    /// mode: reconstruction_loss and kl_local, `(cells)` each. Without noise every latent variable
    /// is at its posterior's mean.
    fn elbo_terms(
        &self,
        ws: &mut Workspace<Self::Backend>,
        noise: Option<Noise<f32>>,
    ) -> [Vec<f32>; 2] {
        let vae = self.vae();
        vae.inference(ws, noise);
        vae.generative(ws, None);
        let outputs = ws.cell_outputs(vae.backend());
        let kl = outputs.kl_divergence_z.iter().zip(&outputs.kl_divergence_l);
        [outputs.reconstruction_loss, kl.map(|(z, l)| z + l).collect()]
    }
}

impl<B: Backend<Elem = f32>> Inference for Vae<B> {
    type Backend = B;

    fn vae(&self) -> &Self {
        self
    }
}
