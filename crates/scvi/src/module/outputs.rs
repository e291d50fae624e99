//! What a pass says of each cell.

use scvi_kernels::Backend;

use super::workspace::Workspace;

/// The terms of each cell's loss, in nats (scvi-tools' `LossOutput`).
#[derive(Debug, Clone, PartialEq)]
pub struct CellOutputs<F> {
    /// -ln p(x | z): `(cells)`.
    pub reconstruction_loss: Vec<F>,
    /// KL(q(z|x) ‖ p(z)): `(cells)`.
    pub kl_divergence_z: Vec<F>,
    /// KL(q(l|x) ‖ p(l)) of an inferred library, else 0: `(cells)`.
    pub kl_divergence_l: Vec<F>,
    /// With `extra_payload_autotune`.
    pub extra_metrics: Option<ExtraMetrics<F>>,
}

/// What `extra_payload_autotune` adds.
#[derive(Debug, Clone, PartialEq)]
pub struct ExtraMetrics<F> {
    /// The latent variable that was decoded: `(cells, n_latent)`.
    pub z: Vec<F>,
    /// Batch of each cell.
    pub batch: Vec<u32>,
    /// Label of each cell; empty where none came.
    pub labels: Vec<u32>,
}

/// Loss terms, summed over a minibatch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossSums {
    /// -Σ ln p(x | z).
    pub reconstruction_loss: f64,
    /// Σ KL(q(z|x) ‖ p(z)).
    pub kl_divergence_z: f64,
    /// Σ KL(q(l|x) ‖ p(l)).
    pub kl_divergence_l: f64,
}

impl LossSums {
    /// reconstruction_loss + kl_weight · kl_divergence_z + kl_divergence_l: the divergence of the
    /// library is never weighted.
    pub fn loss(&self, kl_weight: f64) -> f64 {
        self.reconstruction_loss + kl_weight * self.kl_divergence_z + self.kl_divergence_l
    }

    /// Both divergences together.
    pub fn kl_local(&self) -> f64 {
        self.kl_divergence_z + self.kl_divergence_l
    }
}

impl<B: Backend> Workspace<B> {
    /// Loss terms, summed over the minibatch.
    pub fn loss_sums(&self, backend: &B) -> LossSums {
        let n = self.inputs.n_cells;
        LossSums {
            reconstruction_loss: backend.sum(&self.decoder.nll, n),
            kl_divergence_z: backend.sum(&self.encoder.kl, n),
            kl_divergence_l: self.library.as_ref().map_or(0.0, |l| backend.sum(&l.kl, n)),
        }
    }

    /// Loss terms of each cell.
    pub fn cell_outputs(&self, backend: &B) -> CellOutputs<B::Elem> {
        let n = self.inputs.n_cells;
        let extra_metrics = self.extra_payload.then(|| {
            let (batch, labels) = self.inputs.batch_and_labels();
            let (batch, labels) = (batch.to_vec(), labels.to_vec());
            ExtraMetrics { z: self.z(backend), batch, labels }
        });
        CellOutputs {
            reconstruction_loss: backend.download(&self.decoder.nll, n),
            kl_divergence_z: backend.download(&self.encoder.kl, n),
            kl_divergence_l: match &self.library {
                Some(library) => backend.download(&library.kl, n),
                None => vec![B::Elem::default(); n],
            },
            extra_metrics,
        }
    }
}
