//! Training on stored posteriors: the encoder is not run, and stays as it is.

use scvi_kernels::{Backend, Real};

use super::minified::StoredPosterior;
use super::noise::Noise;
use super::optimizer_step::OptimizerStep;
use super::vae::{Vae, pass};
use super::workspace::Workspace;

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
        stored: StoredPosterior<B::Elem>,
        noise: Noise<B::Elem>,
        optimizer: impl Into<OptimizerStep<B::Elem>>,
    ) {
        let optimizer = optimizer.into();
        let update = optimizer.update();
        self.cached_inference(ws, stored, Some(noise));
        self.stored_divergence(ws, stored);
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

    /// KL(q ‖ N(0, 1)) = ½ Σ (q_v + q_m² - 1 - ln q_v) of the stored posterior of the minibatch in
    /// `ws`, in nats, which [`Vae::cached_inference`] leaves out.
    pub fn stored_divergence(&self, ws: &mut Workspace<B>, stored: StoredPosterior<B::Elem>) {
        let width = self.spec.config().n_latent;
        let cells = stored.qz_m.chunks_exact(width).zip(stored.qz_v.chunks_exact(width));
        let of_dim = |(&m, &v): (&B::Elem, &B::Elem)| {
            let (m, v) = (m.to_f64(), v.to_f64());
            0.5 * (v + m * m - 1.0 - v.ln())
        };
        let kl = cells.map(|(m, v)| B::Elem::of(m.iter().zip(v).map(of_dim).sum()));
        self.backend.upload(&mut ws.encoder.kl, &kl.collect::<Vec<_>>());
    }
}
