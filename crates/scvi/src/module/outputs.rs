//! What a pass says of each cell.

use scvi_kernels::{Backend, Real};

use super::loss::{Loss, LossPart, LossTerm};
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

impl<F: Real> CellOutputs<F> {
    /// The unweighted sum of each cell's terms, its negative evidence lower bound: `(cells)`.
    pub(crate) fn losses(&self) -> Vec<f64> {
        let kl = self.kl_divergence_z.iter().zip(&self.kl_divergence_l).map(|(&z, &l)| z + l);
        self.reconstruction_loss.iter().zip(kl).map(|(&r, kl)| (r + kl).to_f64()).collect()
    }
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

impl<B: Backend> Workspace<B> {
    /// The loss of the minibatch:
    /// reconstruction_loss + `kl_weight` · kl_divergence_z + kl_divergence_l. The divergence of the
    /// library is never weighted.
    pub fn loss(&self, backend: &B, kl_weight: f64) -> Loss {
        let n_cells = self.inputs.n_cells;
        let term = |name, part, weight, values| {
            let sum = backend.sum(values, n_cells);
            LossTerm { name, part, weight, sum }
        };
        let library = self.library.as_ref();
        let mut terms = Vec::with_capacity(3);
        terms.push(term("reconstruction_loss", LossPart::Reconstruction, 1.0, &self.decoder.nll));
        terms.push(term("kl_divergence_z", LossPart::KlLocal, kl_weight, &self.encoder.kl));
        terms.extend(library.map(|l| term("kl_divergence_l", LossPart::KlLocal, 1.0, &l.kl)));
        Loss { n_cells, terms, metrics: Vec::new() }
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
