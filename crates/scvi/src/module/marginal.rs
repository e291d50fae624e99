//! Importance weights of posterior draws.

use scvi_kernels::{Backend, Real};

use super::spec::Library;
use super::vae::Vae;
use super::workspace::Workspace;

impl<B: Backend> Vae<B> {
    /// ln p(x|z) + ln p(z) - ln q(z|x) of each cell at the draw that was decoded last, plus
    /// ln p(l) - ln q(l|x) where the library is inferred: `(cells)`.
    ///
    /// The mean of their exponentials over many draws estimates the marginal likelihood p(x). With
    /// latent_distribution ln both densities are those of the untransformed draw: the softmax
    /// changes them alike. (scvi-tools 1.4.2 evaluates the normal densities at the transformed z.)
    ///
    /// Source: scvi-tools 1.4.2, `module/_vae.py`, `marginal_ll`.
    pub fn log_importance_weights(&self, ws: &Workspace<B>) -> Vec<f64> {
        let backend = &self.backend;
        let n = ws.inputs.n_cells;
        let mut weights: Vec<f64> =
            backend.download(&ws.decoder.nll, n).iter().map(|nll| -nll.to_f64()).collect();
        let n_latent = self.spec.config().n_latent;
        let posterior = [ws.qz_m(backend), ws.qz_v(backend), ws.untransformed_z(backend)];
        let standard = |_: usize| (0.0, 1.0);
        add_log_ratios(&mut weights, posterior, n_latent, standard);
        if let (Some(acts), Library::Latent { means, vars }) = (&ws.library, self.spec.library()) {
            let posterior = [&acts.mean, &acts.var, &acts.draw].map(|b| backend.download(b, n));
            let (batch, _) = ws.inputs.batch_and_labels();
            let prior = |cell: usize| {
                let batch = batch[cell] as usize;
                (means[batch], vars[batch])
            };
            add_log_ratios(&mut weights, posterior, 1, prior);
        }
        weights
    }
}

/// Adds ln N(v; prior) - ln N(v; posterior), summed over the `width` values of each cell.
fn add_log_ratios<F: Real>(
    weights: &mut [f64],
    [mean, var, value]: [Vec<F>; 3], // (cells, width)
    width: usize,
    prior: impl Fn(usize) -> (f64, f64),
) {
    for (cell, weight) in weights.iter_mut().enumerate() {
        let (prior_mean, prior_var) = prior(cell);
        for i in cell * width..(cell + 1) * width {
            let (m, v, x) = (mean[i].to_f64(), var[i].to_f64(), value[i].to_f64());
            let squares = (x - m).powi(2) / v - (x - prior_mean).powi(2) / prior_var;
            *weight += 0.5 * (squares + (v / prior_var).ln());
        }
    }
}
