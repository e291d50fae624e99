//! Training on stored posteriors: the encoder is not run, and stays as it is.

use scvi_kernels::{Backend, Real};

use super::noise::Noise;
use super::vae::{Vae, pass};
use super::workspace::Workspace;
use crate::nn::OptimizerStep;

impl<B: Backend> Vae<B> {
    /// One optimisation step on the minibatch in `ws` at draws from its stored posterior: forward
    /// in training mode, loss, gradients, and Adam on the parameters of the decoder, px_r and the
    /// batch's embedding.
    ///
    /// Source: scvi-tools 1.4.2, `update_only_decoder` in `train/_trainingplans.py` with minified
    /// data.
    ///
    /// # Panics
    /// As [`Vae::cached_inference`].
    pub fn train_decoder_step(
        &mut self,
        ws: &mut Workspace<B>,
        noise: Noise<B::Elem>,
        optimizer: impl Into<OptimizerStep<B::Elem>>,
    ) {
        let optimizer = optimizer.into();
        let update = optimizer.update();
        self.cached_inference(ws, Some(noise));
        self.embed_batch_train(ws);
        self.decoder.forward_train(
            pass(&self.backend, &ws.inputs),
            ws.encoder.z(),
            &mut ws.decoder,
        );
        let weight = B::Elem::of(1.0 / ws.inputs.n_cells as f64);
        self.likelihood_train(ws, weight, update);
        self.backward_decoder(ws, update);
        self.backward_embedding(ws, update);
        self.apply_staged(ws, optimizer);
    }
}
